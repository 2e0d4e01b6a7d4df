/* berths.c - how the lanes of one (source x site) part its slots. */
#include "workers/sites/berths.h"

#include "common/base/attr.h"
#include "common/base/mem.h"

static const struct berth *berth_of(struct list *link)
{
    return container_of(link, struct berth, link);
}

struct berths *berths_join(struct table *all, const struct gate *gate,
                           struct berth *berth)
{
    struct berths *berths = table_get(all, (uintptr_t)gate);
    if (!berths) {
        berths = NEW(struct berths);
        berths->gate = gate;
        list_init(&berths->lanes);
        table_put(all, (uintptr_t)gate, berths);
    }
    list_push_back(&berths->lanes, &berth->link);
    return berths;
}

void berths_leave(struct table *all, struct berths **berths,
                  struct berth *berth)
{
    struct berths *held = steal(*berths);
    list_remove(&berth->link);
    if (!list_is_empty(&held->lanes))
        return;
    (void)table_take(all, (uintptr_t)held->gate);
    mem_free(held);
}

static uint32_t least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

/* What a lane is sure of when each has this part. */
static uint32_t sure_of(const struct berth *berth, uint32_t part)
{
    return least(berth->want, berth->urgent > part ? berth->urgent : part);
}

/* What the others are sure of; and how many they are. */
static uint32_t others(const struct berths *berths, const struct berth *mine,
                       uint32_t part, uint32_t *count)
{
    uint32_t sum = 0;
    *count = 0;
    list_each (at, &berths->lanes) {
        const struct berth *berth = berth_of(at);
        if (berth == mine || berth->want == 0)
            continue;
        sum += sure_of(berth, part);
        (*count)++;
    }
    return sum;
}

/* What the other lanes with urgent mail are sure of. */
static uint32_t others_urgent(const struct berths *berths,
                              const struct berth *mine, uint32_t part)
{
    uint32_t sum = 0;
    list_each (at, &berths->lanes) {
        const struct berth *berth = berth_of(at);
        if (berth != mine && berth->urgent > 0)
            sum += least(berth->want, part);
    }
    return sum;
}

uint32_t berths_part(const struct berths *berths, const struct berth *berth,
                     uint32_t slots)
{
    uint32_t count = 0;
    (void)others(berths, berth, 0, &count);
    return slots / (count + 1);
}

bool berths_are_shared(const struct berths *berths, const struct berth *berth)
{
    uint32_t count = 0;
    (void)others(berths, berth, 0, &count);
    return count > 0;
}

/* Whether somebody else waits for a slot: for longer than `since_ms`. */
static bool is_awaited(const struct berths *berths, const struct berth *mine,
                       uint64_t since_ms)
{
    list_each (at, &berths->lanes) {
        const struct berth *berth = berth_of(at);
        if (berth != mine && berth->want > 0 && berth->lines == 0
            && berth->since_ms < since_ms)
            return true;
    }
    return false;
}

static uint32_t take_turns(const struct berths *berths,
                           const struct berth *mine, uint64_t now_ms)
{
    if (mine->urgent == 0 && others_urgent(berths, mine, 1) > 0)
        return 0;
    if (mine->lines == 0)
        return is_awaited(berths, mine, mine->since_ms) ? 0 : 1;
    bool is_over = now_ms >= mine->since_ms + BERTH_TURN_MS;
    return is_over && is_awaited(berths, mine, UINT64_MAX) ? 0 : 1;
}

bool berths_yield(struct berths *berths, enum wire_rank rank,
                  enum wire_rank other)
{
    if (other <= rank)
        return false;
    if (other == WIRE_RANK_URGENT)
        return true;
    berths->yielded = (berths->yielded + 1) % BERTH_YIELDS;
    return berths->yielded > 0;
}

bool berths_yield_token(struct berths *berths, const struct berth *berth,
                        enum wire_rank rank)
{
    enum wire_rank highest = WIRE_RANK_NORMAL;
    list_each (at, &berths->lanes) {
        const struct berth *other = berth_of(at);
        if (other != berth && other->wants_token && other->rank > highest)
            highest = other->rank;
    }
    return berths_yield(berths, rank, highest);
}

uint32_t berths_allow(const struct berths *berths, const struct berth *berth,
                      uint32_t slots, uint64_t now_ms)
{
    uint32_t count = 0;
    if (slots == GATE_UNLIMITED || slots == 0)
        return slots;
    const uint32_t part = berths_part(berths, berth, slots);
    if (part == 0)
        return take_turns(berths, berth, now_ms);
    const uint32_t rest =
        slots - least(slots, others(berths, berth, part, &count));
    if (berth->urgent <= rest)
        return rest;
    const uint32_t urgent_rest =
        slots - least(slots, others_urgent(berths, berth, part));
    return least(berth->urgent, urgent_rest);
}
