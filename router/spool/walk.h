/*
 * walk.h - from record to record through a segment, over damage if need be.
 *
 * Pure but for the reads, which go through a function: a file for recovery and
 * the tools, a run of bytes for the fuzzer. Total over any bytes: a record is
 * given only when its header's checksum is right for its place and it lies
 * whole before `end`. Payload and body have to be asked for.
 */
#ifndef ROUTER_SPOOL_WALK_H
#define ROUTER_SPOOL_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "router/spool/record.h"

/* Reads exactly `len` bytes at `offset`; false when it cannot. */
typedef bool walk_read_fn(void *context, uint64_t offset, char *bytes,
                          size_t len);

struct walk_input {
    walk_read_fn *read;
    void *context;
    uint64_t epoch;
    uint64_t end; /* nothing at or behind this is looked at */
};

struct walk {
    struct walk_input input;
    uint64_t next; /* where the next record should begin */
    /* The record given last: */
    uint64_t offset;
    uint64_t gap; /* bytes right before it that are no record */
    struct record record;
    /* What was read, and from where: */
    char *window;
    size_t window_size;
    uint64_t window_at;
    size_t window_len;
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

/* The greatest `synced` of all records: bytes before it were on disk. */
uint64_t walk_find_synced(const struct walk_input *input);

#endif
