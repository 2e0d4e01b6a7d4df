/* test_config_units - times, sizes, rates, schedules and the nearest word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "config/suggest.h"
#include "config/units.h"
#include "config/waits.h"

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

static void check_waits(const char *text, const uint64_t *seconds, size_t count,
                        uint32_t jitter_permille)
{
    struct waits waits;
    char reason[WAITS_REASON_SIZE] = "";
    if (!waits_parse(slice_text(text), &waits, reason))
        fail_msg("%s: %s", text, reason);
    assert_int_equal(waits.count, count);
    assert_int_equal(waits.jitter_permille, jitter_permille);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(waits.ms[i], seconds[i] * 1000);
}

static void schedules_are_waits_with_commas(void **state)
{
    (void)state;
    static const uint64_t list[] = { 60, 300, 1800, 7200 };
    check_waits("1m, 5m,30m ,2h", list, 4, 125);
    check_waits("1m,5m,30m,2h ~20%", list, 4, 200);
    check_waits("1m,5m,30m,2h~0%", list, 4, 0);
}

static void growth_is_written_out(void **state)
{
    (void)state;
    static const uint64_t doubled[] = { 60,   120,  240,  480,  960,
                                        1920, 3840, 7680, 14400 };
    static const uint64_t mixed[] = { 30, 120, 180, 270, 405, 600 };
    check_waits("1m*2..4h", doubled, 9, 125);
    check_waits(" 1m * 2 .. 4h ~ 100% ", doubled, 9, 1000);
    check_waits("30s,2m*1.5..10m", mixed, 6, 125);
    struct waits waits;
    char reason[WAITS_REASON_SIZE];
    assert_true(waits_parse(SLICE("1ms*1.25..10ms"), &waits, reason));
    for (size_t i = 0; i < waits.count && i < 4; i++)
        assert_int_equal(waits.ms[i], i + 1);
}

static void a_bad_schedule_says_what_is_wrong(void **state)
{
    (void)state;
    static const char many[] =
        "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,"
        "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s";
    static const struct {
        const char *text;
        const char *reason;
    } wrong[] = {
        { "", "'' is no duration with its unit" },
        { ",", "'' is no duration with its unit" },
        { "1m,", "'' is no duration with its unit" },
        { "1m,,2m", "'' is no duration with its unit" },
        { "1m;2m", "'1m;2m' is no duration with its unit" },
        { "5", "'5' is no duration with its unit" },
        { "0", "'0' is no wait" },
        { "1m,0s", "'0s' is no wait" },
        { many, "'1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1' has too many "
                "waits" },
        { "1m*2", "'2' has no ceiling: \"1m*2..4h\"" },
        { "1m*..4h", "'' is no factor above 1, at most 10" },
        { "1m*1..4h", "'1' is no factor above 1, at most 10" },
        { "1m*10.01..4h", "'10.01' is no factor above 1, at most 10" },
        { "1m*1.505..4h", "'1.505' is no factor above 1, at most 10" },
        { "1m*-2..4h", "'-2' is no factor above 1, at most 10" },
        { "1m*2..", "'' is no duration with its unit" },
        { "1m*2..4h,5h", "'4h,5h' is no duration with its unit" },
        { "4h*2..1m", "'1m' is a ceiling below the wait that grows" },
        { "1m*2..1m", "'1m' is a ceiling below the wait that grows" },
        { "1s*1.01..9d", "'1.01..9d' grows too slowly to its ceiling" },
        { "*2..4h", "'' is no duration with its unit" },
        { "1m~", "'' is no jitter: \"~20%\", at most 100" },
        { "1m ~20", "'20' is no jitter: \"~20%\", at most 100" },
        { "1m ~101%", "'101%' is no jitter: \"~20%\", at most 100" },
        { "1m ~2%~", "'2%~' is no jitter: \"~20%\", at most 100" },
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct waits waits;
        char reason[WAITS_REASON_SIZE] = "";
        assert_false(waits_parse(slice_text(wrong[i].text), &waits, reason));
        assert_string_equal(reason, wrong[i].reason);
    }
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
        cmocka_unit_test(growth_is_written_out),
        cmocka_unit_test(a_bad_schedule_says_what_is_wrong),
        cmocka_unit_test(the_nearest_word_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
