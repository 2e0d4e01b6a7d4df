/* test_budget - memory for messages that are coming in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "common/base/attr.h"
#include "router/submission/budget.h"

#define MAX     100u
#define THREADS 4u
#define ROUNDS  100000u

static void takes_up_to_the_last_byte(void **state)
{
    struct budget budget = { 0 };
    (void)state;
    assert_true(budget_has_room(&budget, 0, MAX));
    assert_true(budget_has_room(&budget, MAX, MAX));
    assert_false(budget_has_room(&budget, MAX + 1, MAX));
    assert_true(budget_resize(&budget, 0, 60, MAX));
    assert_false(budget_resize(&budget, 0, 41, MAX));
    assert_true(budget_resize(&budget, 0, 40, MAX));
    assert_false(budget_has_room(&budget, 0, MAX));
    assert_int_equal(budget.held, MAX);
}

static void gives_back_what_was_held(void **state)
{
    struct budget budget = { 0 };
    (void)state;
    assert_true(budget_resize(&budget, 0, MAX, MAX));
    assert_false(budget_resize(&budget, MAX, MAX + 1, MAX));
    assert_int_equal(budget.held, MAX);
    assert_true(budget_resize(&budget, MAX, 0, MAX));
    assert_int_equal(budget.held, 0);
}

static void shrinks_though_the_limit_was_lowered(void **state)
{
    struct budget budget = { 0 };
    (void)state;
    assert_true(budget_resize(&budget, 0, MAX, MAX));
    assert_false(budget_has_room(&budget, 0, MAX / 4));
    assert_true(budget_resize(&budget, MAX, MAX / 2, MAX / 4));
    assert_false(budget_resize(&budget, MAX / 2, MAX / 2 + 1, MAX / 4));
    assert_int_equal(budget.held, MAX / 2);
}

/* Each wants a third: never do more than three have one. */
static void *fight(void *context)
{
    struct budget *budget = context;
    uintptr_t broken = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!budget_resize(budget, 0, MAX / 3, MAX))
            continue;
        broken += budget->held > MAX;
        broken += !budget_resize(budget, MAX / 3, 0, MAX);
    }
    return (void *)broken; /* NOLINT(performance-no-int-to-ptr): a count */
}

static void is_never_overdrawn_by_many(void **state)
{
    struct budget budget = { 0 };
    pthread_t threads[THREADS];
    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fight, &budget), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *broken = NULL;
        assert_int_equal(pthread_join(threads[i], &broken), 0);
        assert_null(broken);
    }
    assert_int_equal(budget.held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_up_to_the_last_byte),
        cmocka_unit_test(gives_back_what_was_held),
        cmocka_unit_test(shrinks_though_the_limit_was_lowered),
        cmocka_unit_test(is_never_overdrawn_by_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
