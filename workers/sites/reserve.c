/* reserve.c - one connection kept free for urgent mail. */
#include "workers/sites/reserve.h"

#include "common/base/attr.h"

void reserve_note(struct carrier *carrier)
{
    const struct passage *passage = carrier->passage;
    passage->berths->urgent_ms = passage_now_ms(passage);
}

/* Until when; 0: not at all. */
static uint64_t end_of(const struct carrier *carrier)
{
    const struct passage *passage = carrier->passage;
    const uint32_t slots = gate_slots(passage->gate);
    const uint64_t noted_ms = passage->berths->urgent_ms;
    if (noted_ms == 0 || slots == GATE_UNLIMITED || slots < RESERVE_SLOTS_MIN)
        return 0;
    return noted_ms + RESERVE_MS;
}

uint32_t reserve_slots(const struct carrier *carrier)
{
    return passage_now_ms(carrier->passage) < end_of(carrier) ? 1 : 0;
}

/* Connections of all lanes that carry a job or are made for one. */
static uint32_t count_used(const struct carrier *carrier)
{
    uint32_t used = 0;
    list_each (at, &carrier->passage->berths->lanes) {
        const struct carrier *each =
            container_of(at, struct berth, link)->carrier;
        used += each->lines.busy_count + each->lines.connecting_count;
    }
    return used;
}

bool reserve_holds(struct carrier *carrier)
{
    const uint32_t kept = reserve_slots(carrier);
    if (kept == 0
        || count_used(carrier) + kept < gate_slots(carrier->passage->gate))
        return false;
    carrier_run_later(carrier,
                      end_of(carrier) - passage_now_ms(carrier->passage));
    return true;
}
