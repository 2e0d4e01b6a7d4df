/* test_credit.c - whose turn it is among sources and workers. */
#include "router/dispatch/credit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void pull(struct credits *credits, uint32_t source, uint32_t worker,
                 uint64_t total)
{
    static const uint32_t weights[] = { 3, 1, 1 };
    credits_pull(credits, &(struct credit_ask){ source, worker, weights[source],
                                                total });
}

static void totals_run_and_fall(void **state)
{
    (void)state;
    struct credits *credits = credits_new();
    assert_null(credits_pick(credits, CREDIT_ANY, 0));
    pull(credits, 0, 1, 2);
    pull(credits, 0, 1, 2); /* repeated: does no harm */
    assert_int_equal(credits_total(credits), 2);
    credits_use(credits, credits_pick(credits, CREDIT_ANY, 0));
    assert_int_equal(credits_total(credits), 1);
    pull(credits, 0, 1, 0); /* withdrawn */
    assert_null(credits_pick(credits, CREDIT_ANY, 0));
    pull(credits, 0, 1, 3);
    assert_int_equal(credits_total(credits), 2);
    credits_forget(credits, 1);
    assert_null(credits_pick(credits, CREDIT_ANY, 0));
    credits_free(&credits);
}

static void sources_share_by_weight(void **state)
{
    (void)state;
    struct credits *credits = credits_new();
    unsigned used[2] = { 0, 0 };
    pull(credits, 0, 1, UINT64_MAX);
    pull(credits, 1, 1, UINT64_MAX);
    for (unsigned i = 0; i < 40000; i++) {
        struct credit *credit = credits_pick(credits, CREDIT_ANY, 0);
        used[credit->source]++;
        credits_use(credits, credit);
    }
    assert_in_range(used[0], 29900, 30100);
    assert_in_range(used[1], 9900, 10100);
    credits_free(&credits);
}

static void a_source_without_credit_catches_up(void **state)
{
    (void)state;
    struct credits *credits = credits_new();
    pull(credits, 1, 1, 10);
    for (unsigned i = 0; i < 10; i++)
        credits_use(credits, credits_pick(credits, CREDIT_ANY, 0));
    pull(credits, 0, 1, 100);
    pull(credits, 1, 1, 100);
    for (unsigned i = 0; i < 30; i++) {
        struct credit *credit = credits_pick(credits, CREDIT_ANY, 0);
        assert_int_equal(credit->source, 0);
        credits_use(credits, credit);
    }
    credits_free(&credits);
}

static void workers_take_turns_and_the_muted_wait(void **state)
{
    (void)state;
    struct credits *credits = credits_new();
    unsigned used[3] = { 0, 0, 0 };
    pull(credits, 2, 1, 100);
    pull(credits, 2, 2, 100);
    for (unsigned i = 0; i < 100; i++) {
        struct credit *credit = credits_pick(credits, CREDIT_ANY, 0);
        used[credit->worker]++;
        credits_use(credits, credit);
    }
    assert_int_equal(used[1], 50);
    assert_int_equal(used[2], 50);
    struct credit *muted = credits_pick(credits, CREDIT_ANY, 0);
    const uint32_t worker = muted->worker;
    muted->muted_ms = 10;
    assert_int_not_equal(credits_pick(credits, CREDIT_ANY, 9)->worker, worker);
    assert_int_equal(credits_pick(credits, CREDIT_ANY, 10)->worker, worker);
    credits_free(&credits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_run_and_fall),
        cmocka_unit_test(sources_share_by_weight),
        cmocka_unit_test(a_source_without_credit_catches_up),
        cmocka_unit_test(workers_take_turns_and_the_muted_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
