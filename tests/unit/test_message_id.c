/* test_message_id - ids rise and never repeat, whatever the clock does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/proto/message_id.h"

#define NOW_UTC_MS (ID_EPOCH_UTC_MS + UINT64_C(200000000000))

static void ids_rise_when_the_clock_does_not(void **state)
{
    (void)state;
    struct id_maker maker;
    id_maker_init(&maker, 5);
    uint64_t last = 0;
    for (unsigned i = 0; i < 10000; i++) {
        /* Stands still, then steps back by an hour. */
        uint64_t clock = i < 5000 ? NOW_UTC_MS : NOW_UTC_MS - 3600000;
        uint64_t id = id_next(&maker, clock);
        assert_true(id > last);
        last = id;
    }
    /* 10000 ids fill two milliseconds and a part of the third. */
    assert_int_equal(id_utc_ms(last), NOW_UTC_MS + 2);
    assert_int_equal(id_router(last), maker.router);
    assert_int_equal(id_utc_ms(id_next(&maker, NOW_UTC_MS + 9)),
                     NOW_UTC_MS + 9);
}

static void routers_do_not_meet(void **state)
{
    (void)state;
    struct id_maker low;
    struct id_maker high;
    id_maker_init(&low, 0);
    id_maker_init(&high, ID_ROUTER_MAX);
    for (unsigned i = 0; i < 5000; i++)
        assert_true(id_next(&low, NOW_UTC_MS) != id_next(&high, NOW_UTC_MS));
    assert_true(id_next(&low, 0) > 0);
}

static void a_new_maker_goes_on_behind_the_spool(void **state)
{
    (void)state;
    struct id_maker old;
    struct id_maker other;
    struct id_maker fresh;
    id_maker_init(&old, 5);
    id_maker_init(&other, 6);
    id_maker_init(&fresh, 5);
    uint64_t newest = id_next(&old, NOW_UTC_MS + 60000);
    id_maker_seen(&fresh, newest);
    id_maker_seen(&fresh, id_next(&old, 0) - 1);
    assert_true(id_next(&fresh, NOW_UTC_MS) > newest);

    id_maker_init(&fresh, 5);
    id_maker_seen(&fresh, id_next(&other, NOW_UTC_MS + 60000));
    assert_int_equal(id_utc_ms(id_next(&fresh, NOW_UTC_MS)), NOW_UTC_MS);
}

static void text_goes_there_and_back(void **state)
{
    (void)state;
    static const struct {
        uint64_t id;
        const char *text;
    } cases[] = {
        { 0, "0000000000000" },
        { 31, "000000000000z" },
        { 32, "0000000000010" },
        { UINT64_MAX, "fzzzzzzzzzzzz" },
        { UINT64_C(0x0123456789abcdef), "028t5cy4tqkff" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[ID_TEXT_SIZE];
        uint64_t id = 1;
        assert_string_equal(id_format(cases[i].id, text), cases[i].text);
        assert_true(id_parse(slice_text(cases[i].text), &id));
        assert_true(id == cases[i].id);
    }
    uint64_t id = 7;
    assert_true(id_parse(SLICE("000000000000Z"), &id));
    assert_int_equal(id, 31);
    static const char *const bad[] = {
        "",
        "000000000000",
        "00000000000000",
        "g000000000000",
        "zzzzzzzzzzzzz",
        "00000000000i0",
        "00000000000u0",
        "-000000000000",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(id_parse(slice_text(bad[i]), &id));
    assert_false(id_parse(slice_of("000000000000\0", 13), &id));
    assert_int_equal(id, 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_rise_when_the_clock_does_not),
        cmocka_unit_test(routers_do_not_meet),
        cmocka_unit_test(a_new_maker_goes_on_behind_the_spool),
        cmocka_unit_test(text_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
