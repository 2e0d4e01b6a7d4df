/*
 * core.h - the spool's insides, shared by the files of this folder alone.
 *
 * Who may touch what:
 *
 *     queue...            any thread, under queue_lock
 *     chain               the committer changes it, under chain_lock; it may
 *                         look without, since nobody else changes it (but for
 *                         `readers` and `is_damaged` of a segment, which are
 *                         only touched under the lock)
 *     supply, head, ...   the committer alone (and opening and closing, when
 *                         it does not run)
 *     atomics             written by the committer, read by any thread
 */
#ifndef ROUTER_SPOOL_CORE_H
#define ROUTER_SPOOL_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "router/spool/chain.h"
#include "router/spool/cleaner.h"
#include "router/spool/directory.h"
#include "router/spool/pace.h"
#include "router/spool/segment.h"
#include "router/spool/spool.h"
#include "router/spool/supply.h"
#include "router/spool/volume.h"

struct batch;
struct checkpoint;
struct reader;

struct spool_counts {
    atomic_uint_least64_t messages;
    atomic_uint_least64_t segments;
    atomic_uint_least64_t bytes_live;
    atomic_uint_least64_t writes;
    atomic_uint_least64_t syncs;
    atomic_uint_least64_t sync_us_max;
    atomic_uint_least64_t failures;
    atomic_uint_least64_t damaged;
    atomic_size_t puts_waiting;
    atomic_size_t coming; /* large messages told by spool_expect */
    atomic_bool refuses;  /* no segment could be had at the last try */
};

struct spool {
    uint64_t segment_size;
    size_t queue_max;
    char router[SEGMENT_ROUTER_MAX];
    uint64_t last_id; /* that recovery saw */
    struct directory directory;
    struct volume *volume;
    struct spool_counts counts;
    struct volume_room soft;
    struct volume_room hard;
    struct spool_listener listener;
    _Atomic(const char *) refusal; /* told last; NULL: accepting */

    pthread_t committer;
    bool has_committer;
    struct reader *reader;
    pthread_t reader_thread;
    bool has_reader;
    struct checkpoint *checkpoint;
    pthread_t checkpoint_thread;
    bool has_checkpoint;

    pthread_mutex_t queue_lock;
    pthread_cond_t queue_filled;
    struct list queue;
    struct list urgent;   /* the same, taken first: urgent PUTs */
    size_t large_waiting; /* large PUTs in both */
    bool is_gathering;    /* the committer waits for more of these */
    bool stopping;

    pthread_mutex_t chain_lock;
    struct chain chain;

    struct supply supply;
    struct segment *head; /* NULL: none since the start or the last failure */
    uint64_t retry_ms;    /* while refusing: when to try again */
    enum rc refuse_rc;    /* and what PUTs are told until then */
    struct cleaner cleaner;
    struct pace pace;
    struct batch *batch;
};

static inline void spool_tell(const struct spool *spool, enum spool_event event,
                              uint64_t sequence, int sys_errno)
{
    const struct spool_notice notice = { .event = event,
                                         .sequence = sequence,
                                         .sys_errno = sys_errno };
    notice_tell(&spool->listener, &notice);
}

/* Damage that was found while running; under chain_lock. */
static inline void spool_note_damage(struct spool *spool,
                                     struct segment *segment, uint64_t id)
{
    const struct spool_notice notice = { .event = SPOOL_DAMAGED,
                                         .sequence = segment->sequence,
                                         .id = id };
    segment->is_damaged = true;
    atomic_fetch_add(&spool->counts.damaged, 1);
    notice_tell(&spool->listener, &notice);
}

/* After a change of the chain: brings the counts up to date. */
static inline void spool_count_chain(struct spool *spool)
{
    atomic_store(&spool->counts.messages, places_count(&spool->chain.places));
    atomic_store(&spool->counts.segments, spool->chain.count);
    atomic_store(&spool->counts.bytes_live, spool->chain.bytes_live);
}

#endif
