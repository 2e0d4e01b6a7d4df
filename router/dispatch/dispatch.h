/*
 * dispatch.h - the lane thread: queued mail in, jobs to workers, results back.
 *
 * One thread owns every lane, the timer wheel, the retry times, the bus to the
 * workers and the MX cache; it shares nothing mutable and takes no lock. What
 * it decides by is in router/lanes (pure); here it meets the bus, the resolver,
 * the spool and the event log.
 *
 *     dispatch_new -> spool_open(.., dispatch_recover, ..) -> dispatch_start
 *         intake, asks and reloads from other threads ...
 *     dispatch_stop -> spool_close -> dispatch_free
 *
 * A message that comes through dispatch_mailbox() is on disk. It is split into
 * jobs by (route, domain), each waits in the lane (pool x site), leaves under a
 * lease when a worker has credit for it, and its result is on disk before the
 * worker hears the ACK. What no worker can have is never handed out; what a
 * dead worker had goes to another after bus.lease_ms.
 */
#ifndef ROUTER_DISPATCH_DISPATCH_H
#define ROUTER_DISPATCH_DISPATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/loop.h"
#include "config/conf.h"
#include "router/actions/action.h"
#include "router/spool/spool.h"

struct dispatch;
struct templates;

/* A new message id for a bounce; called in the lane thread, so whoever makes
 * ids for several threads locks. */
typedef uint64_t dispatch_id_fn(void *context);

struct dispatch_options {
    struct conf *conf;                /* one more reference is taken */
    const struct conf_router *router; /* which one of conf->routers we are */
    dispatch_id_fn *new_id;
    void *new_id_context;
    struct templates *templates; /* hear of outcomes; NULL: nobody does */
    uint32_t hot_share; /* jobs of a tenant and stream that a lane keeps in
                           memory at most; 0: LANES_HOT_SHARE */
};

/* Binds the bus of the router's config and opens the event log of conf->log.
 * NULL with *fault when one of them cannot be had. No thread runs yet. */
struct dispatch *dispatch_new(const struct dispatch_options *options,
                              struct fault *fault) must_check;

/* A spool_live_fn; context is the struct dispatch. Only between dispatch_new and
 * dispatch_start. */
void dispatch_recover(void *context, const struct spool_live *live);

/* Starts the thread. The spool is borrowed until dispatch_stop has returned. */
enum rc dispatch_start(struct dispatch *dispatch, struct spool *spool,
                       struct fault *fault) must_check;

/* Ends the thread once all that it gave the spool is written. Jobs that are out
 * stay out: workers keep their results for the next boot. Harmless when it
 * never started. */
void dispatch_stop(struct dispatch *dispatch);

/* Nobody may post any more, and the spool is closed. */
void dispatch_free(struct dispatch **dispatch);

/* For intake_new(): takes struct message pointers. From any thread. */
struct mailbox *dispatch_mailbox(struct dispatch *dispatch);

/* True while spool.max_recipients are queued. From any thread; until
 * dispatch_free. */
atomic_bool *dispatch_full(struct dispatch *dispatch);

/* Runs on `conf` from soon on; one more reference is taken. From any thread.
 * False when too many wait already. */
bool dispatch_reconf(struct dispatch *dispatch, struct conf *conf) must_check;

/* Reopens the event log, after rotation. From any thread. */
bool dispatch_reopen_log(struct dispatch *dispatch) must_check;

/* Where the progress of bulk actions goes: struct book_note (actions/book.h).
 * Before dispatch_start; the mailbox must stay until dispatch_stop. */
void dispatch_report_to(struct dispatch *dispatch, struct mailbox *notes);

/* A pause or bulk action that is to be carried out, or that has ended; hearing
 * of one again changes nothing. It is copied. From any thread, also before
 * dispatch_start. False when too many wait already. */
bool dispatch_act(struct dispatch *dispatch,
                  const struct action *action) must_check;

enum dispatch_question {
    DISPATCH_STATUS,    /* workers, pools, totals */
    DISPATCH_QUEUE,     /* every lane: depth, oldest, why it waits;
                         arg: part of a lane's pool or site, or empty */
    DISPATCH_MESSAGE,   /* arg: message id in text; its recipients */
    DISPATCH_HOLDERS,   /* arg: site; credit and leases by source and worker */
    DISPATCH_SEARCH,    /* arg and answer as in search.h; may take seconds */
    DISPATCH_WHY,       /* arg: message id; what holds it */
    DISPATCH_WORKERS,   /* those that are live */
    DISPATCH_VERDICTS,  /* counts: verdicts.h */
    DISPATCH_EVENT,     /* arg: "EVENT OBJECT", OBJECT in JSON and not empty: a
                           line of the event log */
    DISPATCH_COMPLAINT, /* arg: "ACCOUNT TYPE OBJECT": the event "complaint",
                           counted unless TYPE is "-" */
    DISPATCH_DRAIN,     /* arg: worker; it is told to take nothing more */
    DISPATCH_RESUME,    /* arg: worker; it is told to go on */
    DISPATCH_TRACE,     /* arg and answer as in tracing.h */
};

/* Appends the answer as one JSON object to `json`. From any thread but the
 * loop's own; blocks for at most timeout_ms. RC_OK; RC_NONE: no such message,
 * site or worker; RC_SYNTAX: the argument cannot be read, and `json` has the reason as
 * text; RC_TIMEOUT; RC_LIMIT: too many ask, or the answer does not fit. */
enum rc dispatch_ask(struct dispatch *dispatch, enum dispatch_question question,
                     struct slice arg, uint64_t timeout_ms,
                     struct buf *json) must_check;

/* The same for what wants no answer; never blocks. False: too many ask. */
bool dispatch_tell(struct dispatch *dispatch, enum dispatch_question question,
                   struct slice arg) must_check;

#endif
