/* test_tally - no complaint counts twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "router/control/tally.h"

static bool take(struct tally *tally, uint64_t message, uint32_t recipients,
                 unsigned who)
{
    char text[32];
    (void)snprintf(text, sizeof text, "u%u@b.test", who);
    return tally_take(tally, message, recipients, slice_text(text));
}

static void each_recipient_complains_once(void **state)
{
    (void)state;
    struct tally *tally = tally_new();
    assert_true(take(tally, 1, 2, 1));
    assert_false(take(tally, 1, 2, 1));
    assert_true(take(tally, 1, 2, 2));
    assert_false(take(tally, 1, 2, 3)); /* it had two */
    assert_true(take(tally, 2, 1, 1));
    assert_false(take(tally, 2, 1, 2));
    assert_false(take(tally, 3, 0, 1));
    tally_free(&tally);
}

static void a_message_has_a_bound_of_its_own(void **state)
{
    (void)state;
    struct tally *tally = tally_new();
    unsigned taken = 0;
    for (unsigned who = 0; who < 1000; who++)
        taken += take(tally, 1, 1000, who);
    assert_int_equal(taken, TALLY_WAYS);
    tally_free(&tally);
}

/* Others' complaints do not make it forget one for long. */
static void it_remembers_some_ten_thousand(void **state)
{
    (void)state;
    struct tally *tally = tally_new();
    const unsigned count = TALLY_BUCKETS * TALLY_WAYS / 3;
    for (unsigned message = 1; message <= count; message++)
        assert_true(take(tally, message, 1, 1));
    unsigned again = 0;
    for (unsigned message = 1; message <= count; message++)
        again += take(tally, message, 1, 1);
    assert_in_range(again, 0, count / 100);
    tally_free(&tally);
}

/* What was given back counts once more, for the same and for others. */
static void what_is_given_back_may_come_again(void **state)
{
    (void)state;
    struct tally *tally = tally_new();
    assert_true(take(tally, 1, 1, 1));
    tally_give_back(tally, 1, SLICE("another"));
    assert_false(take(tally, 1, 1, 1));
    tally_give_back(tally, 1, SLICE("u1@b.test"));
    assert_true(take(tally, 1, 1, 1));
    assert_false(take(tally, 1, 1, 1));
    tally_free(&tally);
}

/* One that comes and goes makes nobody forget the others. */
static void what_comes_and_goes_displaces_nothing(void **state)
{
    (void)state;
    struct tally *tally = tally_new();
    for (unsigned who = 0; who < TALLY_WAYS - 1; who++)
        assert_true(take(tally, 1, TALLY_WAYS, who));
    for (int i = 0; i < 100; i++) {
        assert_true(take(tally, 1, TALLY_WAYS, 1000));
        tally_give_back(tally, 1, SLICE("u1000@b.test"));
    }
    for (unsigned who = 0; who < TALLY_WAYS - 1; who++)
        assert_false(take(tally, 1, TALLY_WAYS, who));
    tally_free(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_recipient_complains_once),
        cmocka_unit_test(a_message_has_a_bound_of_its_own),
        cmocka_unit_test(it_remembers_some_ten_thousand),
        cmocka_unit_test(what_is_given_back_may_come_again),
        cmocka_unit_test(what_comes_and_goes_displaces_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
