/* test_kept - results stay until they are acknowledged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workers/results/kept.h"

struct seen {
    uint64_t leases[8];
    size_t count;
};

static void see(void *context, uint64_t lease, uint64_t message,
                struct slice frame)
{
    struct seen *seen = context;
    assert_int_equal(message, lease + 100);
    assert_true(slice_equal(frame, SLICE("frame")));
    seen->leases[seen->count++] = lease;
}

static void add(struct kept *kept, uint64_t lease, uint64_t sent_ms)
{
    assert_true(kept_add(kept, lease, lease + 100, SLICE("frame"), sent_ms));
}

static void what_is_acknowledged_is_forgotten(void **state)
{
    (void)state;
    struct kept *kept = kept_new();
    struct seen seen = { .count = 0 };
    for (uint64_t lease = 1; lease <= 4; lease++)
        add(kept, lease, lease);
    assert_true(kept_drop(kept, 3));
    assert_false(kept_drop(kept, 3));
    assert_false(kept_drop(kept, 9));
    assert_int_equal(kept_count(kept), 3);
    kept_each(kept, see, &seen);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.leases[0], 1);
    assert_int_equal(seen.leases[2], 4);
    kept_free(&kept);
    kept_free(&kept);
}

static void a_lease_has_one_result(void **state)
{
    (void)state;
    struct kept *kept = kept_new();
    add(kept, 1, 5);
    assert_false(kept_add(kept, 1, 101, SLICE("other"), 6));
    assert_int_equal(kept_count(kept), 1);
    struct seen seen = { .count = 0 };
    kept_each(kept, see, &seen);
    kept_free(&kept);
}

static void the_unsent_and_the_old_are_due(void **state)
{
    (void)state;
    struct kept *kept = kept_new();
    struct seen seen = { .count = 0 };
    add(kept, 1, 10);
    add(kept, 2, 20);
    add(kept, 3, 0);
    kept_each_due(kept, 10, 30, see, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.leases[0], 3);
    assert_int_equal(seen.leases[1], 1);
    kept_each_due(kept, 10, 30, see, &seen);
    assert_int_equal(seen.count, 2);
    kept_each_due(kept, 29, 40, see, &seen);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.leases[2], 2);
    kept_free(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_acknowledged_is_forgotten),
        cmocka_unit_test(a_lease_has_one_result),
        cmocka_unit_test(the_unsent_and_the_old_are_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
