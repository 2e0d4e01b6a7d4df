/* histogram.c - how values are spread, in fixed memory. */
#include "common/base/histogram.h"

#include <string.h>

#include "common/base/mem.h"

#define EXACT_BITS 6u /* values below 2^6 have a bucket each */
#define PART_BITS  5u /* 2^5 buckets to a power of two */
#define VALUE_MAX  ((UINT64_C(1) << 36) - 1)

_Static_assert((1u << EXACT_BITS) + (36u - EXACT_BITS) * (1u << PART_BITS)
                   <= HISTOGRAM_BUCKETS,
               "each value has a bucket");

static unsigned power_of(uint64_t value)
{
    return 63u - (unsigned)__builtin_clzll(value);
}

static size_t bucket_of(uint64_t value)
{
    if (value < (1u << EXACT_BITS))
        return (size_t)value;
    if (value > VALUE_MAX)
        value = VALUE_MAX;
    const unsigned power = power_of(value);
    const size_t part =
        (size_t)(value >> (power - PART_BITS)) & ((1u << PART_BITS) - 1);
    return (1u << EXACT_BITS) + (power - EXACT_BITS) * (1u << PART_BITS) + part;
}

/* The middle of a bucket. */
static uint64_t value_of(size_t bucket)
{
    if (bucket < (1u << EXACT_BITS))
        return bucket;
    bucket -= 1u << EXACT_BITS;
    const unsigned power = EXACT_BITS + (unsigned)(bucket >> PART_BITS);
    const uint64_t part = bucket & ((1u << PART_BITS) - 1);
    const uint64_t width = UINT64_C(1) << (power - PART_BITS);
    return (UINT64_C(1) << power) + part * width + width / 2;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->count++;
    if (value > histogram->max)
        histogram->max = value;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->counts[i] += other->counts[i];
    histogram->count += other->count;
    if (other->max > histogram->max)
        histogram->max = other->max;
}

uint64_t histogram_quantile(const struct histogram *histogram,
                            uint32_t permille)
{
    const uint64_t rank = (histogram->count * permille + 999) / 1000;
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen == 0 || seen < rank)
            continue;
        return value_of(i) < histogram->max ? value_of(i) : histogram->max;
    }
    return 0;
}

void rolling_init(struct rolling *rolling, size_t count, uint64_t span_ms)
{
    *rolling = (struct rolling){ .count = count, .span_ms = span_ms };
    rolling->spans = mem_new(count, sizeof *rolling->spans);
}

void rolling_release(struct rolling *rolling)
{
    mem_free(rolling->spans);
    *rolling = (struct rolling){ 0 };
}

/* Clears the spans that have begun since the last value came. */
static void roll(struct rolling *rolling, uint64_t number)
{
    if (number <= rolling->newest)
        return; /* time does not run backwards; if it does, it stands still */
    uint64_t begun = number - rolling->newest;
    if (begun > rolling->count)
        begun = rolling->count;
    for (uint64_t i = 0; i < begun; i++)
        memset(&rolling->spans[(number - i) % rolling->count], 0,
               sizeof *rolling->spans);
    rolling->newest = number;
}

void rolling_add(struct rolling *rolling, uint64_t value, uint64_t now_ms)
{
    roll(rolling, now_ms / rolling->span_ms);
    histogram_add(&rolling->spans[rolling->newest % rolling->count], value);
}

void rolling_sum(const struct rolling *rolling, uint64_t now_ms,
                 struct histogram *sum)
{
    const uint64_t number = now_ms / rolling->span_ms;
    for (uint64_t i = 0; i < rolling->count && i <= rolling->newest; i++) {
        const uint64_t at = rolling->newest - i;
        if (at + rolling->count > number)
            histogram_merge(sum, &rolling->spans[at % rolling->count]);
    }
}
