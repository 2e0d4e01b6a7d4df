/* slots.c - the connection slots of one gate. */
#include "workers/limits/slots.h"

#include <stdio.h>

#include "workers/limits/gate.h"

bool slots_are_limited(const struct slots *slots)
{
    return slots->limit != GATE_UNLIMITED;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t slots_allowed(const struct slots *slots, const struct share *share)
{
    if (!slots_are_limited(slots))
        return GATE_UNLIMITED;
    if (slots->is_answered)
        return smaller(slots->granted, slots->limit);
    return slots->is_refused ? share_count(share, slots->limit) : 0;
}

/* Connections that are open are never asked away: they are there. */
static uint32_t need(const struct slots *slots)
{
    uint32_t need = slots->wanted > slots->open ? slots->wanted : slots->open;
    return smaller(need, slots->limit);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

bool slots_have_news(const struct slots *slots)
{
    return slots_are_limited(slots)
           && (need(slots) > slots->asked
               || slots->counted > larger(slots->granted, slots->open));
}

bool slots_are_owed(const struct slots *slots)
{
    return slots->is_answered
           && smaller(slots->asked, slots->sure) > slots->granted;
}

void slots_ask(struct slots *slots, const struct share *share,
               char text[SLOTS_REQUEST_SIZE])
{
    slots->asked = need(slots);
    slots->granted = smaller(slots->granted, slots->asked);
    const uint32_t held = slots_allowed(slots, share);
    slots->shown = larger(held, slots->open);
    slots->under_way++;
    (void)snprintf(text, SLOTS_REQUEST_SIZE, "%u %u %u %u %u", slots->limit,
                   slots->asked, held, slots->open,
                   share_count(share, slots->limit));
}

void slots_hear(struct slots *slots, uint32_t granted, uint32_t sure)
{
    if (--slots->under_way > 0)
        return;
    slots->granted = granted;
    slots->sure = sure;
    slots->counted = larger(granted, slots->shown);
    slots->is_answered = slots->asked > 0;
    slots->is_refused = false;
}

void slots_lose(struct slots *slots)
{
    slots->under_way--;
    slots_miss(slots);
}

void slots_miss(struct slots *slots)
{
    slots->is_refused = true;
}
