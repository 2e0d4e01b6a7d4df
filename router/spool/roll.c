/* roll.c - who was put, in the order of the PUTs. */
#include "router/spool/roll.h"

#include "common/base/mem.h"

#include <stdlib.h>

typedef int compare_fn(const void *a, const void *b);

void roll_release(struct roll *roll)
{
    mem_free(steal(roll->entries));
    roll->count = 0;
    roll->size = 0;
}

void roll_note(struct roll *roll, const struct record *put)
{
    if (roll->count == roll->size) {
        roll->size = roll->size * 2 + 64;
        roll->entries =
            mem_resize(roll->entries, roll->size, sizeof *roll->entries);
    }
    roll->entries[roll->count++] = (struct roll_entry){
        .id = put->id,
        .order = put->order & (UINT64_MAX >> 1),
        .urgent = (put->flags & RECORD_URGENT) != 0,
    };
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_orders(const void *a, const void *b)
{
    const struct roll_entry *left = a;
    const struct roll_entry *right = b;
    const int by_order = compare(left->order, right->order);
    return by_order != 0 ? by_order : compare(left->id, right->id);
}

static int compare_ids(const void *a, const void *b)
{
    const struct roll_entry *left = a;
    const struct roll_entry *right = b;
    const int by_id = compare(left->id, right->id);
    return by_id != 0 ? by_id : compare(left->order, right->order);
}

/* Both orders are mostly those of the log. */
static void sort(struct roll *roll, compare_fn *by)
{
    for (size_t i = 1; i < roll->count; i++)
        if (by(&roll->entries[i - 1], &roll->entries[i]) > 0) {
            qsort(roll->entries, roll->count, sizeof *roll->entries, by);
            return;
        }
}

static void drop_dead(struct roll *roll, const struct places *places)
{
    size_t kept = 0;
    for (size_t i = 0; i < roll->count; i++)
        if (places_find(places, roll->entries[i].id))
            roll->entries[kept++] = roll->entries[i];
    roll->count = kept;
}

/* Of neighbours with the same id only the last one stays. */
static void drop_earlier(struct roll *roll)
{
    size_t kept = 0;
    for (size_t i = 0; i < roll->count; i++)
        if (i + 1 == roll->count
            || roll->entries[i].id != roll->entries[i + 1].id)
            roll->entries[kept++] = roll->entries[i];
    roll->count = kept;
}

void roll_settle(struct roll *roll, const struct places *places)
{
    drop_dead(roll, places);
    sort(roll, compare_ids);
    drop_earlier(roll);
    sort(roll, compare_orders);
}
