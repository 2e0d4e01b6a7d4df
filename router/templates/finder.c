/* finder.c - positions in an array, found by a 32-bit key. */
#include "router/templates/finder.h"

#include "common/base/mem.h"

#define SIZE_FIRST 64u

void finder_init(struct finder *finder, finder_key_fn *key_of,
                 const void *array)
{
    *finder = (struct finder){ .key_of = key_of, .array = array };
}

void finder_release(struct finder *finder)
{
    mem_free(finder->slots);
    finder_init(finder, finder->key_of, finder->array);
}

/* Keys are hashes already. */
static uint32_t home_of(const struct finder *finder, uint32_t key)
{
    return key & (finder->size - 1);
}

static uint32_t home_at(const struct finder *finder, uint32_t at)
{
    return home_of(finder,
                   finder->key_of(finder->array, finder->slots[at] - 1));
}

uint32_t finder_start(const struct finder *finder, uint32_t key)
{
    return finder->size == 0 ? 0 : home_of(finder, key);
}

uint32_t finder_next(const struct finder *finder, uint32_t *at)
{
    if (finder->size == 0 || finder->slots[*at] == 0)
        return FINDER_NONE;
    const uint32_t place = finder->slots[*at] - 1;
    *at = (*at + 1) & (finder->size - 1);
    return place;
}

static void put(struct finder *finder, uint32_t place)
{
    uint32_t at = home_of(finder, finder->key_of(finder->array, place));
    while (finder->slots[at] != 0)
        at = (at + 1) & (finder->size - 1);
    finder->slots[at] = place + 1;
}

static void grow(struct finder *finder)
{
    const struct finder old = *finder;
    finder->size = old.size == 0 ? SIZE_FIRST : 2 * old.size;
    finder->slots = mem_new(finder->size, sizeof *finder->slots);
    for (uint32_t i = 0; i < old.size; i++)
        if (old.slots[i] != 0)
            put(finder, old.slots[i] - 1);
    mem_free(old.slots);
}

void finder_add(struct finder *finder, uint32_t place)
{
    if (finder->count + 1 > finder->size / 8 * 7)
        grow(finder);
    put(finder, place);
    finder->count++;
}

/* Moves back whoever the gap at `gap` keeps from his home. */
static void close_gap(struct finder *finder, uint32_t gap)
{
    const uint32_t mask = finder->size - 1;
    for (uint32_t at = (gap + 1) & mask; finder->slots[at] != 0;
         at = (at + 1) & mask) {
        const uint32_t distance = (at - home_at(finder, at)) & mask;
        if (distance < ((at - gap) & mask))
            continue;
        finder->slots[gap] = finder->slots[at];
        gap = at;
    }
    finder->slots[gap] = 0;
}

void finder_remove(struct finder *finder, uint32_t place)
{
    uint32_t at = finder_start(finder, finder->key_of(finder->array, place));
    while (finder->size > 0 && finder->slots[at] != 0) {
        if (finder->slots[at] == place + 1) {
            close_gap(finder, at);
            finder->count--;
            return;
        }
        at = (at + 1) & (finder->size - 1);
    }
}
