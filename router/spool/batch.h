/*
 * batch.h - the records of one sync: gathered, given headers, written.
 *
 * A batch holds a bounded number of records and, but for the first of each kind
 * (urgent, and others), a bounded number of bytes. Payloads and bodies are
 * borrowed from their writers; the cleaner's copies belong to the batch.
 */
#ifndef ROUTER_SPOOL_BATCH_H
#define ROUTER_SPOOL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "router/spool/chain.h"
#include "router/spool/record.h"
#include "router/spool/spool.h"

#define BATCH_ITEMS_MAX 512u
#define BATCH_BYTES_MAX (16u << 20) /* about 0.1 s of a slow disk */
/* With an urgent message in it, beyond the first other one: who sends that does
 * not wait for what others have queued. */
#define BATCH_URGENT_BYTES_MAX (1u << 20)

struct item {
    struct record record;
    struct slice payload;
    struct slice body;
    uint64_t offset;           /* in the segment written to */
    struct spool_write *write; /* NULL: a copy that the cleaner makes */
    bool is_joined;            /* goes in one write with the item before */
    char *owned;               /* such a copy's bytes */
    char header[RECORD_HEADER_SIZE];
};

struct batch {
    struct item items[BATCH_ITEMS_MAX];
    size_t count;
    uint64_t bytes;
};

struct batch *batch_new(void) must_check;
void batch_free(struct batch **batch);
void batch_clear(struct batch *batch);

/* Whether one more record, of any size, can be added. */
bool batch_has_room(const struct batch *batch);

/* Bytes on disk of what a write asks for. */
uint64_t batch_size_of(const struct spool_write *write);

/* A PUT that pace.h is about. */
bool batch_is_large(const struct spool_write *write);

/* Adds a write, or a copy whose memory is taken over. A write's checksums are
 * not made before batch_sum(): it reads all bytes of all of them. */
void batch_add(struct batch *batch, struct spool_write *write);
void batch_sum(struct batch *batch);
void batch_add_copy(struct batch *batch, const struct record *record,
                    char *owned);

/* The item added last counts only together with the one before it. */
void batch_join_last(struct batch *batch);

/* Writes `count` items behind the end of the segment and syncs; says how long
 * that took. False with errno; what is in the file then is anybody's guess. */
bool batch_write(struct item *items, size_t count,
                 const struct segment *segment, uint64_t *sync_us) must_check;

static inline bool item_is_put(const struct item *item)
{
    return item->record.kind == RECORD_PUT;
}

#endif
