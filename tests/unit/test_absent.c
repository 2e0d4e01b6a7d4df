/* test_absent - which addresses are tried last, for how long, and how many. */
#include "workers/smtp/absent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = absent_new();
    return 0;
}

static int tear_down(void **state)
{
    struct absent *absent = *state;
    absent_free(&absent);
    return 0;
}

static struct addr address(const char *ip)
{
    struct addr addr;
    assert_true(addr_of_ip(slice_text(ip), 25, &addr));
    return addr;
}

static void one_that_failed_goes_last_for_a_while(void **state)
{
    struct absent *absent = *state;
    const struct addr addr = address("192.0.2.1");
    const struct addr other = address("2001:db8::1");
    assert_false(absent_goes_last(absent, &addr, 100));
    assert_int_equal(absent_add(absent, &addr, 100), ABSENT_MIN_MS);
    assert_true(absent_goes_last(absent, &addr, 100));
    assert_false(absent_goes_last(absent, &other, 100));
    assert_true(absent_goes_last(absent, &addr, 99 + ABSENT_MIN_MS));
    assert_false(absent_goes_last(absent, &addr, 100 + ABSENT_MIN_MS));
}

static void another_port_is_another_address(void **state)
{
    struct absent *absent = *state;
    const struct addr addr = address("192.0.2.1");
    struct addr other;
    assert_true(addr_of_ip(SLICE("192.0.2.1"), 26, &other));
    (void)absent_add(absent, &addr, 0);
    assert_false(absent_goes_last(absent, &other, 0));
}

static void one_connection_has_a_look_when_the_time_is_over(void **state)
{
    struct absent *absent = *state;
    const struct addr addr = address("192.0.2.1");
    (void)absent_add(absent, &addr, 0);
    assert_false(absent_goes_last(absent, &addr, ABSENT_MIN_MS));
    assert_true(absent_goes_last(absent, &addr, ABSENT_MIN_MS));
    assert_true(absent_forget(absent, &addr));
    assert_false(absent_forget(absent, &addr));
    assert_false(absent_goes_last(absent, &addr, ABSENT_MIN_MS));
}

static void it_takes_longer_with_each_failure_up_to_a_cap(void **state)
{
    struct absent *absent = *state;
    const struct addr addr = address("192.0.2.1");
    uint64_t now_ms = 0;
    uint64_t rest_ms = absent_add(absent, &addr, now_ms);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(absent_add(absent, &addr, now_ms + 1), 0);
        now_ms += rest_ms;
        assert_false(absent_goes_last(absent, &addr, now_ms));
        assert_int_equal(absent_add(absent, &addr, now_ms), 0);
        rest_ms = 2 * rest_ms < ABSENT_MAX_MS ? 2 * rest_ms : ABSENT_MAX_MS;
        assert_true(absent_goes_last(absent, &addr, now_ms + rest_ms - 1));
    }
    assert_int_equal(rest_ms, ABSENT_MAX_MS);
}

static void of_too_many_the_oldest_is_forgotten(void **state)
{
    struct absent *absent = *state;
    char ip[32];
    for (unsigned i = 0; i <= ABSENT_MAX; i++) {
        (void)snprintf(ip, sizeof ip, "10.0.%u.%u", i / 256, i % 256);
        const struct addr addr = address(ip);
        assert_int_equal(absent_add(absent, &addr, i), ABSENT_MIN_MS);
    }
    const struct addr first = address("10.0.0.0");
    const struct addr second = address("10.0.0.1");
    assert_false(absent_forget(absent, &first));
    assert_true(absent_forget(absent, &second));
}

#define absent_test(name)                                                      \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        absent_test(one_that_failed_goes_last_for_a_while),
        absent_test(another_port_is_another_address),
        absent_test(one_connection_has_a_look_when_the_time_is_over),
        absent_test(it_takes_longer_with_each_failure_up_to_a_cap),
        absent_test(of_too_many_the_oldest_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
