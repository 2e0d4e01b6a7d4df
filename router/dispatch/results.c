/* results.c - what a RESULT means. */
#include "router/dispatch/results.h"

#include <inttypes.h>

#include "common/base/check.h"
#include "common/base/crash.h"
#include "common/edge/log.h"
#include "router/dispatch/claims.h"
#include "router/dispatch/events.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/outcome.h"
#include "router/dispatch/settle.h"

/* Does a late outcome still count for a recipient of this job? */
static bool counts(const struct job *job, const struct wire_outcome *outcome)
{
    if (!outcome)
        return false;
    switch (outcome->verdict.class) {
    case VERDICT_DELIVERED:
        return true;
    case VERDICT_FAILED:
        return job->state != JOB_LEASED;
    case VERDICT_DEFERRED:
        return job->state != JOB_LEASED && job->state != JOB_WAITING;
    }
    return false;
}

/* The recipients for which the result counts, in no list; the others stay where
 * they are. NULL: it counts for none. */
static struct job *take_named(struct dispatch *dispatch, struct job *job,
                              const struct wire_result *result)
{
    const size_t count = job->recipient_count;
    bool *keep = arena_new(&dispatch->scratch, count, sizeof *keep);
    CHECK(keep); /* as for outcome.c: made for the largest envelope */
    const struct job_recipient *recipients = job_recipients(job);
    size_t kept = 0;
    size_t hint = 0;
    for (size_t i = 0; i < count; i++) {
        keep[i] =
            !counts(job, outcome_find(result, recipients[i].index, &hint));
        kept += keep[i];
    }
    if (kept == count)
        return NULL;
    if (kept > 0)
        return queued_divide(job, keep);
    if (job->state == JOB_LEASED)
        leases_of_job(&dispatch->leases, job)->job = NULL;
    lanes_leave(job);
    return job;
}

static void hear_late(struct dispatch *dispatch, struct queued *queued,
                      const struct wire_result *result)
{
    struct job *next = NULL;
    for (struct job *job = queued->jobs; job; job = next) {
        next = job->sibling;
        if (job->state == JOB_BOUNCING)
            continue;
        struct job *named = take_named(dispatch, job, result);
        if (named)
            outcome_result(dispatch, named, result);
    }
}

/* A lease that was lost gives no right to report: what its worker says then is
 * answered, and counts only as far as hear_late() lets it. */
static void note_late(const struct dispatch *dispatch,
                      const struct worker *worker,
                      const struct wire_result *result)
{
    if (leases_is_doubted(&dispatch->leases, result->lease))
        log_line(LOG_INFO, "result_late", "worker=%s lease=%" PRIu64,
                 worker->name, result->lease);
}

/* Nothing of it is pending any more, or with others: it was sent again without
 * a word of doubt, which is made up for here. */
static void end_doubt(struct dispatch *dispatch, const struct worker *worker,
                      const struct wire_result *result)
{
    if (!result->in_doubt
        || leases_is_doubted(&dispatch->leases, result->lease))
        return;
    leases_doubt(&dispatch->leases, result->lease);
    dispatch->counters.in_doubt++;
    events_late_doubt(dispatch, result->message, worker->name);
}

void results_hear(struct dispatch *dispatch, const struct worker *worker,
                  const struct wire_result *result)
{
    const struct outcome_ack ack = { worker->number, result->lease };
    if (settle_adopt(dispatch, &ack))
        return;
    if (fetch_is_cold(dispatch, result->message)) {
        fetch_for_result(dispatch, worker, result);
        return;
    }
    struct lease *lease = leases_get(&dispatch->leases, result->lease);
    struct queued *queued =
        table_get(&dispatch->lanes.messages, result->message);
    struct job *job = NULL;
    CRASH_POINT("result.heard");
    dispatch_begin(dispatch);
    if (lease && lease->worker == worker)
        job = leases_take(&dispatch->leases, &lease);
    if (job) {
        queued = job->queued;
        outcome_result(dispatch, job, result);
    } else {
        note_late(dispatch, worker, result);
        if (queued)
            hear_late(dispatch, queued, result);
    }
    end_doubt(dispatch, worker, result);
    outcome_close(dispatch, queued, &ack);
    claims_done(dispatch, worker, result->lease);
    CRASH_POINT("result.settling");
}
