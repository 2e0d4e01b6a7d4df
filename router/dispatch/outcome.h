/*
 * outcome.h - what became of recipients: delivered, to be tried again, failed.
 *
 * Deferred: the next attempt by retry.h; one that would come after the
 * message's expiry becomes the expiry itself. Failed, expired, or delivered where
 * the sender is to hear of it: a report is made (bounce.h), and until that is on
 * disk the recipients stay pending there, in a BOUNCING job.
 *
 * A job given to these functions is in no list; it must not be used afterwards.
 * Each of them leaves word of the change; outcome_close() then has the disk
 * follow, once per event.
 */
#ifndef ROUTER_DISPATCH_OUTCOME_H
#define ROUTER_DISPATCH_OUTCOME_H

#include "common/base/list.h"
#include "common/proto/verdict.h"
#include "common/proto/wire.h"
#include "router/dispatch/core.h"

/* Who waits for the disk: the lease of a worker. */
struct outcome_ack {
    uint32_t worker; /* its number */
    uint64_t lease;
};

/* A worker's result; recipients that it does not name count as handed back,
 * those that it names and the job has not are passed over. */
void outcome_result(struct dispatch *dispatch, struct job *job,
                    const struct wire_result *result);

/* What the result says of a recipient of the envelope; NULL: nothing. Results
 * name recipients in the order of the job, so the search goes on where the last
 * one ended: *hint, which begins as 0. */
const struct wire_outcome *outcome_find(const struct wire_result *result,
                                        uint32_t index, size_t *hint);

/* Our own finding about all recipients: VERDICT_DEFERRED or _FAILED. */
void outcome_local(struct dispatch *dispatch, struct job *job,
                   const struct verdict *verdict);

/* 5.4.7, with the last reply. */
void outcome_expired(struct dispatch *dispatch, struct job *job);

/* Ends the event: writes what has changed. ack NULL: nobody waits. queued NULL:
 * nothing is known of the message. It may be gone from memory afterwards. */
void outcome_close(struct dispatch *dispatch, struct queued *queued,
                   const struct outcome_ack *ack);

#endif
