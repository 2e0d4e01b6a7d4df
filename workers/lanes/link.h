/*
 * link.h - the worker's end of the job protocol with one router.
 *
 *     GREETING --WELCOME--> JOINED --a frame got lost, new sources--> RENEWING
 *        ^                    | ^------------------WELCOME----------------'
 *        '--silent, new boot--'
 *
 * In GREETING and RENEWING a HELLO goes out with every beat, with all that we
 * still hold of this router. What it and the WELCOME do, in every state: credit
 * on both sides counts from 0 again (on_renewed).
 *
 *   GREETING  nothing is asked for; a JOB that still comes is handed back. Lanes
 *             of before are void (on_lost): what was not begun is dropped, for
 *             the router gives it to others; what was is finished and its
 *             result kept.
 *   JOINED    the state in which mail flows
 *   RENEWING  nothing is asked for, since it would be counted on the old total;
 *             all else goes on
 *
 * A frame that could not be sent, or that went down with a connection, is made
 * up for: by RENEWING, which also comes every LINK_RENEW_MS by itself, and by
 * sending results again that nobody acknowledges. Every job given to on_job
 * ends in one link_result() or link_handback(): so the link knows how many we
 * have, and that the next HELLO can name them all. See common/proto/wire.h for
 * the frames.
 *
 * A worker that stood still for a lease time (stopped, swapped out, its machine
 * asleep) finds its jobs given to others: what it has begun, and not said to the
 * last byte, it lets go of (on_stalled).
 *
 * What a former life of this worker left in the journal (journal.h) is handed to
 * the router like results of our own.
 */
#ifndef WORKERS_LANES_LINK_H
#define WORKERS_LANES_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/loop.h"
#include "common/proto/wire.h"
#include "config/conf.h"

/* Whatever was lost unseen is set right after this. */
#define LINK_RENEW_MS 300000u

/* A result without an acknowledgement is sent again after this. */
#define LINK_RESULT_MS 30000u

struct link;

struct link_handlers {
    /* Frames of the router; slices live until the handler returns. `head` is
     * the whole frame, for who wants to keep it. */
    void (*on_offer)(void *context, struct link *link,
                     const struct wire_offer *offer);
    void (*on_job)(void *context, struct link *link, const struct wire_job *job,
                   struct slice head, struct slice body);
    /* An operator wants us to rest, towards all routers, or to go on. */
    void (*on_drain)(void *context, bool is_over);
    void (*on_share)(void *context, uint32_t rank, uint32_t workers);
    /* Lanes are void: numbers of lanes mean nothing any more. */
    void (*on_lost)(void *context, struct link *link);
    /* We stood still for so long that our jobs are others' by now; on_lost
     * follows where the router was not heard either. */
    void (*on_stalled)(void *context, struct link *link);
    /* Credit is void: both sides count from 0 again. */
    void (*on_renewed)(void *context, struct link *link);
    /* The router runs on another config than we do: told once for each. */
    void (*on_new_config)(void *context);
    /* Somebody at the router listens to our connections. */
    void (*on_trace)(void *context, struct link *link,
                     const struct wire_trace *trace);
    /* Adds the leases and messages of jobs that are under way. */
    void (*add_held)(void *context, struct link *link, uint64_t *leases,
                     uint64_t *messages, size_t *count, size_t max);
    /* Names of the sources bound here. */
    struct wire_texts (*sources)(void *context);
};

struct link_options {
    struct loop *loop;
    const struct conf *conf;
    const struct conf_router *router;
    const char *worker; /* our name */
    uint64_t boot;
    const struct link_handlers *handlers;
    void *context;
};

struct link *link_new(const struct link_options *options,
                      struct fault *fault) must_check;
void link_free(struct link **link);

/* Says HELLO again: our sources have changed, or counts shall begin anew. */
void link_greet(struct link *link);

/* Whether jobs can be asked for now. */
bool link_is_open(const struct link *link);

/* Whether we hold so much of this router that no more should be asked for;
 * and so much that a job that comes must be handed back. */
bool link_is_busy(const struct link *link);
bool link_is_full(const struct link *link);

/* From a reload; the old conf may go afterwards. */
void link_reconf(struct link *link, const struct conf *conf,
                 const struct conf_router *router);

/* Only when open. */
void link_pull(struct link *link, uint32_t lane, struct slice source,
               uint64_t total);
void link_handback(struct link *link, uint64_t lease, const char *reason);

/* To be called before the last byte of a message is said: the result that is
 * true if we die before the reply comes. It goes into the journal alone. */
void link_doubt(struct link *link, const struct wire_result *result);

/* Sends the result and keeps it until it is acknowledged. */
void link_result(struct link *link, const struct wire_result *result);

/* What a trace shows. False: it could not leave, and is lost. */
bool link_lines(struct link *link, const struct wire_lines *lines) must_check;

/* Tells the router, also one that joins later, to send no more. */
void link_drain(struct link *link);

/* Takes it back. */
void link_resume(struct link *link);

/* Results without an acknowledgement. */
size_t link_kept(const struct link *link);

#endif
