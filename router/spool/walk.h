/*
 * walk.h - from record to record through a segment, over damage if need be.
 *
 * Pure but for the reads, which go through a window. Total over any bytes: a
 * record is given only when its header's checksum is right for its place and it
 * lies whole before the window's end. Payload and body have to be asked for.
 *
 * What cannot be read is stepped over like damage, but noted in `unread`: it may
 * be readable later, and then is no damage.
 */
#ifndef ROUTER_SPOOL_WALK_H
#define ROUTER_SPOOL_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "router/spool/record.h"
#include "router/spool/window.h"

struct walk_input {
    struct window_source source;
    uint64_t epoch;
};

struct walk {
    uint64_t epoch;
    struct window window;
    uint64_t next; /* where the next record should begin */
    int unread;    /* errno of the first read that failed; 0: none did */
    /* The record given last: */
    uint64_t offset;
    uint64_t gap; /* bytes right before it that are no record */
    struct record record;
};

/* Begins at `from`, a multiple of RECORD_ALIGN. */
void walk_init(struct walk *walk, const struct walk_input *input,
               uint64_t from);
void walk_release(struct walk *walk);

/* Goes to the next valid record. False at the end; `gap` then is what was
 * looked through in vain behind the last record. */
bool walk_next(struct walk *walk) must_check;

/* Payload of the record given last, valid until the next call; false when it
 * cannot be read or its checksum is wrong. */
bool walk_payload(struct walk *walk, struct slice *payload) must_check;

/* Whether the body of the record given last can be read and its checksum is
 * right. Reads all of it. */
bool walk_body_is_good(struct walk *walk) must_check;

/* The greatest `synced` of all records: bytes before it were on disk. `unread`
 * is that of the walk that this takes. */
uint64_t walk_find_synced(const struct walk_input *input, int *unread);

#endif
