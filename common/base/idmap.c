/* idmap.c - millions of small items, each found by a 64-bit id. */
#include "common/base/idmap.h"

#include <string.h>

#include "common/base/check.h"
#include "common/base/mem.h"

#define BUCKETS_FIRST 64u
#define ITEMS_FIRST   64u

void idmap_init(struct idmap *map, size_t item_size)
{
    *map = (struct idmap){
        .item_size = item_size,
        .free = IDMAP_NONE,
        .buckets = mem_new(BUCKETS_FIRST, sizeof *map->buckets),
        .bucket_count = BUCKETS_FIRST,
        .bucket_size = BUCKETS_FIRST,
        .round = BUCKETS_FIRST,
    };
    for (uint32_t i = 0; i < BUCKETS_FIRST; i++)
        map->buckets[i] = IDMAP_NONE;
}

void idmap_release(struct idmap *map)
{
    mem_free(steal(map->items));
    mem_free(steal(map->buckets));
    map->count = map->used = map->size = 0;
}

static struct idmap_item *item_at(const struct idmap *map, uint32_t at)
{
    return idmap_at(map, at);
}

/* The finaliser of MurmurHash3: ids are near one another. */
static uint32_t hash_of(uint64_t id)
{
    id ^= id >> 33;
    id *= UINT64_C(0xff51afd7ed558ccd);
    id ^= id >> 33;
    id *= UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(id >> 32);
}

static uint32_t *bucket_of(const struct idmap *map, uint64_t id)
{
    const uint32_t hash = hash_of(id);
    const uint32_t wide = hash & (2 * map->round - 1);
    return &map->buckets[wide < map->bucket_count ? wide
                                                  : hash & (map->round - 1)];
}

uint32_t idmap_find(const struct idmap *map, uint64_t id)
{
    uint32_t at = *bucket_of(map, id);
    while (at != IDMAP_NONE && item_at(map, at)->id != id)
        at = item_at(map, at)->in_chain;
    return at;
}

static void enchain(struct idmap *map, uint32_t at)
{
    struct idmap_item *item = item_at(map, at);
    uint32_t *bucket = bucket_of(map, item->id);
    item->in_chain = *bucket;
    *bucket = at;
}

/* One more bucket, with its share of the one that it comes from. */
static void split(struct idmap *map)
{
    if (map->bucket_count == map->bucket_size) {
        map->bucket_size += map->bucket_size / 4;
        map->buckets =
            mem_resize(map->buckets, map->bucket_size, sizeof *map->buckets);
    }
    uint32_t *from = &map->buckets[map->bucket_count - map->round];
    uint32_t at = *from;
    *from = IDMAP_NONE;
    map->buckets[map->bucket_count++] = IDMAP_NONE;
    while (at != IDMAP_NONE) {
        const uint32_t next = item_at(map, at)->in_chain;
        enchain(map, at);
        at = next;
    }
    if (map->bucket_count == 2 * map->round)
        map->round *= 2;
}

static uint32_t take_room(struct idmap *map)
{
    const uint32_t at = map->free;
    if (at != IDMAP_NONE) {
        map->free = item_at(map, at)->in_chain;
        return at;
    }
    if (map->used == map->size) {
        map->size += map->size / 4 + ITEMS_FIRST;
        map->items = mem_resize(map->items, map->size, map->item_size);
    }
    return map->used++;
}

uint32_t idmap_add(struct idmap *map, uint64_t id)
{
    CHECK(id != 0 && map->count < UINT32_MAX / 4);
    const uint32_t at = take_room(map);
    memset(idmap_at(map, at), 0, map->item_size);
    item_at(map, at)->id = id;
    map->count++;
    if (map->count > map->bucket_count)
        split(map);
    enchain(map, at);
    return at;
}

void idmap_remove(struct idmap *map, uint32_t at)
{
    struct idmap_item *item = item_at(map, at);
    uint32_t *link = bucket_of(map, item->id);
    while (*link != at)
        link = &item_at(map, *link)->in_chain;
    *link = item->in_chain;
    item->id = 0;
    item->in_chain = map->free;
    map->free = at;
    map->count--;
}
