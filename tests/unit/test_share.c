/* test_share - the parts of a limit add up to it, whatever is parted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "workers/limits/share.h"

static void counts_add_up_to_the_limit(void **state)
{
    (void)state;
    static const uint32_t limits[] = { 0, 1, 2, 7, 20, 1000, UINT32_MAX - 1 };
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        for (uint32_t workers = 1; workers <= 33; workers++) {
            uint64_t sum = 0;
            for (uint32_t rank = 0; rank < workers; rank++) {
                struct share share = share_of(rank, workers);
                uint32_t part = share_count(&share, limits[i]);
                assert_in_range(part, limits[i] / workers,
                                limits[i] / workers + 1);
                sum += part;
            }
            assert_int_equal(sum, limits[i]);
        }
    }
}

static void a_worker_without_a_place_is_alone(void **state)
{
    (void)state;
    struct share share = share_of(0, 0);
    assert_int_equal(share_count(&share, 20), 20);
    share = share_of(9, 4); /* the count fell before our rank did */
    assert_int_equal(share.rank, 3);
}

static void rates_are_parted_by_time(void **state)
{
    (void)state;
    for (uint32_t rank = 0; rank < 8; rank++) {
        struct share share = share_of(rank, 8);
        assert_int_equal(share_interval_us(&share, 100), 800);
        assert_int_equal(share_turn_us(&share, 100), 100 * rank);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_add_up_to_the_limit),
        cmocka_unit_test(a_worker_without_a_place_is_alone),
        cmocka_unit_test(rates_are_parted_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
