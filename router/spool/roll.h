/*
 * roll.h - who was put, in the order of the PUTs, while a spool is opened.
 *
 * Every PUT that counts is noted; when the whole log was read, the roll is
 * settled: what is left is each live message, once.
 */
#ifndef ROUTER_SPOOL_ROLL_H
#define ROUTER_SPOOL_ROLL_H

#include <stddef.h>
#include <stdint.h>

#include "router/spool/places.h"
#include "router/spool/record.h"

struct roll_entry {
    uint64_t id;
    uint64_t order : 63;
    uint64_t urgent : 1;
};

/* Begins as zeros. */
struct roll {
    struct roll_entry *entries;
    size_t count;
    size_t size;
};

void roll_release(struct roll *roll);

void roll_note(struct roll *roll, const struct record *put);

/* Drops who has no place. Of an id that was put more than once the last PUT
 * counts. */
void roll_settle(struct roll *roll, const struct places *places);

#endif
