/*
 * events.h - lines of the event log that the lane thread writes.
 *
 * Keys stand in a fixed order, and only those that are known: ts, event, id,
 * account, tenant, stream, reasons, route, pool, source, source_ip, site, host,
 * host_ip, recipient, sender, status, code, reply, tls, attempt, queued_ms,
 * delivery_ms, retry_ms, asked_ms, size, message_id. retry_ms is the wait before
 * the next attempt, missing where the message expires before; asked_ms is there
 * where the reply named that wait itself. A complaint has id, account, tenant,
 * template, type, counted, known, router, recipient, generator.
 */
#ifndef ROUTER_DISPATCH_EVENTS_H
#define ROUTER_DISPATCH_EVENTS_H

#include "common/proto/verdict.h"
#include "common/proto/wire.h"
#include "router/actions/action.h"
#include "router/dispatch/core.h"
#include "router/dispatch/notice.h"
#include "router/dispatch/retry.h"
#include "router/envelope.h"

/* What happened to one recipient; all borrowed. */
struct event_outcome {
    const char *event; /* "delivered", "deferred", "bounced", "expired" */
    const struct envelope *envelope;
    const struct envelope_recipient *recipient;
    const struct job *job;
    const struct verdict *verdict;
    const struct wire_result *result; /* NULL: no attempt was made */
    const struct retry_plan *plan;    /* "deferred"; NULL: else */
};

void events_accepted(struct dispatch *dispatch,
                     const struct envelope *envelope);
void events_outcome(struct dispatch *dispatch,
                    const struct event_outcome *outcome);

/* A report to the sender of a message: "dsn_failed", "dsn_delayed" or
 * "dsn_relayed", with all its recipients. report 0: there is no mail, this line
 * is the report. */
struct event_dsn {
    const struct envelope *envelope;
    enum dsn_action action;
    uint64_t report;
    const struct dsn_recipient *recipients; /* those with the action count */
    size_t recipient_count;
};
void events_dsn(struct dispatch *dispatch, const struct event_dsn *dsn);

/* A report of ours could not be delivered. report 0: that is the end of it, else
 * the id of the mail to the postmaster. */
void events_double_bounce(struct dispatch *dispatch,
                          const struct envelope *envelope,
                          const struct dsn_recipient *recipient,
                          uint64_t report);

/* The job was with this worker, and may have been delivered. `done` says what
 * follows: "retry" or "hold". */
void events_possible_duplicate(struct dispatch *dispatch, const struct job *job,
                               const char *worker, const char *done);

/* The same of a message that was sent again before we heard of it. */
void events_late_doubt(struct dispatch *dispatch, uint64_t message,
                       const char *worker);

/* "worker_up", "worker_lost" with why: "silent", "restarted". */
void events_worker(struct dispatch *dispatch, const char *event,
                   const struct worker *worker, const char *why);

/* Jobs of a lane whose pool has no live source went to other pools. */
void events_rerouted(struct dispatch *dispatch, const struct lane *lane,
                     uint32_t jobs);

/* An operator's doing with the message of the job: "deleted", "requeued",
 * "released", "rerouted_by_operator"; one line for a recipient. */
void events_operated(struct dispatch *dispatch, const char *event,
                     const struct job *job, uint32_t index,
                     const struct action *action);

/* An event that is another's to describe, with the members of a JSON object
 * that is not empty. */
void events_note(struct dispatch *dispatch, struct slice event,
                 struct slice object);

/* "paused", "resumed", "action_begun", "action_done", "action_cancelled". */
void events_action(struct dispatch *dispatch, const char *event,
                   const struct action *action);

#endif
