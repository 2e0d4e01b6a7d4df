/* allowance.c - how much may pass in any span of time, where several share. */
#include "classifier/guard/allowance.h"

#define SHARES 4u /* of a cap */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t minus(uint32_t a, uint32_t b)
{
    return a > b ? a - b : 0;
}

void allowance_rule_at(struct allowance_rule *rule, uint64_t now_ms)
{
    for (unsigned i = 0; i < ALLOWANCE_SPANS; i++)
        rule->slice[i] = rule->span_ms[i] == 0
                             ? 0
                             : (uint32_t)(now_ms * (ALLOWANCE_SLICES - 1)
                                          / rule->span_ms[i]);
}

/* Slices count from the newest back. */
static uint32_t sum_at(const struct allowance_span *span, uint32_t slice)
{
    uint32_t sum = span->sum;
    const uint32_t gone = least(minus(slice, span->slice), ALLOWANCE_SLICES);
    for (uint32_t i = 0; i < gone; i++)
        sum -= span->used[(span->slice + 1 + i) % ALLOWANCE_SLICES];
    return sum;
}

static void advance(struct allowance_span *span, uint32_t slice)
{
    const uint32_t gone = least(minus(slice, span->slice), ALLOWANCE_SLICES);
    span->sum = sum_at(span, slice);
    for (uint32_t i = 0; i < gone; i++)
        span->used[(span->slice + 1 + i) % ALLOWANCE_SLICES] = 0;
    if (slice > span->slice)
        span->slice = slice;
}

static uint32_t reserve_of(const struct allowance_rule *rule, unsigned span)
{
    return rule->cap[span] / (SHARES * rule->routers);
}

/* What is left of a cap, and of it by right. */
struct room {
    uint32_t cap;
    uint32_t reserve;
};

static struct room room_of(const struct allowance *allowance,
                           const struct allowance_rule *rule)
{
    struct room room = { UINT32_MAX, UINT32_MAX };
    for (unsigned i = 0; i < ALLOWANCE_SPANS; i++) {
        if (rule->span_ms[i] == 0)
            continue;
        uint32_t cap =
            rule->is_alone ? rule->cap[i] / rule->routers : rule->cap[i];
        uint32_t sum = sum_at(&allowance->spans[i], rule->slice[i]);
        room.cap = least(room.cap, minus(cap, sum));
        room.reserve = least(room.reserve, minus(reserve_of(rule, i), sum));
    }
    return room;
}

static uint32_t share_at(const struct allowance *allowance,
                         const struct allowance_rule *rule)
{
    return rule->slice[0] <= allowance->share_slice + 1 ? allowance->share : 0;
}

uint32_t allowance_used(const struct allowance *allowance,
                        const struct allowance_rule *rule, unsigned span)
{
    return sum_at(&allowance->spans[span], rule->slice[span]);
}

uint32_t allowance_left(const struct allowance *allowance,
                        const struct allowance_rule *rule)
{
    const struct room room = room_of(allowance, rule);
    if (rule->is_alone)
        return room.cap;
    return least(room.cap, room.reserve + share_at(allowance, rule));
}

bool allowance_take(struct allowance *allowance,
                    const struct allowance_rule *rule, uint32_t count)
{
    const struct room room = room_of(allowance, rule);
    const uint32_t share = share_at(allowance, rule);
    if (count > allowance_left(allowance, rule))
        return false;
    allowance->share =
        rule->is_alone ? share : share - minus(count, room.reserve);
    for (unsigned i = 0; i < ALLOWANCE_SPANS; i++) {
        if (rule->span_ms[i] == 0)
            continue;
        struct allowance_span *span = &allowance->spans[i];
        advance(span, rule->slice[i]);
        span->used[span->slice % ALLOWANCE_SLICES] += count;
        span->sum += count;
    }
    return true;
}

/* The smallest cap tells how large shares are. */
static uint32_t share_size(const struct allowance_rule *rule)
{
    uint32_t cap = UINT32_MAX;
    for (unsigned i = 0; i < ALLOWANCE_SPANS; i++)
        if (rule->span_ms[i] > 0)
            cap = least(cap, rule->cap[i]);
    return cap < SHARES ? cap : cap / SHARES;
}

uint32_t allowance_wish(const struct allowance *allowance,
                        const struct allowance_rule *rule)
{
    const struct room room = room_of(allowance, rule);
    const uint32_t size = share_size(rule);
    const uint32_t left = room.reserve + share_at(allowance, rule);
    if (rule->is_alone || left > size / 2 || left >= room.cap)
        return 0;
    return least(size, room.cap - left);
}

void allowance_grant(struct allowance *allowance,
                     const struct allowance_rule *rule, uint32_t count)
{
    const uint32_t slice = rule->slice[0];
    /* What is left of an older one is lost: it must not become younger. */
    allowance->share =
        (slice == allowance->share_slice ? allowance->share : 0) + count;
    allowance->share_slice = slice;
}

uint32_t allowance_stock(const struct allowance_rule *rule, unsigned span)
{
    return rule->cap[span] - reserve_of(rule, span) * rule->routers;
}
