/*
 * retry.h - when, and from which source, a deferred job is tried again.
 *
 * When: by the waits that the config gives (conf_retry), or, where the reply
 * names a wait itself and limits.retry_as_asked says so, by that one
 * (schedule_asked_ms). From where: from any source of the pool, or from the one
 * that was deferred, by limits.retry_same_source.
 *
 * All that follows from a plan is in the job and its notes, so it is in the
 * message's state on disk and is the same after a restart.
 */
#ifndef ROUTER_DISPATCH_RETRY_H
#define ROUTER_DISPATCH_RETRY_H

#include "common/proto/verdict.h"
#include "router/dispatch/core.h"

/* For the attempt that is over, which job->attempts does not count yet. */
struct retry_plan {
    uint64_t wait_ms;
    uint64_t asked_ms; /* by the reply, and obeyed; 0: the schedule counts */
    bool same_source;
};

/* The schedule of the job, and who gives it. */
struct conf_retry retry_schedule(const struct dispatch *dispatch,
                                 const struct job *job);

/* What one reply leads to. */
struct retry_plan retry_plan(const struct dispatch *dispatch, struct job *job,
                             const struct verdict *verdict);

/* Of two recipients that stay in one job. */
struct retry_plan retry_join(struct retry_plan a, struct retry_plan b);

/* Is the next attempt before the message's expiry? */
bool retry_comes(const struct job *job, const struct retry_plan *plan);

#endif
