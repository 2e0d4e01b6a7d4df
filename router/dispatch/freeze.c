/* freeze.c - a message that will not leave soon goes cold. */
#include "router/dispatch/freeze.h"

#include "router/dispatch/entry.h"
#include "router/dispatch/fetch.h"

/* All that is known of it is on disk. */
static bool is_alone(const struct dispatch *dispatch,
                     const struct queued *queued)
{
    return queued->jobs && !queued->jobs->sibling && queued->writes == 0
           && leases_claims_of(&dispatch->leases, queued->id) == 0
           && !operate_wants(dispatch, queued->id);
}

static bool waits_long(const struct dispatch *dispatch, const struct job *job)
{
    return job->state == JOB_WAITING
           && job->alarm.at_ms
                  >= dispatch_now_ms(dispatch) + DISPATCH_COLD_WAIT_MS;
}

void freeze_if_idle(struct dispatch *dispatch, struct queued *queued)
{
    if (!is_alone(dispatch, queued))
        return;
    struct job *job = queued->jobs;
    struct lane *lane = job->lane;
    if (job->state == JOB_READY && lane_is_deep(lane, job, queued->is_next)) {
        lane_freeze(lane, job, job->alarm.at_ms);
        fetch_want(dispatch, lane);
    } else if (waits_long(dispatch, job)) {
        cold_wait(dispatch->lanes.warmth.cold,
                  lane ? &lane->cold_waiting : &dispatch->cold_homeless,
                  queued->id, job->alarm.at_ms);
    } else {
        return;
    }
    cold_set_recipients(dispatch->lanes.warmth.cold, queued->id,
                        queued_recipients(queued));
    entry_forget(dispatch, &queued);
}
