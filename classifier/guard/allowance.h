/*
 * allowance.h - how much may pass in any span of time, where several share.
 *
 * A cap counts for every stretch of `span_ms`, wherever it begins: what passed
 * is kept by slices of a sixth of the span, and the sum is over the slice that
 * runs and the six before it. There may be two spans with a cap each (an hour
 * and a day); both must have room.
 *
 * Several routers share a cap without asking each time. A quarter of it is
 * theirs by right, in equal parts: the reserve. The rest is one stock, kept
 * where all can reach it, and given out in shares of a quarter of the cap. So
 * whatever is passed anywhere:
 *
 *     reserves  routers x cap/4/routers  +  stock  3/4 cap  <=  cap
 *
 * A share is good for the slice in which it came and the next; the stock counts
 * what it gave for ALLOWANCE_STOCK_SLICES, so that a share used late still counts.
 * Who cannot reach the stock is_alone, and takes cap/routers.
 *
 * A span may become another, by a reload: what was counted until then counts as
 * of the newest slice, all of it, so that it is never forgotten too soon.
 *
 * Pure. A rule is made for one moment, allowance_rule_at(); times are UTC, and a
 * clock that steps back counts into the newest slice.
 */
#ifndef CLASSIFIER_GUARD_ALLOWANCE_H
#define CLASSIFIER_GUARD_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

#define ALLOWANCE_SLICES       7u /* that run or ran within a span */
#define ALLOWANCE_STOCK_SLICES (ALLOWANCE_SLICES + 2)
#define ALLOWANCE_SPANS        2u

struct allowance_span {
    uint32_t slice_ms; /* how long one is; 0: nothing was ever counted */
    uint32_t slice;    /* number of the newest, since 1970 */
    uint32_t used[ALLOWANCE_SLICES];
};

struct allowance {
    struct allowance_span spans[ALLOWANCE_SPANS];
    uint32_t share; /* of the stock, not used yet */
    uint32_t share_slice;
};

struct allowance_rule {
    uint64_t span_ms[ALLOWANCE_SPANS]; /* 0: there is no such span */
    uint32_t cap[ALLOWANCE_SPANS];
    /* By allowance_rule_at(): a slice's length, and the one that runs. */
    uint32_t slice_ms[ALLOWANCE_SPANS];
    uint32_t slice[ALLOWANCE_SPANS];
    uint32_t routers; /* that share, at least 1 */
    bool is_alone;
};

void allowance_rule_at(struct allowance_rule *rule, uint64_t now_ms);

/* What passed in a span, up to now. */
uint32_t allowance_used(const struct allowance *allowance,
                        const struct allowance_rule *rule, unsigned span);

/* What may pass now without asking. */
uint32_t allowance_left(const struct allowance *allowance,
                        const struct allowance_rule *rule);

/* False, and nothing is taken: not so much is left. */
bool allowance_take(struct allowance *allowance,
                    const struct allowance_rule *rule, uint32_t count);

/* How much to ask the stock for: 0 as long as half a share is left, or when
 * the cap is used up. */
uint32_t allowance_wish(const struct allowance *allowance,
                        const struct allowance_rule *rule);

/* The stock gave a share; `rule` as of when it was asked. */
void allowance_grant(struct allowance *allowance,
                     const struct allowance_rule *rule, uint32_t count);

/* What a span counts, as of its newest slice. */
uint32_t allowance_sum(const struct allowance_span *span);

/* Is nothing left of it that still counts? */
bool allowance_is_idle(const struct allowance *allowance, uint64_t now_ms);

/* `copy` is the same allowance as it was at some moment, kept over a restart:
 * in each slice the higher count holds. Shares are not taken over. */
void allowance_recall(struct allowance *allowance, const struct allowance *copy,
                      uint64_t now_ms);

/* `other` was another, and is one with it from now on. */
void allowance_add(struct allowance *allowance, const struct allowance *other,
                   uint64_t now_ms);

/* What the stock may give out in a span of this cap. */
uint32_t allowance_stock(const struct allowance_rule *rule, unsigned span);

#endif
