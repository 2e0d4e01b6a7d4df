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

static uint32_t slice_at(uint64_t now_ms, uint32_t slice_ms)
{
    return (uint32_t)(now_ms / slice_ms);
}

void allowance_rule_at(struct allowance_rule *rule, uint64_t now_ms)
{
    for (unsigned i = 0; i < ALLOWANCE_SPANS; i++) {
        if (rule->span_ms[i] == 0)
            continue;
        rule->slice_ms[i] =
            (uint32_t)(rule->span_ms[i] / (ALLOWANCE_SLICES - 1));
        rule->slice[i] = slice_at(now_ms, rule->slice_ms[i]);
    }
}

uint32_t allowance_sum(const struct allowance_span *span)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < ALLOWANCE_SLICES; i++)
        sum += span->used[i];
    return sum;
}

/* All that is counted, in one slice. */
static struct allowance_span gathered(uint32_t sum, uint32_t slice_ms,
                                      uint32_t slice)
{
    struct allowance_span span = { .slice_ms = slice_ms, .slice = slice };
    span.used[slice % ALLOWANCE_SLICES] = sum;
    return span;
}

/* In slices of another length, none of it younger than it may be. */
static struct allowance_span in_slices_of(const struct allowance_span *span,
                                          uint32_t slice_ms)
{
    if (span->slice_ms == slice_ms)
        return *span;
    const uint64_t end_ms = ((uint64_t)span->slice + 1) * span->slice_ms;
    return gathered(allowance_sum(span), slice_ms,
                    end_ms == 0 ? 0 : slice_at(end_ms - 1, slice_ms));
}

/* As of a slice. */
static struct allowance_span span_at(const struct allowance_span *span,
                                     uint32_t slice_ms, uint32_t slice)
{
    struct allowance_span now = in_slices_of(span, slice_ms);
    const uint32_t gone = least(minus(slice, now.slice), ALLOWANCE_SLICES);
    for (uint32_t i = 0; i < gone; i++)
        now.used[(now.slice + 1 + i) % ALLOWANCE_SLICES] = 0;
    if (slice > now.slice)
        now.slice = slice;
    return now;
}

/* As span_at() counts, for each message. */
static uint32_t sum_at(const struct allowance *allowance,
                       const struct allowance_rule *rule, unsigned i)
{
    const struct allowance_span *span = &allowance->spans[i];
    if (span->slice_ms == 0)
        return 0;
    if (span->slice_ms == rule->slice_ms[i] && rule->slice[i] <= span->slice)
        return allowance_sum(span);
    const struct allowance_span now =
        span_at(span, rule->slice_ms[i], rule->slice[i]);
    return allowance_sum(&now);
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
        uint32_t sum = sum_at(allowance, rule, i);
        room.cap = least(room.cap, minus(cap, sum));
        room.reserve = least(room.reserve, minus(reserve_of(rule, i), sum));
    }
    return room;
}

static uint32_t share_at(const struct allowance *allowance,
                         const struct allowance_rule *rule)
{
    return rule->slice_ms[0] == allowance->spans[0].slice_ms
                   && rule->slice[0] <= allowance->share_slice + 1
               ? allowance->share
               : 0;
}

uint32_t allowance_used(const struct allowance *allowance,
                        const struct allowance_rule *rule, unsigned span)
{
    return sum_at(allowance, rule, span);
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
        *span = span_at(span, rule->slice_ms[i], rule->slice[i]);
        span->used[span->slice % ALLOWANCE_SLICES] += count;
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
    const uint32_t before =
        slice == allowance->share_slice ? share_at(allowance, rule) : 0;
    allowance->spans[0] = in_slices_of(&allowance->spans[0], rule->slice_ms[0]);
    allowance->share = before + count;
    allowance->share_slice = slice;
}

/* ---- copies ------------------------------------------------------------ */

/* As of now; what is of a later time, by a clock that was wrong, is of now. */
static struct allowance_span span_now(const struct allowance_span *span,
                                      uint64_t now_ms)
{
    if (span->slice_ms == 0)
        return *span;
    const uint32_t slice = slice_at(now_ms, span->slice_ms);
    if (span->slice > slice)
        return gathered(allowance_sum(span), span->slice_ms, slice);
    return span_at(span, span->slice_ms, slice);
}

bool allowance_is_idle(const struct allowance *allowance, uint64_t now_ms)
{
    for (unsigned i = 0; i < ALLOWANCE_SPANS; i++) {
        const struct allowance_span span =
            span_now(&allowance->spans[i], now_ms);
        if (allowance_sum(&span) > 0)
            return false;
    }
    return true;
}

typedef uint32_t combine_fn(uint32_t a, uint32_t b);

static uint32_t greater(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t plus(uint32_t a, uint32_t b)
{
    return a + b;
}

/* Slice by slice. */
static void combine(struct allowance *allowance, const struct allowance *other,
                    uint64_t now_ms, combine_fn *fn)
{
    for (unsigned i = 0; i < ALLOWANCE_SPANS; i++) {
        struct allowance_span *span = &allowance->spans[i];
        struct allowance_span add = span_now(&other->spans[i], now_ms);
        *span = span_now(span, now_ms);
        if (add.slice_ms == 0)
            continue;
        if (span->slice_ms == 0)
            *span = gathered(0, add.slice_ms, add.slice);
        add = in_slices_of(&add, span->slice_ms);
        add = span_now(&add, now_ms);
        for (unsigned k = 0; k < ALLOWANCE_SLICES; k++)
            span->used[k] = fn(span->used[k], add.used[k]);
    }
}

void allowance_recall(struct allowance *allowance, const struct allowance *copy,
                      uint64_t now_ms)
{
    combine(allowance, copy, now_ms, greater);
}

void allowance_add(struct allowance *allowance, const struct allowance *other,
                   uint64_t now_ms)
{
    combine(allowance, other, now_ms, plus);
}

uint32_t allowance_stock(const struct allowance_rule *rule, unsigned span)
{
    return rule->cap[span] - reserve_of(rule, span) * rule->routers;
}
