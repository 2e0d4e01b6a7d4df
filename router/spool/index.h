/*
 * index.h - what recovery needs of one sealed segment, without its bodies.
 *
 * An index is never authoritative: whoever finds none, or one that is not of
 * exactly this use of this segment, walks through the segment. README.md,
 * section "Checkpoints", has the layout and why that is safe. Pure.
 */
#ifndef ROUTER_SPOOL_INDEX_H
#define ROUTER_SPOOL_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "router/spool/record.h"

#define INDEX_HEADER_SIZE 64u
#define INDEX_ENTRY_SIZE  24u
#define INDEX_FLAGS_MAX   3u /* of a record: what an entry has bits for */

/* One record. */
struct index_entry {
    uint64_t id;
    uint64_t order;
    uint64_t offset;
    uint64_t size; /* record_size */
    uint8_t kind;  /* enum record_kind */
    uint8_t flags;
};

/* Begins as zeros; the entries are in the order of the log. */
struct index {
    uint64_t sequence;
    uint64_t epoch;
    uint64_t end;
    struct index_entry *entries;
    size_t count;
    size_t size;
};

void index_release(struct index *index);

void index_add(struct index *index, uint64_t offset,
               const struct record *record);

/* Drops the records that others of the same segment make meaningless. */
void index_reduce(struct index *index);

/* The largest that an index of a segment with this end can be. */
uint64_t index_bytes_max(uint64_t end);

/* The bytes of its file, which the caller frees. */
char *index_encode(const struct index *index, size_t *len) must_check;

/* Total over any bytes. RC_OK: an index of the segment that `index` names by
 * sequence, epoch and end; its entries are added. RC_SYNTAX: it is not. */
enum rc index_decode(struct slice bytes, struct index *index) must_check;

/* The checksum of an encoded index; for tests. */
uint64_t index_sum(struct slice bytes);

/* The record, as far as an entry tells: its size is right, its payload and body
 * are not told apart. */
struct record index_record(const struct index_entry *entry);

#endif
