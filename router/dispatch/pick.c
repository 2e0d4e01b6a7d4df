/* pick.c - which job of a lane leaves next, and by whose credit. */
#include "router/dispatch/pick.h"

#include "common/base/time.h"
#include "router/dispatch/place.h"

/* Can the source send for this lane, now or as soon as it has credit? */
static bool is_alive(const struct dispatch *dispatch, const struct lane *lane,
                     uint32_t source)
{
    if (!lane->pool || pools_weight(&dispatch->pools, lane->pool, source) == 0)
        return false;
    if (lane->credits
        && credits_is_elsewhere(lane->credits, source,
                                dispatch_now_ms(dispatch)))
        return false;
    list_each (link, &dispatch->workers.all) {
        const struct worker *worker = container_of(link, struct worker, link);
        if (!worker->draining && worker_has_source(worker, source))
            return true;
    }
    return false;
}

/* The source that the job has to leave by, or CREDIT_ANY. */
static uint32_t source_of(const struct dispatch *dispatch,
                          const struct lane *lane, struct job *job)
{
    const uint32_t source = job_source(job);
    if (source == 0 || lane->aside.count >= DISPATCH_ASIDE_MAX
        || !is_alive(dispatch, lane, source - 1))
        return CREDIT_ANY;
    return source - 1;
}

/* It expired, and its alarm has not rung yet: it does now. */
static bool has_expired(struct dispatch *dispatch, struct lane *lane,
                        struct job *job, uint64_t utc_ms)
{
    if (utc_ms < job->queued->expires_utc_ms)
        return false;
    lanes_push(&dispatch->lanes, lane, job, LANE_FRONT);
    place_rang(dispatch, job);
    return true;
}

/* At most `count` of those set aside for the source go back to the front. */
static void recall(struct dispatch *dispatch, struct lane *lane,
                   uint32_t source, uint64_t count)
{
    struct list jobs;
    list_init(&jobs);
    for (; count > 0; count--) {
        struct job *job = aside_take(&lane->aside, source + 1);
        if (!job)
            break;
        lane->ready--;
        list_push_back(&jobs, &job->link);
    }
    while (!list_is_empty(&jobs)) { /* the newest goes in first */
        struct job *job = container_of(jobs.prev, struct job, link);
        list_remove(&job->link);
        lanes_push(&dispatch->lanes, lane, job, LANE_FRONT);
    }
}

static void recall_who_may_go(struct dispatch *dispatch, struct lane *lane,
                              uint64_t now_ms)
{
    const struct credits *credits = lane->credits;
    for (size_t i = 0; lane->aside.count > 0 && i < credits->count; i++)
        if (credits->items[i].muted_ms <= now_ms)
            recall(dispatch, lane, credits->items[i].source,
                   credit_left(&credits->items[i]));
}

bool pick_next(struct dispatch *dispatch, struct lane *lane, struct pick *pick)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    if (!lane->credits || !credits_pick(lane->credits, CREDIT_ANY, now_ms))
        return false;
    const uint64_t utc_ms = time_utc_ms();
    recall_who_may_go(dispatch, lane, now_ms);
    for (unsigned step = 0; step < DISPATCH_STEPS_MAX; step++) {
        struct job *job = lane_next(lane, utc_ms, &pick->rank);
        if (!job)
            return false;
        if (has_expired(dispatch, lane, job, utc_ms))
            continue;
        pick->job = job;
        pick->credit =
            credits_pick(lane->credits, source_of(dispatch, lane, job), now_ms);
        if (pick->credit)
            return true;
        lane_set_aside(lane, job);
    }
    timer_set(dispatch->unmute, now_ms + DISPATCH_MUTE_MS);
    return false;
}

/* Nobody holds one of these: begins anew, since recalling changes the walk. */
static uint32_t find_dead(const struct dispatch *dispatch,
                          const struct lane *lane)
{
    size_t at = 0;
    for (uint32_t source; (source = aside_next(&lane->aside, &at));)
        if (!is_alive(dispatch, lane, source - 1))
            return source;
    return 0;
}

void pick_release(struct dispatch *dispatch)
{
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));) {
        if (lane->aside.count == 0)
            continue;
        for (uint32_t dead; (dead = find_dead(dispatch, lane));)
            recall(dispatch, lane, dead - 1, UINT64_MAX);
        dispatch_wake(dispatch, lane);
    }
}
