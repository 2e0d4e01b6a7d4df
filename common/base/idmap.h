/*
 * idmap.h - millions of small items, each found by a 64-bit id.
 *
 * Items are of one size, lie in one array and begin with a struct idmap_item;
 * what follows is the user's. They are named by their position, which stays the
 * same as long as the item lives; a pointer to one is good until the next add.
 *
 * No addition stalls, however many there are: the index is a linear hash table
 * (Litwin 1980), which grows by splitting one bucket at a time, and a large
 * array is moved by remapping its pages. Memory: the items and 4 to 5 bytes for
 * each.
 */
#ifndef COMMON_BASE_IDMAP_H
#define COMMON_BASE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

#define IDMAP_NONE UINT32_MAX

struct idmap_item {
    uint64_t id;       /* 0: not in use */
    uint32_t in_chain; /* the next of its bucket, or the next free one */
    uint32_t extra;    /* the user's; where the compiler would leave a gap */
};

struct idmap {
    char *items;
    size_t item_size;
    uint32_t size;  /* of the array */
    uint32_t used;  /* those behind were never used */
    uint32_t free;  /* first of those that are not used any more, or NONE */
    uint32_t count; /* items that live */
    uint32_t *buckets;
    uint32_t bucket_count;
    uint32_t bucket_size;
    uint32_t round; /* buckets when this round of splitting began: 2^n */
};

/* `item_size` is that of the user's struct. */
void idmap_init(struct idmap *map, size_t item_size);
void idmap_release(struct idmap *map);

/* The item at a position; for the user to cast. */
static inline void *idmap_at(const struct idmap *map, uint32_t at)
{
    return map->items + (size_t)at * map->item_size;
}

/* The position of an id; IDMAP_NONE when there is none. */
uint32_t idmap_find(const struct idmap *map, uint64_t id);

/* A new item, zero but for its id, which is not 0 and not there yet. */
uint32_t idmap_add(struct idmap *map, uint64_t id);

void idmap_remove(struct idmap *map, uint32_t at);

#endif
