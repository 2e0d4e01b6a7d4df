/*
 * share.h - a worker's part of a limit that nobody counts at the moment.
 *
 * Pure. Integers are parted so that the shares of all workers add up to the
 * limit exactly: a worker may get none, and the others' mail goes on. A rate is
 * parted by time instead: each of n workers sends n times as slowly, so that no
 * rate is ever cut down to nothing.
 */
#ifndef WORKERS_LIMITS_SHARE_H
#define WORKERS_LIMITS_SHARE_H

#include <stdint.h>

/* Our place among the live workers: rank < workers. 0 workers counts as being
 * alone, a rank beyond the last as the last. */
struct share {
    uint32_t rank;
    uint32_t workers;
};

/* The place as it counts. */
struct share share_of(uint32_t rank, uint32_t workers);

/* What of `limit` is ours. */
uint32_t share_count(const struct share *share, uint32_t limit);

/* The time between two of ours, where all together keep `interval_us`. */
uint64_t share_interval_us(const struct share *share, uint64_t interval_us);

/* How long after the start of a round, in which each of us has a turn, ours is:
 * less than share_interval_us(). */
uint64_t share_turn_us(const struct share *share, uint64_t interval_us);

#endif
