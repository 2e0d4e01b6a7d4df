/*
 * core.h - what the parts of the lane thread share; for this folder alone.
 *
 * Everything here belongs to the lane thread. The parts, in the order of a
 * message's life:
 *
 *     entry.c     a message comes in: split into jobs
 *     room.c      whether more are welcome
 *     place.c     a job finds its destination, pool and lane; and waits
 *     freeze.c    a message that will not leave soon goes cold
 *     fetch.c     it is read back when its time comes
 *     pauses.c    what operators keep from leaving
 *     offers.c    workers hear which lanes have jobs
 *     hear.c      frames of the workers
 *     claims.c    jobs that a worker says it has, and we do not know
 *     pick.c      which job goes next, and by which source
 *     serve.c     it leaves under a lease
 *     results.c   which recipients a RESULT counts for
 *     outcome.c   what became of them
 *     feedback.c  and what that tells of its template
 *     retry.c     when a deferred job is tried again, and by which source
 *     warn.c      the sender hears that a message is late
 *     bounce.c    the report to the sender
 *     settle.c    all of it onto the disk, then the ACK
 *     operate.c   what operators want done with many messages
 *     search.c    what they list; peek.c looks at cold mail for both
 *     inquiry.c   questions about one message, cold or not; why.c, holding.c
 *     seeing.c    the other answers for people
 *
 * An event (a frame, a message, an alarm, an answer of the DNS) begins with
 * dispatch_begin(), which clears `scratch`, and ends with outcome_close() where
 * it may have changed a message. It concerns one message.
 */
#ifndef ROUTER_DISPATCH_CORE_H
#define ROUTER_DISPATCH_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/edge/bus.h"
#include "common/edge/dns.h"
#include "common/edge/eventlog.h"
#include "common/edge/loop.h"
#include "router/dispatch/credit.h"
#include "router/dispatch/dispatch.h"
#include "router/dispatch/leases.h"
#include "router/dispatch/limits.h"
#include "router/dispatch/mx.h"
#include "router/dispatch/operate.h"
#include "router/dispatch/pauses.h"
#include "router/dispatch/pools.h"
#include "router/dispatch/streams.h"
#include "router/dispatch/tracing.h"
#include "router/dispatch/verdicts.h"
#include "router/dispatch/workers.h"
#include "router/lanes/lanes.h"
#include "router/lanes/wheel.h"

struct counters {
    uint64_t accepted;
    uint64_t jobs_sent;
    uint64_t delivered; /* recipients */
    uint64_t deferred;
    uint64_t bounced;
    uint64_t expired;
    uint64_t handed_back; /* jobs */
    uint64_t in_doubt;    /* jobs */
    uint64_t unreadable;  /* messages that the disk could not give back */
};

struct dispatch {
    struct conf *conf;
    const struct conf_router *router;
    struct dispatch_options options;

    struct loop *loop;
    struct bus *bus;
    struct dns *dns;
    struct eventlog *events;
    struct spool *spool;     /* from dispatch_start on */
    struct mailbox *entries; /* struct message */
    struct mailbox *settled; /* struct settlement */
    struct mailbox *fetched; /* struct fetch */
    struct mailbox *calls;   /* struct call */
    struct timer *tick;
    struct timer *unmute;  /* for workers whose link was full */
    struct defer *work;    /* serve lanes, send ACKs, flush the event log */
    struct defer *operate; /* a slice of what operators want */

    struct lanes lanes;
    struct wheel wheel;
    struct workers workers;
    struct leases leases;
    struct pools pools;
    struct streams streams;
    struct mx *mx;
    struct list active;     /* lanes that may have both a job and credit */
    struct list thirsty;    /* lanes that have cold mail to be read back */
    struct list thawed;     /* FOUND jobs: read back, not placed yet */
    struct list claimed;    /* CLAIMED jobs */
    struct list queries;    /* of MX hosts, that the dns has */
    struct list homeless;   /* WAITING jobs without a lane: no DNS answer yet */
    struct list troubled;   /* settlements that the disk refused */
    struct table unsettled; /* settlements of results, by lease */
    struct wheel warn_wheel;
    struct table warnings; /* by message, see warn.h */
    struct pauses pauses;
    struct operations operations;
    struct tracing tracing;
    struct list searches;   /* struct search, oldest first */
    struct list inquiries;  /* struct inquiry */
    struct mailbox *peeked; /* struct peeked */
    struct queued *ghost;   /* that is asked about now; NULL: none */

    /* Cold messages that belong to no lane (yet). */
    struct cold_queue found_urgent; /* of a start, in their order */
    struct cold_queue found;
    struct cold_queue cold_homeless;
    struct cold_queue fetching;
    struct table fetches; /* of messages, by id */
    struct body *lent;    /* of the message being placed, read back with it; for
                             reports, also when memory keeps no more bodies */
    uint32_t fetches_out; /* of messages and bodies */

    struct arena scratch;        /* of the event being handled */
    struct envelope envelope;    /* decoded last, in scratch */
    const struct queued *opened; /* whose it is; NULL: none */
    struct list notices;         /* of the event; see notice.h */
    bool changed;                /* the event changed its message */
    struct arena frames;         /* of the frame being decoded */
    struct buf frame;            /* being encoded */

    uint64_t boot;
    uint64_t start_ms;
    uint64_t beat_ms;       /* when the last one went out */
    uint64_t sweep_ms;      /* likewise the last sweep */
    uint64_t bodies_bytes;  /* of bodies that queued messages hold */
    uint64_t recipients;    /* of messages in memory; see room.h */
    atomic_bool full;       /* others read it; see room.h */
    uint64_t settlements;   /* begun since the start */
    uint64_t settled_count; /* and ended */
    uint32_t settling;      /* settlements that the spool has */
    uint32_t epoch_handled; /* of pools.epoch */
    bool gathering;         /* recovered mail waits for workers' HELLOs */
    bool stopping;
    struct counters counters;
    struct verdicts *verdicts;
    pthread_t thread;
    bool has_thread;
};

static inline uint64_t dispatch_now_ms(const struct dispatch *dispatch)
{
    return loop_now_ms(dispatch->loop);
}

/* A new event. */
void dispatch_begin(struct dispatch *dispatch);

/* The message's envelope, decoded once per event; lives until its end. */
const struct envelope *dispatch_open(struct dispatch *dispatch,
                                     const struct queued *queued);

/* Has the lane served, at the end of this half of the turn. */
void dispatch_wake(struct dispatch *dispatch, struct lane *lane);

/* Encodes and sends a frame without a body. */
enum rc dispatch_say(struct dispatch *dispatch, const struct bus_peer *peer,
                     const struct wire_frame *frame);

#endif
