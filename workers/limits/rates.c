/* rates.c - one rate of one gate: moments at which a message may leave. */
#include "workers/limits/rates.h"

#define BATCH_US       100000u
#define BATCH_MAX      10000u
#define STRETCH_MAX_US 1000000u
#define STRETCH_PART   50u /* of a window: 2 % */
#define LIFE_MORE_US   20000u
#define LIFE_MIN_US    5000u /* however slowly the answer came */
#define RETRY_MIN_US   20000u

bool rate_is_limited(const struct rate *rate)
{
    return rate->limit.count > 0;
}

static uint64_t stretch_us(const struct rate *rate)
{
    uint64_t stretch = rate->limit.window_ms * 1000u / STRETCH_PART;
    return stretch < STRETCH_MAX_US ? stretch : STRETCH_MAX_US;
}

uint64_t rate_interval_us(const struct rate *rate)
{
    uint64_t window_us = rate->limit.window_ms * 1000u + stretch_us(rate);
    return (window_us + rate->limit.count - 1) / rate->limit.count;
}

uint32_t rate_batch_count(const struct rate *rate)
{
    uint64_t interval_us = rate_interval_us(rate);
    uint64_t count = interval_us > 0 ? BATCH_US / interval_us : BATCH_MAX;
    if (count < 1)
        return 1;
    return count < BATCH_MAX ? (uint32_t)count : BATCH_MAX;
}

uint64_t rate_key_ms(const struct rate *rate)
{
    return RATE_KEY_MS + RATE_HORIZON_US / 1000u
           + rate_batch_count(rate) * rate_interval_us(rate) / 1000u;
}

bool rate_key_is_due(const struct rate *rate, uint64_t now_us)
{
    return rate->known_us > 0
           && now_us - rate->known_us < (uint64_t)RATE_KEY_MS * 1000u;
}

/* Behind the turns that others may still have of their own making. */
uint64_t rate_after_us(const struct rate *rate, const struct share *share)
{
    return rate->is_alone ? share_interval_us(share, rate_interval_us(rate))
                          : 0;
}

static void drop(struct rate_batch *batch, uint32_t count)
{
    batch->count -= count;
    batch->from_us += count * batch->interval_us;
    batch->until_us += count * batch->interval_us;
}

/* Tokens whose life is over. */
static uint32_t late_count(const struct rate_batch *batch, uint64_t now_us)
{
    if (batch->count == 0 || now_us < batch->until_us)
        return 0;
    uint64_t late = (now_us - batch->until_us) / batch->interval_us + 1;
    return late < batch->count ? (uint32_t)late : batch->count;
}

static void drop_late(struct rate *rate, uint64_t now_us)
{
    drop(&rate->now, late_count(&rate->now, now_us));
    if (rate->now.count > 0)
        return;
    rate->now = rate->next;
    rate->next.count = 0;
    drop(&rate->now, late_count(&rate->now, now_us));
}

bool rate_take(struct rate *rate, uint64_t now_us, uint64_t *wait_us)
{
    drop_late(rate, now_us);
    *wait_us = 0;
    if (rate->now.count == 0) {
        *wait_us = now_us < rate->retry_us ? rate->retry_us - now_us : 0;
        return false;
    }
    if (now_us < rate->now.from_us) {
        *wait_us = rate->now.from_us - now_us;
        return false;
    }
    drop(&rate->now, 1);
    return true;
}

uint32_t rate_tokens(const struct rate *rate, uint64_t now_us)
{
    return rate->now.count - late_count(&rate->now, now_us) + rate->next.count
           - late_count(&rate->next, now_us);
}

bool rate_is_low(const struct rate *rate, uint64_t now_us)
{
    return !rate->is_asking && rate->next.count == 0 && now_us >= rate->retry_us
           && rate_tokens(rate, now_us) <= rate_batch_count(rate) / 2;
}

void rate_ask(struct rate *rate, uint64_t now_us)
{
    rate->is_asking = true;
    rate->asked_us = now_us;
}

static void add_batch(struct rate *rate, const struct rate_batch *batch)
{
    struct rate_batch *place = rate->now.count > 0 ? &rate->next : &rate->now;
    *place = *batch;
}

void rate_hear(struct rate *rate, uint32_t count, uint64_t wait_us,
               uint64_t now_us)
{
    rate->is_asking = false;
    rate->is_alone = false;
    rate->known_us = now_us;
    if (count == 0) {
        rate->retry_us =
            now_us + (wait_us > RETRY_MIN_US ? wait_us : RETRY_MIN_US);
        return;
    }
    struct rate_batch batch = {
        .from_us = now_us + wait_us,
        .until_us = rate->asked_us + wait_us + stretch_us(rate) + LIFE_MORE_US,
        .interval_us = rate_interval_us(rate),
        .count = count,
    };
    if (batch.until_us < batch.from_us + LIFE_MIN_US)
        batch.until_us = batch.from_us + LIFE_MIN_US;
    add_batch(rate, &batch);
}

void rate_miss(struct rate *rate)
{
    rate->is_asking = false;
}

void rate_help_oneself(struct rate *rate, const struct share *share,
                       uint64_t now_us, uint64_t utc_us)
{
    uint64_t interval_us = rate_interval_us(rate);
    uint64_t cycle_us = share_interval_us(share, interval_us);
    uint64_t earliest_us = now_us;
    if (!rate->is_alone && rate->known_us > 0)
        earliest_us += RATE_HORIZON_US + rate_batch_count(rate) * interval_us;
    /* Not the turn that was just used, also when our place has changed. */
    if (earliest_us < rate->turn_us + cycle_us / 2)
        earliest_us = rate->turn_us + cycle_us / 2;
    rate->is_alone = true;
    uint64_t turn_us = share_turn_us(share, interval_us);
    uint64_t phase_us = (utc_us + (earliest_us - now_us)) % cycle_us;
    struct rate_batch batch = {
        .from_us = earliest_us + (turn_us + cycle_us - phase_us) % cycle_us,
        .interval_us = cycle_us,
        .count = 1,
    };
    batch.until_us = batch.from_us + stretch_us(rate) + LIFE_MORE_US;
    rate->turn_us = batch.from_us;
    add_batch(rate, &batch);
}
