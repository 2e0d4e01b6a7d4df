/* wheel.c - when to look at a job again. */
#include "router/lanes/wheel.h"

#include <stddef.h>

#include "common/base/attr.h"

#define RING_BITS 8u

_Static_assert(WHEEL_SLOTS == 1u << RING_BITS, "a ring is one digit of a tick");

void wheel_init(struct wheel *wheel, uint64_t now_ms)
{
    wheel->tick = now_ms / WHEEL_SLOT_MS;
    for (unsigned ring = 0; ring < WHEEL_RINGS; ring++)
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[ring][slot]);
}

void alarm_init(struct alarm *alarm)
{
    list_init(&alarm->link);
    alarm->at_ms = 0;
}

bool alarm_is_set(const struct alarm *alarm)
{
    return !list_is_empty(&alarm->link);
}

static uint64_t ring_ticks(unsigned ring)
{
    return UINT64_C(1) << (RING_BITS * ring);
}

/* The digit of the tick that counts in this ring. */
static unsigned slot_at(uint64_t tick, unsigned ring)
{
    return (unsigned)(tick >> (RING_BITS * ring)) & (WHEEL_SLOTS - 1);
}

/* The lowest ring that reaches so far. The tick is the first one that ends
 * after at_ms, so that nothing rings early. */
static void insert(struct wheel *wheel, struct alarm *alarm)
{
    uint64_t tick = alarm->at_ms / WHEEL_SLOT_MS + 1;
    if (tick < wheel->tick)
        tick = wheel->tick;
    const uint64_t reach = ring_ticks(WHEEL_RINGS) - 1;
    if (tick - wheel->tick > reach)
        tick = wheel->tick + reach;

    unsigned ring = 0;
    while (tick - wheel->tick >= ring_ticks(ring + 1))
        ring++;
    list_push_back(&wheel->slots[ring][slot_at(tick, ring)], &alarm->link);
}

void wheel_set(struct wheel *wheel, struct alarm *alarm, uint64_t at_ms)
{
    list_remove(&alarm->link);
    alarm->at_ms = at_ms;
    insert(wheel, alarm);
}

void wheel_clear(struct alarm *alarm)
{
    list_remove(&alarm->link);
}

static void move_all(struct list *from, struct list *to)
{
    for (struct list *link; (link = list_take(from));)
        list_push_back(to, link);
}

/* Deals a slot of this ring, and of those above that begin a round now, out to
 * the rings below. */
static void deal(struct wheel *wheel, unsigned ring)
{
    const unsigned slot = slot_at(wheel->tick, ring);
    if (slot == 0 && ring + 1 < WHEEL_RINGS)
        deal(wheel, ring + 1);
    struct list dealt;
    list_init(&dealt);
    move_all(&wheel->slots[ring][slot], &dealt);
    for (struct list *link; (link = list_take(&dealt));)
        insert(wheel, container_of(link, struct alarm, link));
}

void wheel_turn(struct wheel *wheel, uint64_t now_ms, struct list *due)
{
    for (; wheel->tick <= now_ms / WHEEL_SLOT_MS; wheel->tick++) {
        const unsigned slot = slot_at(wheel->tick, 0);
        if (slot == 0)
            deal(wheel, 1);
        move_all(&wheel->slots[0][slot], due);
    }
}
