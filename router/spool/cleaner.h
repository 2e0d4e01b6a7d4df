/*
 * cleaner.h - keeping the log short at its old end. The committer's own.
 *
 * README.md, section 7. cleaner_gather adds copies of the oldest segment's live
 * messages to the batch, before all writes: a STATE or DROP of the same message
 * in that batch comes behind its copy, and so wins. cleaner_retire lets
 * segments go in which nothing lives.
 */
#ifndef ROUTER_SPOOL_CLEANER_H
#define ROUTER_SPOOL_CLEANER_H

#include <stdbool.h>
#include <stdint.h>

#include "router/spool/walk.h"

struct spool;
struct batch;

struct cleaner {
    bool is_walking;
    uint64_t sequence; /* of the segment walked through */
    uint64_t copied;   /* messages found good in this walk */
    struct walk walk;
};

void cleaner_release(struct cleaner *cleaner);

/* Adds a bounded number of copies; `batch` is empty before. */
void cleaner_gather(struct spool *spool, struct batch *batch);

/* Takes segments without live messages from the old end of the log. */
void cleaner_retire(struct spool *spool);

#endif
