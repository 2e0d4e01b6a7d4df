/*
 * histogram.h - how values are spread, in fixed memory.
 *
 * Log-linear: values below 64 are exact, above there are 32 buckets to each
 * power of two, so that a quantile is within 2 % of the value that a sorted list
 * of all would give. Made for milliseconds: what is above 2^36 (two years)
 * counts as that; the greatest value is kept exactly.
 *
 * A `rolling` histogram forgets: it has one histogram for each of the last
 * `count` spans of time, and is read as their sum. Pure; time is passed in.
 */
#ifndef COMMON_BASE_HISTOGRAM_H
#define COMMON_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 1024u

/* All zeros: empty. */
struct histogram {
    uint32_t counts[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t max;
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* Adds all that is in the other. */
void histogram_merge(struct histogram *histogram,
                     const struct histogram *other);

/* The value that `permille` of 1000 are not above; 0 when it is empty. */
uint64_t histogram_quantile(const struct histogram *histogram,
                            uint32_t permille);

struct rolling {
    struct histogram *spans; /* a ring */
    size_t count;
    uint64_t span_ms;
    uint64_t newest; /* number of the span last added to: time / span_ms */
};

void rolling_init(struct rolling *rolling, size_t count, uint64_t span_ms);
void rolling_release(struct rolling *rolling);

void rolling_add(struct rolling *rolling, uint64_t value, uint64_t now_ms);

/* Adds to *sum what came in the span of now and the count - 1 before it. */
void rolling_sum(const struct rolling *rolling, uint64_t now_ms,
                 struct histogram *sum);

#endif
