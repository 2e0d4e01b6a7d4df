/*
 * rates.h - one rate of one gate: moments at which a message may leave.
 *
 * Redis hands out moments at even distances (GCRA), each to one worker
 * (script_reserve). They lie on RATE_TRACKS tracks in turn, and what a worker
 * gets is a run: the next moments of some tracks.
 *
 *     interval = (window + stretch) / count      life = stretch + 20 ms
 *
 * A token is one moment: it holds from then on for its life, and is lost when it
 * was not used. With these, count + 1 messages take at least window - 20 ms, in
 * whatever window somebody counts them, and all but the stretch (2 %) of the
 * allowance can be used. Clocks need not agree (server_clock.h): a token holds
 * from the latest time that its moment may be, for a life counted from the
 * earliest.
 *
 * A run is worth 100 ms of the rate. Where that is few tokens, and one message
 * after the other has waited for its token for 5 s, it is RATE_RUN tokens, so
 * that a message costs a tenth of a round trip; spread over the tracks, so that
 * all who wait get theirs in turn. When a token finds no message, the others are
 * handed back. So who has little mail reserves nothing ahead: it goes at once.
 *
 * Pure; times are microseconds of the loop's clock.
 */
#ifndef WORKERS_LIMITS_RATES_H
#define WORKERS_LIMITS_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "workers/limits/server_clock.h"
#include "workers/limits/share.h"

#define RATE_TRACKS   16u       /* as script_reserve has it */
#define RATE_RUN      16u       /* tokens */
#define RATE_REACH_US 10000000u /* nobody reserves further ahead */
#define RATE_KEY_MS   60000u    /* an unused key lives so long, at least */
#define RATE_STRANDS  32u       /* a run, and the one before it */

#define RATE_REQUEST_SIZE 160 /* nine numbers, five of 20 digits, and a NUL */

/* `count` moments of one track. */
struct rate_strand {
    uint64_t from_us;  /* the first one may be used from here ... */
    uint64_t until_us; /* ... to before this */
    uint32_t count;    /* not yet used */
    bool is_own;       /* of our own making: no word of it in Redis */
};

struct rate {
    struct conf_rate limit; /* count 0: none */
    struct rate_strand strands[RATE_STRANDS];
    uint64_t busy_since_us; /* messages wait, one after the other; 0: not so */
    uint64_t taken_us;      /* the last token */
    bool is_waiting;        /* a message is */
    bool has_surplus;       /* tokens to be handed back */
    uint64_t retry_us;      /* not asked before this */
    uint64_t known_us;      /* when Redis answered last; 0: never */
    uint64_t turn_us;       /* our last moment of our own making */
    uint64_t lost_us;       /* since when Redis cannot be asked; 0: it can */
    bool is_asking;
    bool is_void;  /* the answer on its way is for other limits */
    bool is_alone; /* helps itself since the last answer */
};

bool rate_is_limited(const struct rate *rate);

/* Other limits than before: nothing of what was got holds. */
void rate_set(struct rate *rate, const struct conf_rate *limit);

/* Takes a token that holds now; else false, and *wait_us says when to try
 * again: 0 when that depends on an answer. */
bool rate_take(struct rate *rate, uint64_t now_us, uint64_t *wait_us);

/* Tokens on hand, and those of them that hold within 100 ms. */
uint32_t rate_tokens(const struct rate *rate, uint64_t now_us);
uint32_t rate_tokens_soon(const struct rate *rate, uint64_t now_us);

/* Whether Redis should be asked now: nothing is on hand for a message that is
 * there, a run ends soon, or tokens are to be handed back. */
bool rate_is_low(const struct rate *rate, uint64_t now_us);

/* Writes the request, as script_reserve reads it. */
void rate_ask(struct rate *rate, const struct share *share, uint64_t now_us,
              char text[RATE_REQUEST_SIZE]);

/* One run of the answer: `count` moments of a track, and its first. */
void rate_hear(struct rate *rate, uint32_t count, const struct moment *first,
               uint64_t now_us);

/* The answer is that all moments are taken; ask again then. */
void rate_wait(struct rate *rate, uint64_t wait_us, uint64_t now_us);
void rate_miss(struct rate *rate);

/* Redis cannot be asked. */
void rate_lose(struct rate *rate, uint64_t now_us);

/* Whether tokens are on hand that no message came for, to be handed back. */
bool rate_is_idle(struct rate *rate, uint64_t now_us);

/* One moment of our own making, when Redis cannot be asked. Workers take turns
 * by the wall clock, `utc_us`. The first turn comes when all that anybody may
 * have reserved before is over. */
void rate_help_oneself(struct rate *rate, const struct share *share,
                       uint64_t now_us, uint64_t utc_us);

#endif
