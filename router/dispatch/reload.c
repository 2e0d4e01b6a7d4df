/* reload.c - the lane thread changes over to a new config. */
#include "router/dispatch/reload.h"

#include "common/edge/log.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/hear.h"
#include "router/dispatch/place.h"
#include "router/dispatch/warn.h"

/* All READY jobs, out of their lanes, by lane and turn. */
static void empty_lanes(struct dispatch *dispatch, struct list *jobs)
{
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));)
        lane_drain(lane, jobs);
}

/* An operator's route is kept by its name. */
static void rename_job(struct dispatch *dispatch, const struct conf *old,
                       const struct envelope *envelope, struct job *job)
{
    const bool rerouted = job->rerouted;
    const char *route = old->routes[job->route].name;
    entry_name(dispatch, envelope, job);
    if (rerouted)
        (void)entry_reroute(dispatch, job, slice_text(route));
}

static void rename_jobs(struct dispatch *dispatch, const struct conf *old)
{
    size_t at = 0;
    for (struct queued *queued;
         (queued = table_next(&dispatch->lanes.messages, &at));) {
        dispatch_begin(dispatch);
        const struct envelope *envelope = dispatch_open(dispatch, queued);
        for (struct job *job = queued->jobs; job; job = job->sibling)
            rename_job(dispatch, old, envelope, job);
        warn_watch(dispatch, envelope);
    }
}

/* The site of its domain as the new config has it. */
static void take_site(struct dispatch *dispatch, struct job *job)
{
    struct destination *known =
        mx_known(dispatch->mx, job->destination->domain);
    if (!known)
        return;
    struct destination *old = job->destination;
    job->destination = destination_hold(known);
    destination_release(&old);
}

/* A lane whose jobs have left for another has cold ones behind them. */
static void wake_cold(struct dispatch *dispatch)
{
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));)
        fetch_want(dispatch, lane);
}

/* The one of the new config that we are: by name, which does not change. */
static const struct conf_router *ourselves(const struct dispatch *dispatch,
                                           const struct conf *conf)
{
    return conf_router(conf, slice_text(dispatch->router->name));
}

void reload(struct dispatch *dispatch, struct conf *conf)
{
    const struct conf_router *router = ourselves(dispatch, conf);
    if (!router) {
        log_line(LOG_ERROR, "reload_refused", "why=\"router not in config\"");
        conf_release(&conf);
        return;
    }
    struct list jobs;
    list_init(&jobs);
    pauses_lift(dispatch);
    empty_lanes(dispatch, &jobs);

    struct conf *old = dispatch->conf;
    dispatch->conf = conf;
    dispatch->router = router;
    lanes_reconf(&dispatch->lanes, conf, &dispatch->found);
    streams_reconf(&dispatch->streams, conf);
    mx_reconf(dispatch->mx, conf);
    pools_reconf(&dispatch->pools, conf, &dispatch->workers,
                 dispatch_now_ms(dispatch));
    pools_update(&dispatch->pools, &dispatch->workers, conf->bus.lease_ms,
                 dispatch_now_ms(dispatch));
    rename_jobs(dispatch, old);
    hear_welcome_all(dispatch);
    for (struct list *link; (link = list_take(&jobs));) {
        struct job *job = container_of(link, struct job, link);
        take_site(dispatch, job);
        place_ready(dispatch, job, LANE_BACK);
    }
    wake_cold(dispatch);
    pauses_apply(dispatch);
    conf_release(&old);
}
