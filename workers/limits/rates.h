/*
 * rates.h - one rate of one gate: moments at which a message may leave.
 *
 * GCRA, with its moments handed out by Redis (script_reserve) in batches of
 * about 100 ms worth, so that a message at a high rate costs no round trip. A
 * token is one moment: it holds from then on for a short life, and is lost
 * when it was not used.
 *
 *     interval = (window + stretch) / count      life = stretch + 20 ms
 *
 * With these, count + 1 messages take at least window - 20 ms, in whatever
 * window somebody counts them, and all but the stretch (2 %) of the allowance
 * can be used. Moments are told as waits, so clocks need not agree: a token
 * holds from the latest time that its moment may be, for a life counted from
 * the earliest.
 *
 * Pure; times are microseconds of the loop's clock.
 */
#ifndef WORKERS_LIMITS_RATES_H
#define WORKERS_LIMITS_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"
#include "workers/limits/share.h"

#define RATE_HORIZON_US 1000000u /* nobody reserves further ahead */
#define RATE_KEY_MS     60000u   /* an unused key lives so long, at least */

/* `count` moments, interval_us apart. */
struct rate_batch {
    uint64_t from_us;  /* the first one may be used from here ... */
    uint64_t until_us; /* ... to before this */
    uint64_t interval_us;
    uint32_t count; /* not yet used */
};

struct rate {
    struct conf_rate limit; /* count 0: none */
    struct rate_batch now;
    struct rate_batch next;
    uint64_t retry_us; /* not asked before this */
    uint64_t asked_us; /* when the question went out that is on its way */
    uint64_t known_us; /* when Redis answered last; 0: never */
    uint64_t turn_us;  /* our last moment of our own making */
    bool is_asking;
    bool is_alone; /* helps itself since the last answer */
};

bool rate_is_limited(const struct rate *rate);

/* Takes a token that holds now; else false, and *wait_us says when to try
 * again: 0 when that depends on an answer. */
bool rate_take(struct rate *rate, uint64_t now_us, uint64_t *wait_us);

/* Tokens on hand. */
uint32_t rate_tokens(const struct rate *rate, uint64_t now_us);

/* Whether Redis should be asked now: nothing is on hand, or half of a batch. */
bool rate_is_low(const struct rate *rate, uint64_t now_us);

/* The numbers of a request. */
uint64_t rate_interval_us(const struct rate *rate);
uint32_t rate_batch_count(const struct rate *rate);
uint64_t rate_key_ms(const struct rate *rate);
bool rate_key_is_due(const struct rate *rate, uint64_t now_us);
uint64_t rate_after_us(const struct rate *rate, const struct share *share);

void rate_ask(struct rate *rate, uint64_t now_us);

/* The answer: `count` moments, the first wait_us after Redis spoke; or none. */
void rate_hear(struct rate *rate, uint32_t count, uint64_t wait_us,
               uint64_t now_us);
void rate_miss(struct rate *rate);

/* One moment of our own making, when Redis cannot be asked. Workers take turns
 * by the wall clock, `utc_us`. The first turn comes when all that anybody may
 * have reserved before is over. */
void rate_help_oneself(struct rate *rate, const struct share *share,
                       uint64_t now_us, uint64_t utc_us);

#endif
