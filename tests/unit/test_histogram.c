/* test_histogram.c - quantiles as a sorted list of all values gives them. */
#include "common/base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/mem.h"

#define MANY 20000u

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *seed >> 20;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void quantiles_are_within_two_percent(void **state)
{
    (void)state;
    static const uint32_t permilles[] = { 1,   10,  250, 500, 900,
                                          950, 990, 999, 1000 };
    uint64_t *values = mem_new(MANY, sizeof *values);
    struct histogram *histogram = NEW(struct histogram);
    for (unsigned bits = 1; bits <= 36; bits++) {
        uint64_t seed = bits;
        *histogram = (struct histogram){ .count = 0 };
        for (size_t i = 0; i < MANY; i++) {
            /* spread over all magnitudes below 2^bits */
            const unsigned size = 1 + (unsigned)(draw(&seed) % bits);
            values[i] = draw(&seed) & ((UINT64_C(1) << size) - 1);
            histogram_add(histogram, values[i]);
        }
        qsort(values, MANY, sizeof *values, by_value);
        for (size_t i = 0; i < ARRAY_LEN(permilles); i++) {
            const uint64_t found = histogram_quantile(histogram, permilles[i]);
            const uint64_t exact =
                values[(MANY * permilles[i] + 999) / 1000 - 1];
            const uint64_t error =
                found > exact ? found - exact : exact - found;
            assert_true(error * 50 <= exact);
        }
        assert_int_equal(histogram->max, values[MANY - 1]);
    }
    mem_free(histogram);
    mem_free(values);
}

static void the_empty_and_the_endless_have_quantiles(void **state)
{
    (void)state;
    struct histogram *histogram = NEW(struct histogram);
    assert_int_equal(histogram_quantile(histogram, 500), 0);
    histogram_add(histogram, 0);
    assert_int_equal(histogram_quantile(histogram, 990), 0);
    histogram_add(histogram, UINT64_MAX);
    assert_int_equal(histogram->max, UINT64_MAX);
    assert_in_range(histogram_quantile(histogram, 1000), UINT64_C(1) << 35,
                    UINT64_C(1) << 36);
    mem_free(histogram);
}

static uint64_t count_at(const struct rolling *rolling, uint64_t now_ms)
{
    struct histogram *sum = NEW(struct histogram);
    rolling_sum(rolling, now_ms, sum);
    const uint64_t count = sum->count;
    mem_free(sum);
    return count;
}

static void a_rolling_one_forgets(void **state)
{
    (void)state;
    struct rolling rolling;
    rolling_init(&rolling, 6, 10000);
    assert_int_equal(count_at(&rolling, 5), 0);
    for (uint64_t ms = 1000000; ms < 1060000; ms += 1000)
        rolling_add(&rolling, 7, ms);
    assert_int_equal(count_at(&rolling, 1059999), 60);
    assert_int_equal(count_at(&rolling, 1060000), 50);
    assert_int_equal(count_at(&rolling, 1109999), 10);
    assert_int_equal(count_at(&rolling, 1110000), 0);
    rolling_add(&rolling, 7, 1110000);
    assert_int_equal(count_at(&rolling, 1110000), 1);
    rolling_add(&rolling, 7, 1100000); /* the clock stepped back */
    assert_int_equal(count_at(&rolling, 1110000), 2);
    rolling_add(&rolling, 7, 9000000);
    assert_int_equal(count_at(&rolling, 9000000), 1);
    rolling_release(&rolling);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_two_percent),
        cmocka_unit_test(the_empty_and_the_endless_have_quantiles),
        cmocka_unit_test(a_rolling_one_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
