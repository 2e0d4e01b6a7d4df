/*
 * events.h - lines of the event log that the lane thread writes.
 *
 * Keys stand in a fixed order, and only those that are known: ts, event, id,
 * account, tenant, stream, reasons, route, pool, source, source_ip, site, host,
 * host_ip, recipient, sender, status, code, reply, tls, attempt, queued_ms,
 * delivery_ms, size, message_id.
 */
#ifndef ROUTER_DISPATCH_EVENTS_H
#define ROUTER_DISPATCH_EVENTS_H

#include "common/proto/verdict.h"
#include "common/proto/wire.h"
#include "router/dispatch/core.h"
#include "router/envelope.h"

/* What happened to one recipient; all borrowed. */
struct event_outcome {
    const char *event; /* "delivered", "deferred", "bounced", "expired" */
    const struct envelope *envelope;
    const struct envelope_recipient *recipient;
    const struct job *job;
    const struct verdict *verdict;
    const struct wire_result *result; /* NULL: no attempt was made */
};

void events_accepted(struct dispatch *dispatch,
                     const struct envelope *envelope);
void events_outcome(struct dispatch *dispatch,
                    const struct event_outcome *outcome);

/* The job was with this worker, and may have been delivered. `done` says what
 * follows: "retry" or "hold". */
void events_possible_duplicate(struct dispatch *dispatch, const struct job *job,
                               const char *worker, const char *done);

/* "worker_up", "worker_lost" with why: "silent", "restarted". */
void events_worker(struct dispatch *dispatch, const char *event,
                   const struct worker *worker, const char *why);

/* Jobs of a lane whose pool has no live source went to other pools. */
void events_rerouted(struct dispatch *dispatch, const struct lane *lane,
                     uint32_t jobs);

#endif
