/*
 * pace.h - how long the committer lets writes gather before it syncs.
 *
 * Mostly not at all: when nothing is being synced a write goes at once, and small
 * writes gather by themselves while the last sync runs. Where many come, a sync
 * costs more processor time than they do: then batches are at least a
 * millisecond apart, and as much mail takes a sixth less of it.
 *
 * Large messages come slower than they are synced; each would have a sync of its
 * own although a hundred others are half received. A short wait makes the syncs
 * few, as commit_delay and commit_siblings do in a database.
 *
 * That wait is for large messages alone, when many are known to be coming and
 * come so fast that it will be short. It ends at once when an urgent one comes.
 */
#ifndef ROUTER_SPOOL_PACE_H
#define ROUTER_SPOOL_PACE_H

#include <stddef.h>
#include <stdint.h>

/* So many messages share a sync, when that many are there to be waited for. */
#define PACE_SHARE 12u

/* So many must be on their way, those counted that are here and wait for their
 * 250: with fewer, the wait might be for the very ones who wait for its end. */
#define PACE_COMING_MIN ((size_t)2 * PACE_SHARE)

#define PACE_WAIT_MAX_US 100000u

/* After a batch of so many writes the next one begins so much later than it. */
#define PACE_MANY   8u
#define PACE_GAP_US 1000u

struct pace {
    uint64_t batch_us;  /* the last batch began */
    size_t batch_count; /* of its writes */
    uint64_t looked_us; /* at the last pace_note */
    uint64_t gap_us;    /* between two large messages, of late; 0: not known */
};

/* A batch of `count` writes begins. */
void pace_note_batch(struct pace *pace, size_t count, uint64_t now_us);

/* How long the next batch has to wait, in us. */
uint64_t pace_rest_us(const struct pace *pace, uint64_t now_us);

/* `count` large messages were taken, at now_us (monotonic). */
void pace_note(struct pace *pace, size_t count, uint64_t now_us);

/* How long to wait at most, in us, when `here` large messages are there and
 * `coming` are on their way; 0: not at all. */
uint64_t pace_wait_us(const struct pace *pace, size_t here, size_t coming);

#endif
