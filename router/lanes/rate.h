/*
 * rate.h - how many in the last minute, in three numbers.
 *
 * Counts this minute and the one before; the minute that ends now is made of
 * this one and the right part of the one before. Pure.
 */
#ifndef ROUTER_LANES_RATE_H
#define ROUTER_LANES_RATE_H

#include <stdint.h>

#define RATE_SPAN_MS 60000u

struct rate {
    uint64_t span; /* number of this minute */
    uint32_t now;
    uint32_t before;
};

static inline void rate_turn(struct rate *rate, uint64_t now_ms)
{
    const uint64_t span = now_ms / RATE_SPAN_MS;
    if (span == rate->span)
        return;
    rate->before = span == rate->span + 1 ? rate->now : 0;
    rate->now = 0;
    rate->span = span;
}

static inline void rate_add(struct rate *rate, uint64_t now_ms)
{
    rate_turn(rate, now_ms);
    rate->now++;
}

static inline uint64_t rate_per_minute(const struct rate *rate, uint64_t now_ms)
{
    struct rate at = *rate;
    rate_turn(&at, now_ms);
    const uint64_t left_ms = RATE_SPAN_MS - now_ms % RATE_SPAN_MS;
    return at.now + at.before * left_ms / RATE_SPAN_MS;
}

#endif
