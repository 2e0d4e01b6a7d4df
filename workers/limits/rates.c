/* rates.c - one rate of one gate: moments at which a message may leave. */
#include "workers/limits/rates.h"

#include <inttypes.h>
#include <stdio.h>

#define RUN_US         100000u
#define RUN_MAX        10000u
#define PREFETCH_US    2000000u /* longer than an answer takes when all is slow */
#define STRETCH_MAX_US 1000000u
#define STRETCH_PART   50u /* of a window: 2 % */
#define LIFE_MORE_US   20000u
#define LIFE_MIN_US    5000u /* however slowly the answer came */
#define RETRY_MIN_US   20000u
#define ALONE_US       500000u /* Redis may be back */
#define BUSY_US        5000000u
#define PAUSE_US       100000u /* longer than the next job is on its way */

_Static_assert(RATE_STRANDS >= 2 * RATE_TRACKS, "two runs have room");

bool rate_is_limited(const struct rate *rate)
{
    return rate->limit.count > 0;
}

static uint64_t stretch_us(const struct rate *rate)
{
    uint64_t stretch = rate->limit.window_ms * 1000u / STRETCH_PART;
    return stretch < STRETCH_MAX_US ? stretch : STRETCH_MAX_US;
}

static uint64_t life_us(const struct rate *rate)
{
    return stretch_us(rate) + LIFE_MORE_US;
}

static uint64_t interval_of(const struct rate *rate)
{
    uint64_t window_us = rate->limit.window_ms * 1000u + stretch_us(rate);
    uint64_t interval_us =
        (window_us + rate->limit.count - 1) / rate->limit.count;
    return interval_us > 0 ? interval_us : 1;
}

static uint64_t track_us(const struct rate *rate)
{
    return RATE_TRACKS * interval_of(rate);
}

static uint32_t run_min(const struct rate *rate)
{
    uint64_t count = RUN_US / interval_of(rate);
    if (count < 1)
        return 1;
    return count < RUN_MAX ? (uint32_t)count : RUN_MAX;
}

/* Whether runs grow; long ones anyway follow each other. */
static bool is_spread(const struct rate *rate)
{
    return run_min(rate) < RATE_RUN;
}

static uint32_t run_at(const struct rate *rate, uint64_t now_us)
{
    const bool is_busy =
        rate->busy_since_us > 0 && now_us - rate->busy_since_us >= BUSY_US;
    return is_spread(rate) && is_busy ? RATE_RUN : run_min(rate);
}

static uint64_t key_ms(const struct rate *rate)
{
    return RATE_KEY_MS + (RATE_REACH_US + track_us(rate)) / 1000u;
}

/* When all that was reserved before Redis was lost is over. */
static uint64_t over_us(const struct rate *rate)
{
    return rate->lost_us + RATE_REACH_US + interval_of(rate);
}

/* Whether a key that is not there has taken moments to come with it. */
static bool key_is_due(const struct rate *rate, uint64_t now_us)
{
    if (rate->lost_us > 0 && now_us >= over_us(rate))
        return false;
    return rate->known_us > 0
           && now_us - rate->known_us < (uint64_t)RATE_KEY_MS * 1000u;
}

/* Behind the turns that others may still have of their own making. */
static uint64_t after_us(const struct rate *rate, const struct share *share)
{
    const uint64_t interval_us = interval_of(rate);
    return rate->is_alone ? share_interval_us(share, interval_us) + interval_us
                          : 0;
}

static void drop_all(struct rate *rate)
{
    for (size_t i = 0; i < RATE_STRANDS; i++)
        rate->strands[i].count = 0;
}

void rate_set(struct rate *rate, const struct conf_rate *limit)
{
    if (rate->limit.count == limit->count
        && rate->limit.window_ms == limit->window_ms)
        return;
    rate->limit = *limit;
    rate->is_void = rate->is_asking;
    drop_all(rate);
}

static void drop(struct rate_strand *strand, uint32_t count, uint64_t step_us)
{
    strand->count -= count;
    strand->from_us += count * step_us;
    strand->until_us += count * step_us;
}

/* How many of so many moments, the first at `first_us`, are not after `at_us`. */
static uint32_t past_count(uint64_t first_us, uint32_t count, uint64_t at_us,
                           uint64_t step_us)
{
    if (count == 0 || at_us < first_us)
        return 0;
    const uint64_t past = (at_us - first_us) / step_us + 1;
    return past < count ? (uint32_t)past : count;
}

/* Tokens whose life is over. */
static uint32_t late_count(const struct rate_strand *strand, uint64_t now_us,
                           uint64_t step_us)
{
    return past_count(strand->until_us, strand->count, now_us, step_us);
}

static void note_idle(struct rate *rate)
{
    rate->busy_since_us = 0;
    rate->has_surplus = is_spread(rate);
}

static void note_wait(struct rate *rate, uint64_t now_us)
{
    const bool is_new = !rate->is_waiting && now_us - rate->taken_us > PAUSE_US;
    if (is_new || rate->busy_since_us == 0)
        rate->busy_since_us = now_us;
    rate->is_waiting = true;
}

/* One may be lost by a late turn of the loop; more, and who waited is gone. */
static void drop_late(struct rate *rate, uint64_t now_us)
{
    const uint64_t step_us = track_us(rate);
    uint32_t lost = 0;
    for (size_t i = 0; i < RATE_STRANDS; i++) {
        uint32_t late = late_count(&rate->strands[i], now_us, step_us);
        drop(&rate->strands[i], late, step_us);
        lost += late;
    }
    rate->is_waiting &= lost <= 1;
    if (lost > 0 && !rate->is_waiting)
        note_idle(rate);
}

/* The one whose next moment comes first; NULL: none. */
static struct rate_strand *next_strand(struct rate *rate)
{
    struct rate_strand *next = NULL;
    for (size_t i = 0; i < RATE_STRANDS; i++) {
        struct rate_strand *strand = &rate->strands[i];
        if (strand->count > 0 && (!next || strand->from_us < next->from_us))
            next = strand;
    }
    return next;
}

bool rate_take(struct rate *rate, uint64_t now_us, uint64_t *wait_us)
{
    drop_late(rate, now_us);
    struct rate_strand *next = next_strand(rate);
    *wait_us = 0;
    if (!next || now_us < next->from_us) {
        const uint64_t at_us = next ? next->from_us : rate->retry_us;
        if (at_us > now_us)
            *wait_us = at_us - now_us;
        if (rate->is_alone && *wait_us > ALONE_US)
            *wait_us = ALONE_US;
        note_wait(rate, now_us);
        return false;
    }
    drop(next, 1, track_us(rate));
    if (!rate->is_waiting)
        note_idle(rate);
    rate->is_waiting = false;
    rate->taken_us = now_us;
    return true;
}

uint32_t rate_tokens(const struct rate *rate, uint64_t now_us)
{
    const uint64_t step_us = track_us(rate);
    uint32_t tokens = 0;
    for (size_t i = 0; i < RATE_STRANDS; i++)
        tokens += rate->strands[i].count
                  - late_count(&rate->strands[i], now_us, step_us);
    return tokens;
}

/* Those that hold at some time until then. */
static uint32_t tokens_within(const struct rate *rate, uint64_t now_us,
                              uint64_t wait_us)
{
    const uint64_t step_us = track_us(rate);
    uint32_t tokens = 0;
    for (size_t i = 0; i < RATE_STRANDS; i++) {
        const struct rate_strand *strand = &rate->strands[i];
        tokens += past_count(strand->from_us, strand->count, now_us + wait_us,
                             step_us)
                  - late_count(strand, now_us, step_us);
    }
    return tokens;
}

uint32_t rate_tokens_soon(const struct rate *rate, uint64_t now_us)
{
    return tokens_within(rate, now_us, RUN_US);
}

static bool is_surplus(const struct rate *rate, uint64_t now_us)
{
    return rate->has_surplus
           && rate_tokens(rate, now_us) > run_at(rate, now_us);
}

bool rate_is_idle(struct rate *rate, uint64_t now_us)
{
    drop_late(rate, now_us);
    return !rate->is_asking && is_surplus(rate, now_us);
}

bool rate_is_low(const struct rate *rate, uint64_t now_us)
{
    if (rate->is_asking || now_us < rate->retry_us)
        return false;
    const uint32_t tokens = rate_tokens(rate, now_us);
    const uint32_t run = run_at(rate, now_us);
    if (tokens == 0)
        return rate->is_waiting || run > 1;
    return rate->is_alone || is_surplus(rate, now_us)
           || (tokens <= run / 2
               && tokens_within(rate, now_us, PREFETCH_US) == tokens);
}

/* How far ahead tokens are on hand that Redis knows of. */
static uint64_t held_us(const struct rate *rate, uint64_t now_us)
{
    uint64_t end_us = now_us;
    for (size_t i = 0; i < RATE_STRANDS; i++) {
        const struct rate_strand *strand = &rate->strands[i];
        if (strand->count == 0 || strand->is_own)
            continue;
        uint64_t last_us =
            strand->from_us + (strand->count - 1) * track_us(rate);
        end_us = last_us > end_us ? last_us : end_us;
    }
    return end_us - now_us;
}

void rate_ask(struct rate *rate, const struct share *share, uint64_t now_us,
              char text[RATE_REQUEST_SIZE])
{
    if (rate->has_surplus)
        drop_all(rate);
    const uint32_t run = run_at(rate, now_us);
    const uint32_t count = rate->is_waiting || run > 1 ? run : 0;
    rate->is_asking = true;
    rate->is_void = false;
    (void)snprintf(
        text, RATE_REQUEST_SIZE,
        "%" PRIu64 " %u %d %" PRIu64 " %d %u %" PRIu64 " %d %" PRIu64,
        interval_of(rate), count, is_spread(rate), held_us(rate, now_us),
        rate->has_surplus, RATE_REACH_US, key_ms(rate),
        key_is_due(rate, now_us), after_us(rate, share));
    rate->has_surplus = false;
}

/* More than there is place for are lost. */
static void add_strand(struct rate *rate, const struct rate_strand *strand)
{
    for (size_t i = 0; i < RATE_STRANDS; i++) {
        if (rate->strands[i].count > 0)
            continue;
        rate->strands[i] = *strand;
        return;
    }
}

/* Redis is back, and gives their time to others. */
static void drop_own(struct rate *rate, uint64_t now_us)
{
    for (size_t i = 0; i < RATE_STRANDS; i++)
        if (rate->strands[i].is_own && rate->strands[i].from_us > now_us)
            rate->strands[i].count = 0;
}

static void note_answer(struct rate *rate, uint64_t now_us)
{
    drop_own(rate, now_us);
    rate->is_asking = false;
    rate->is_alone = false;
    rate->lost_us = 0;
    rate->known_us = now_us;
}

void rate_hear(struct rate *rate, uint32_t count, const struct moment *first,
               uint64_t now_us)
{
    note_answer(rate, now_us);
    if (rate->is_void)
        return;
    struct rate_strand strand = {
        .from_us = first->latest_us,
        .until_us = first->earliest_us + life_us(rate),
        .count = count,
    };
    if (strand.until_us < strand.from_us + LIFE_MIN_US)
        strand.until_us = strand.from_us + LIFE_MIN_US;
    add_strand(rate, &strand);
}

void rate_wait(struct rate *rate, uint64_t wait_us, uint64_t now_us)
{
    note_answer(rate, now_us);
    if (!rate->is_void)
        rate->retry_us =
            now_us + (wait_us > RETRY_MIN_US ? wait_us : RETRY_MIN_US);
}

void rate_miss(struct rate *rate)
{
    rate->is_asking = false;
}

void rate_lose(struct rate *rate, uint64_t now_us)
{
    if (rate->lost_us == 0)
        rate->lost_us = now_us;
}

void rate_help_oneself(struct rate *rate, const struct share *share,
                       uint64_t now_us, uint64_t utc_us)
{
    uint64_t interval_us = interval_of(rate);
    uint64_t cycle_us = share_interval_us(share, interval_us);
    uint64_t earliest_us = now_us;
    rate_lose(rate, now_us);
    if (rate->known_us > 0 && earliest_us < over_us(rate))
        earliest_us = over_us(rate);
    /* Not the turn that was just used, also when our place has changed. */
    if (earliest_us < rate->turn_us + cycle_us / 2)
        earliest_us = rate->turn_us + cycle_us / 2;
    rate->is_alone = true;
    uint64_t turn_us = share_turn_us(share, interval_us);
    uint64_t phase_us = (utc_us + (earliest_us - now_us)) % cycle_us;
    struct rate_strand strand = {
        .from_us = earliest_us + (turn_us + cycle_us - phase_us) % cycle_us,
        .count = 1,
        .is_own = true,
    };
    strand.until_us = strand.from_us + life_us(rate);
    rate->turn_us = strand.from_us;
    add_strand(rate, &strand);
}
