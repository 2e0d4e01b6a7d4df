/* test_config_units - times, sizes, rates, schedules and the nearest word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "config/suggest.h"
#include "config/units.h"

#define WRONG UINT64_MAX

struct number_case {
    const char *text;
    uint64_t value; /* WRONG: refused */
};

static void durations_have_units(void **state)
{
    (void)state;
    static const struct number_case cases[] = {
        { "0", 0 },
        { "250ms", 250 },
        { "30s", 30000 },
        { "5m", 300000 },
        { "4h", 14400000 },
        { "2d", 172800000 },
        { "1d12h", 129600000 },
        { "1W", 604800000 },
        { "", WRONG },
        { "30", WRONG },
        { "s", WRONG },
        { "-1s", WRONG },
        { "1.5h", WRONG },
        { "1d 12h", WRONG },
        { "1month", WRONG },
        { "99999999999999999999s", WRONG },
        { "3660d1ms", WRONG },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t ms = WRONG;
        bool is_good = units_duration(slice_text(cases[i].text), &ms);
        assert_int_equal(is_good, cases[i].value != WRONG);
        assert_true(ms == cases[i].value);
    }
}

static void sizes_are_powers_of_1024(void **state)
{
    (void)state;
    static const struct number_case cases[] = {
        { "0", 0 },
        { "1000", 1000 },
        { "64KB", 65536 },
        { "64k", 65536 },
        { "10MB", 10485760 },
        { "1GB", 1073741824 },
        { "1T", UINT64_C(1) << 40 },
        { "12B", 12 },
        { "MB", WRONG },
        { "1 MB", WRONG },
        { "1.5MB", WRONG },
        { "1MBs", WRONG },
        { "1MB2KB", WRONG },
        { "9999999TB", WRONG },
        { "18446744073709551616", WRONG },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t bytes = WRONG;
        bool is_good = units_size(slice_text(cases[i].text), &bytes);
        assert_int_equal(is_good, cases[i].value != WRONG);
        assert_true(bytes == cases[i].value);
    }
}

static void rates_have_a_window(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t count;
        uint64_t window_ms; /* 0: refused */
    } cases[] = {
        { "100/min", 100, 60000 },
        { "10/s", 10, 1000 },
        { "1000/h", 1000, 3600000 },
        { "83/5s", 83, 5000 },
        { "100/15m", 100, 900000 },
        { "5/day", 5, 86400000 },
        { "unlimited", 0, 1000 },
        { "0", 0, 1000 },
        { "100", 0, 0 },
        { "0/s", 0, 0 },
        { "/s", 0, 0 },
        { "10/", 0, 0 },
        { "10/0s", 0, 0 },
        { "10/s ", 0, 0 },
        { "10/fortnight", 0, 0 },
        { "10/9999s", 0, 0 },
        { "99999999999/s", 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf_rate rate = { 0 };
        bool is_good = units_rate(slice_text(cases[i].text), &rate);
        assert_int_equal(is_good, cases[i].window_ms != 0);
        assert_int_equal(rate.count, cases[i].count);
        assert_true(rate.window_ms == cases[i].window_ms);
    }
}

static void schedules_are_waits_with_commas(void **state)
{
    (void)state;
    uint64_t waits[UNITS_SCHEDULE_MAX] = { 0 };
    size_t count = 0;
    assert_true(units_schedule(SLICE("1m, 5m,30m ,2h"), waits, &count));
    assert_int_equal(count, 4);
    assert_true(waits[0] == 60000 && waits[3] == 7200000);

    static const char many[] =
        "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,"
        "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s";
    static const char *const wrong[] = { "",      ",", "1m,",  "1m,,2m",
                                         "1m;2m", "0", "1m,0", many };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(units_schedule(slice_text(wrong[i]), waits, &count));
    assert_int_equal(count, 4);
}

static void the_nearest_word_is_found(void **state)
{
    (void)state;
    assert_int_equal(
        suggest_distance(SLICE("max_smpt_out"), SLICE("max_smtp_out")), 1);
    assert_int_equal(
        suggest_distance(SLICE("Max-SMTP-out"), SLICE("max_smtp_out")), 0);
    assert_int_equal(suggest_distance(SLICE(""), SLICE("abc")), 3);
    assert_int_equal(suggest_distance(SLICE("kitten"), SLICE("sitting")), 3);
    size_t nearest = SUGGEST_FAR;
    assert_false(suggest_is_nearer(SLICE("abc"), SLICE("xyz"), &nearest));
    assert_true(suggest_is_nearer(SLICE("rote"), SLICE("route"), &nearest));
    assert_int_equal(nearest, 1);
    char word[SUGGEST_WORD_MAX + 1];
    memset(word, 'a', sizeof word);
    assert_true(suggest_distance(slice_of(word, sizeof word), SLICE("a"))
                == SUGGEST_FAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(rates_have_a_window),
        cmocka_unit_test(schedules_are_waits_with_commas),
        cmocka_unit_test(the_nearest_word_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
