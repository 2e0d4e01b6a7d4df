/* measure.c - clocks, CPU time and a histogram of microseconds. */
#include "measure.h"

#include <inttypes.h>
#include <time.h>

#include "bytes.h"

static uint64_t read_clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

uint64_t clock_utc_us(void)
{
    return read_clock_us(CLOCK_REALTIME);
}

uint64_t clock_cpu_us(void)
{
    return read_clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

/* Values below 32 have a bucket each; above, the five bits behind the
 * leading one choose the step. */
static uint32_t bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_STEPS)
        return (uint32_t)value;
    const uint32_t shift = 58 - (uint32_t)__builtin_clzll(value);
    return (shift + 1) * HISTOGRAM_STEPS
           + (uint32_t)((value >> shift) - HISTOGRAM_STEPS);
}

static uint64_t bucket_end(uint32_t bucket)
{
    if (bucket < HISTOGRAM_STEPS)
        return bucket;
    const uint32_t shift = bucket / HISTOGRAM_STEPS - 1;
    const uint64_t step = bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS;
    return ((step + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value_us)
{
    histogram->buckets[bucket_of(value_us)]++;
    histogram->count++;
    if (value_us > histogram->max_us)
        histogram->max_us = value_us;
}

uint64_t histogram_quantile_us(const struct histogram *histogram,
                               uint32_t permille)
{
    const uint64_t rank = (histogram->count * permille + 999) / 1000;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= rank && seen > 0) {
            const uint64_t end = bucket_end(i);
            return end < histogram->max_us ? end : histogram->max_us;
        }
    }
    return 0;
}

void histogram_print(const struct histogram *histogram, struct bytes *out)
{
    bytes_addf(out,
               "{\"p50\":%" PRIu64 ",\"p95\":%" PRIu64 ",\"p99\":%" PRIu64
               ",\"max\":%" PRIu64 "}",
               histogram_quantile_us(histogram, 500),
               histogram_quantile_us(histogram, 950),
               histogram_quantile_us(histogram, 990), histogram->max_us);
}

uint64_t sum_add(uint64_t sum, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return sum;
}
