/*
 * places.h - where in the log each live message is: id -> place.
 *
 * Open addressing, linear probing, no tombstones. A slot is 24 bytes, the table
 * at most 85 % full and growing by a third: 28 to 38 bytes a message. Not
 * guarded by itself.
 */
#ifndef ROUTER_SPOOL_PLACES_H
#define ROUTER_SPOOL_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

/* Offsets and sizes count RECORD_ALIGN bytes; sequences are the low 16 bits:
 * the log never spans more segments than that. */
struct place {
    uint64_t id; /* 0: the slot is free */
    uint32_t offset;
    uint32_t size;
    uint32_t state_offset; /* 0: there is no state */
    uint16_t sequence;
    uint16_t state_sequence;
};

struct places {
    struct place *slots;
    size_t size;
    size_t count;
};

void places_init(struct places *places);
void places_release(struct places *places);

/* Valid until the next add or remove; NULL when there is none. */
struct place *places_find(const struct places *places, uint64_t id) must_check;

/* A place for an id that has none; all but the id is zero. */
struct place *places_add(struct places *places, uint64_t id);

void places_remove(struct places *places, struct place *place);

#endif
