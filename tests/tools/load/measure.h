/*
 * measure.h - clocks, CPU time and a histogram of microseconds.
 *
 * The histogram is log-linear: 32 steps per power of two, so a percentile is
 * at most 3 % too high, whatever its size, in 16 KiB of memory.
 */
#ifndef TESTS_TOOLS_LOAD_MEASURE_H
#define TESTS_TOOLS_LOAD_MEASURE_H

#include <stddef.h>
#include <stdint.h>

struct bytes;

enum {
    HISTOGRAM_STEPS = 32,
    HISTOGRAM_BUCKETS = 64 * HISTOGRAM_STEPS,
};

struct histogram {
    uint64_t count;
    uint64_t max_us;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

uint64_t clock_monotonic_us(void);
uint64_t clock_utc_us(void);

/* User and system time that this process has used. */
uint64_t clock_cpu_us(void);

void histogram_add(struct histogram *histogram, uint64_t value_us);

/* The value that `permille` of 1000 samples do not exceed; 0 when empty. */
uint64_t histogram_quantile_us(const struct histogram *histogram,
                               uint32_t permille);

/* Appends {"p50":..,"p95":..,"p99":..,"max":..}. */
void histogram_print(const struct histogram *histogram, struct bytes *out);

/* FNV-1a over 64 bits; begin with SUM_BEGIN. */
#define SUM_BEGIN 0xcbf29ce484222325u
uint64_t sum_add(uint64_t sum, const char *bytes, size_t len);

#endif
