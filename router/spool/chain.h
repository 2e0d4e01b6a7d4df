/*
 * chain.h - the log in memory: its segments, and where each message is.
 *
 * What a record means is said here once, for recovery and for the committer:
 * chain_put, chain_state, chain_drop are told of each record in the order of
 * the log. The committer alone changes a chain; others read it. Both hold the
 * spool's chain_lock, but for what is marked as the committer's own.
 */
#ifndef ROUTER_SPOOL_CHAIN_H
#define ROUTER_SPOOL_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "router/spool/notice.h"
#include "router/spool/places.h"
#include "router/spool/record.h"

#define CHAIN_SEGMENTS_MAX 65535u /* a place keeps 16 bits of the sequence */

struct segment {
    uint64_t sequence;
    uint64_t epoch;
    int fd;
    uint64_t size;       /* of the file */
    uint64_t end;        /* of what counts in it */
    uint64_t unsynced;   /* bytes before `end` that nothing vouches for: what an
                            earlier life wrote last */
    uint64_t live_bytes; /* of PUT records of live messages */
    uint64_t live;       /* how many those are */
    uint32_t readers;    /* of bodies, just now: it must stay */
    bool is_reserve;     /* takes no PUT */
    bool is_damaged;     /* something in it could not be read */
    bool is_indexed;     /* recovery used its index */
};

struct chain {
    struct segment *
        *segments; /* by rising sequence; the last may be the head */
    size_t count;
    size_t size;
    struct places places;
    uint64_t bytes;      /* of all segments, up to their ends */
    uint64_t bytes_live; /* of PUT records of live messages */
    uint64_t last_id;
    uint64_t next_order;
};

void chain_init(struct chain *chain);
void chain_release(struct chain *chain); /* closes the files */

/* Takes the segment over; its sequence is above all others. */
void chain_add(struct chain *chain, const struct segment *segment);

/* Takes the oldest one out, which has no live message. The file stays open. */
struct segment chain_take_first(struct chain *chain);

static inline struct segment *chain_first(const struct chain *chain)
{
    return chain->count > 0 ? chain->segments[0] : NULL;
}

static inline struct segment *chain_last(const struct chain *chain)
{
    return chain->count > 0 ? chain->segments[chain->count - 1] : NULL;
}

/* The segment that a place or a state lies in. */
struct segment *chain_segment(const struct chain *chain,
                              uint16_t sequence) must_check;

/* NULL: it is not, or no longer, part of the log. */
struct segment *chain_find(const struct chain *chain,
                           uint64_t sequence) must_check;

/* Whether the PUT at this place is the one that counts. */
bool chain_is_live(const struct chain *chain, const struct segment *segment,
                   uint64_t offset, uint64_t id);

void chain_put(struct chain *chain, struct segment *segment, uint64_t offset,
               const struct record *record);
void chain_state(struct chain *chain, const struct segment *segment,
                 uint64_t offset, const struct record *record);
void chain_drop(struct chain *chain, uint64_t id);

/* Drops whatever lives in the segment, and tells each; returns how many those
 * were. */
uint64_t chain_forget(struct chain *chain, const struct segment *segment,
                      const struct spool_listener *listener);

#endif
