/*
 * cleaner.h - keeping the log short at its old end. The committer's own.
 *
 * README.md, section 7. cleaner_gather adds copies of the oldest segment's live
 * messages to the batch, before all writes: a STATE or DROP of the same message
 * in that batch comes behind its copy, and so wins. cleaner_retire lets
 * segments go in which nothing lives.
 *
 * What cannot be read now (EIO) is tried again, with pauses, and holds the log
 * meanwhile. Messages are given up when they were read and are wrong, or when
 * reading them failed for CLEANER_PATIENCE_MS in CLEANER_TRIES walks at least.
 */
#ifndef ROUTER_SPOOL_CLEANER_H
#define ROUTER_SPOOL_CLEANER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/time.h"
#include "router/spool/walk.h"

#define CLEANER_PAUSE_MS    SECONDS_MS(10)
#define CLEANER_PATIENCE_MS HOURS_MS(1)
#define CLEANER_TRIES       10u

struct spool;
struct batch;

struct cleaner {
    bool is_walking;
    uint64_t sequence; /* of the segment walked through */
    uint64_t copied;   /* messages found good in this walk */
    int unread;        /* errno of a read in this walk that failed; 0: none */
    struct walk walk;

    /* The segment's walks that found nothing to copy, since not all could be
     * read: */
    unsigned tries;
    uint64_t since_ms;
    uint64_t again_ms; /* when to walk again */
};

void cleaner_release(struct cleaner *cleaner);

/* Adds a bounded number of copies; `batch` is empty before. */
void cleaner_gather(struct spool *spool, struct batch *batch);

/* Takes segments without live messages from the old end of the log. */
void cleaner_retire(struct spool *spool);

#endif
