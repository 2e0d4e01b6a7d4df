/* places.c - where in the log each live message is. */
#include "router/spool/places.h"

#include "common/base/check.h"
#include "common/base/mem.h"

#define SIZE_FIRST 64u

_Static_assert(sizeof(struct place) == 24, "a place grew");

void places_init(struct places *places)
{
    *places = (struct places){
        .slots = mem_new(SIZE_FIRST, sizeof(struct place)),
        .size = SIZE_FIRST,
    };
}

void places_release(struct places *places)
{
    mem_free(steal(places->slots));
    places->size = 0;
    places->count = 0;
}

/* Ids are near one another; a multiplication by 2^64 / phi spreads them over
 * the upper bits, which then choose the slot. */
static size_t home_of(const struct places *places, uint64_t id)
{
    const uint64_t spread = (id ^ id >> 32) * 0x9e3779b97f4a7c15u >> 32;
    return (size_t)(spread * places->size >> 32);
}

static size_t after(const struct places *places, size_t at)
{
    return at + 1 == places->size ? 0 : at + 1;
}

/* The slot that has the id, or the free one where it would go. */
static struct place *probe(const struct places *places, uint64_t id)
{
    size_t at = home_of(places, id);
    while (places->slots[at].id != 0 && places->slots[at].id != id)
        at = after(places, at);
    return &places->slots[at];
}

struct place *places_find(const struct places *places, uint64_t id)
{
    struct place *place = probe(places, id);
    return id != 0 && place->id == id ? place : NULL;
}

static void grow(struct places *places)
{
    struct places wider = { .size = places->size / 3 * 4 + 4 };
    CHECK(wider.size <= UINT32_MAX);
    wider.slots = mem_new(wider.size, sizeof(struct place));
    for (size_t i = 0; i < places->size; i++)
        if (places->slots[i].id != 0)
            *probe(&wider, places->slots[i].id) = places->slots[i];
    wider.count = places->count;
    mem_free(places->slots);
    *places = wider;
}

struct place *places_add(struct places *places, uint64_t id)
{
    CHECK(id != 0);
    if ((places->count + 1) * 20 > places->size * 17)
        grow(places);
    struct place *place = probe(places, id);
    CHECK(place->id == 0);
    places->count++;
    place->id = id;
    return place;
}

/* Slots from `from` up to `to`, around the end of the table. */
static size_t distance(const struct places *places, size_t from, size_t to)
{
    return to >= from ? to - from : to + places->size - from;
}

/* Moves back whoever was pushed over the hole, so that no probe stops short. */
void places_remove(struct places *places, struct place *place)
{
    size_t hole = (size_t)(place - places->slots);
    size_t at = after(places, hole);
    for (; places->slots[at].id != 0; at = after(places, at)) {
        const size_t home = home_of(places, places->slots[at].id);
        if (distance(places, home, at) < distance(places, hole, at))
            continue;
        places->slots[hole] = places->slots[at];
        hole = at;
    }
    places->slots[hole] = (struct place){ .id = 0 };
    places->count--;
}
