/*
 * places.h - where in the log each live message is: id -> place.
 *
 * 32 bytes a message and 4 to 5 for finding it (idmap.h). Not guarded by itself.
 */
#ifndef ROUTER_SPOOL_PLACES_H
#define ROUTER_SPOOL_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/idmap.h"

/* Offsets and sizes count RECORD_ALIGN bytes; sequences are the low 16 bits:
 * the log never spans more segments than that. */
struct place {
    struct idmap_item item;
    uint32_t offset;
    uint32_t size;
    uint32_t state_offset; /* 0: there is no state */
    uint16_t sequence;
    uint16_t state_sequence;
};

struct places {
    struct idmap map;
};

void places_init(struct places *places);
void places_release(struct places *places);

/* Valid until the next add or remove; NULL when there is none. */
struct place *places_find(const struct places *places, uint64_t id) must_check;

/* A place for an id that has none; all but the id is zero. */
struct place *places_add(struct places *places, uint64_t id);

void places_remove(struct places *places, struct place *place);

/* Walks over all: begin with *at = 0; NULL at the end. Places may be removed
 * meanwhile. */
struct place *places_next(const struct places *places, size_t *at);

static inline size_t places_count(const struct places *places)
{
    return places->map.count;
}

#endif
