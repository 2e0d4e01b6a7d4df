/* hear.c - what workers say, and what their silence means. */
#include "router/dispatch/hear.h"

#include "common/base/check.h"
#include "common/edge/log.h"
#include "router/dispatch/claims.h"
#include "router/dispatch/events.h"
#include "router/dispatch/offers.h"
#include "router/dispatch/outcome.h"
#include "router/dispatch/pick.h"
#include "router/dispatch/place.h"
#include "router/dispatch/results.h"

static void welcome(struct dispatch *dispatch, const struct worker *worker)
{
    const struct wire_frame frame = {
        .kind = WIRE_WELCOME,
        .as.welcome = {
            .router = slice_text(dispatch->router->name),
            .boot = dispatch->boot,
            .config_digest = dispatch->conf->digest,
            .beat_ms = dispatch->conf->bus.beat_ms,
            .lease_ms = dispatch->conf->bus.lease_ms,
            .rank = worker->rank,
            .workers = dispatch->workers.count,
        },
    };
    (void)dispatch_say(dispatch, &worker->peer, &frame);
}

static void beat(struct dispatch *dispatch, const struct bus_peer *peer,
                 uint64_t boot, uint32_t rank)
{
    const struct wire_frame frame = {
        .kind = WIRE_BEAT,
        .as.beat = { boot, rank, dispatch->workers.count },
    };
    (void)dispatch_say(dispatch, peer, &frame);
}

void hear_beat_all(struct dispatch *dispatch)
{
    list_each (link, &dispatch->workers.all) {
        const struct worker *worker = container_of(link, struct worker, link);
        beat(dispatch, &worker->peer, dispatch->boot, worker->rank);
    }
}

void hear_welcome_all(struct dispatch *dispatch)
{
    offers_forget(dispatch);
    list_each (link, &dispatch->workers.all)
        welcome(dispatch, container_of(link, struct worker, link));
}

static void update_pools(struct dispatch *dispatch)
{
    pools_update(&dispatch->pools, &dispatch->workers,
                 dispatch->conf->bus.lease_ms, dispatch_now_ms(dispatch));
}

static void forget_credit(struct dispatch *dispatch,
                          const struct worker *worker)
{
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));)
        if (lane->credits)
            credits_forget(lane->credits, worker->number);
}

/* Nobody has it: back to where it was. A whole event. */
static void return_lease(struct dispatch *dispatch, struct lease *lease)
{
    dispatch_begin(dispatch);
    struct job *job = leases_return(&dispatch->leases, &lease);
    if (!job)
        return;
    dispatch->counters.handed_back++;
    place_ready(dispatch, job, LANE_FRONT);
}

/* The worker may have sent it, unless it never left. */
static void doubt_lease(struct dispatch *dispatch, struct lease *lease)
{
    const struct worker *worker = lease->worker;
    if (lease->is_fetching) {
        return_lease(dispatch, lease);
        return;
    }
    leases_doubt(&dispatch->leases, lease->id);
    struct job *job = leases_return(&dispatch->leases, &lease);
    if (!job)
        return;
    struct queued *queued = job->queued;
    dispatch_begin(dispatch);
    place_in_doubt(dispatch, job, worker->name);
    outcome_close(dispatch, queued, NULL);
}

/* `is_remembered`: its next life is here and claims what it may have sent; all
 * else was not begun. */
static void lose(struct dispatch *dispatch, struct worker *worker,
                 const char *why, bool is_remembered)
{
    events_worker(dispatch, "worker_lost", worker, why);
    log_line(LOG_WARNING, "worker_lost", "worker=%s why=%s leases=%u",
             worker->name, why, worker->lease_count);
    forget_credit(dispatch, worker);
    /* The newest first: each goes to the front. */
    while (!list_is_empty(&worker->leases)) {
        struct lease *lease =
            container_of(worker->leases.prev, struct lease, link);
        if (is_remembered)
            return_lease(dispatch, lease);
        else
            doubt_lease(dispatch, lease);
    }
    claims_lose(dispatch, worker, is_remembered);
    workers_drop(&dispatch->workers, &worker);
    update_pools(dispatch);
    pick_release(dispatch);
    hear_beat_all(dispatch);
}

/* Leases that the worker does not name: a JOB frame was lost, or it is on its
 * way now and crossed the HELLO. */
static void check_leases(struct dispatch *dispatch, struct worker *worker,
                         const struct wire_hello *hello)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    list_each (link, &worker->leases) {
        struct lease *lease = container_of(link, struct lease, link);
        if (claims_names(hello, lease->id))
            continue;
        if (now_ms < lease->since_ms + DISPATCH_CROSSING_MS) {
            lease->until_ms = now_ms + DISPATCH_SUSPECT_MS;
            continue;
        }
        return_lease(dispatch, lease);
    }
}

static void hear_hello(struct dispatch *dispatch, const struct bus_peer *peer,
                       const struct wire_hello *hello)
{
    struct worker *known = workers_by_peer(&dispatch->workers, peer);
    struct worker *namesake =
        workers_by_name(&dispatch->workers, hello->worker);
    if (namesake && namesake != known)
        lose(dispatch, namesake, "restarted",
             claims_remember(hello, namesake->boot));
    if (known && known->boot != hello->boot) {
        const bool is_remembered = claims_remember(hello, known->boot);
        lose(dispatch, steal(known), "restarted", is_remembered);
    }

    struct worker *worker = workers_hello(&dispatch->workers, peer, hello,
                                          dispatch_now_ms(dispatch));
    if (!worker) {
        log_line(LOG_ERROR, "worker_refused", "workers=%u",
                 dispatch->workers.count);
        return;
    }
    forget_credit(dispatch, worker);
    if (known)
        check_leases(dispatch, worker, hello);
    else
        events_worker(dispatch, "worker_up", worker, NULL);
    claims_renew(dispatch, worker, hello);
    update_pools(dispatch);
    pick_release(dispatch);
    welcome(dispatch, worker);
    offers_greet(dispatch, worker);
    if (!known)
        hear_beat_all(dispatch);
}

static void hear_pull(struct dispatch *dispatch, const struct worker *worker,
                      const struct wire_pull *pull)
{
    struct lane *lane = lanes_by_number(&dispatch->lanes, pull->lane);
    if (!lane || !lane->pool || worker->draining)
        return;
    uint32_t source = 0;
    if (!names_find(&dispatch->workers.sources, pull->source, &source)
        || !worker_has_source(worker, source))
        return;
    const uint32_t weight = pools_weight(&dispatch->pools, lane->pool, source);
    if (weight == 0)
        return;
    if (!lane->credits)
        lane->credits = credits_new();
    credits_pull(lane->credits, &(struct credit_ask){
                                    .source = source,
                                    .worker = worker->number,
                                    .weight = weight,
                                    .total = pull->total,
                                });
    dispatch_wake(dispatch, lane);
}

/* Jobs that insist on the source would wait for what it cannot reach. */
static void note_family(struct dispatch *dispatch, const struct lease *lease)
{
    const struct lane *lane = lanes_by_number(&dispatch->lanes, lease->lane);
    if (lane && lane->credits)
        credits_set_elsewhere(lane->credits, lease->source,
                              dispatch_now_ms(dispatch) + DISPATCH_FAMILY_MS);
}

static void hear_handback(struct dispatch *dispatch,
                          const struct worker *worker,
                          const struct wire_handback *handback)
{
    for (size_t i = 0; i < handback->leases.count; i++) {
        const uint64_t id = handback->leases.items[i];
        struct lease *lease = leases_get(&dispatch->leases, id);
        if (!lease || lease->worker != worker) {
            claims_done(dispatch, worker, id);
            continue;
        }
        if (slice_equal(handback->reason, SLICE("family")))
            note_family(dispatch, lease);
        return_lease(dispatch, lease);
    }
}

static void hear_drain(struct dispatch *dispatch, struct worker *worker)
{
    worker->draining = true;
    forget_credit(dispatch, worker);
    update_pools(dispatch);
    pick_release(dispatch);
    log_line(LOG_INFO, "worker_drains", "worker=%s", worker->name);
}

static void hear_known(struct dispatch *dispatch, struct worker *worker,
                       const struct wire_frame *frame)
{
    worker->heard_ms = dispatch_now_ms(dispatch);
    switch (frame->kind) {
    case WIRE_PULL:
        hear_pull(dispatch, worker, &frame->as.pull);
        return;
    case WIRE_HANDBACK:
        hear_handback(dispatch, worker, &frame->as.handback);
        return;
    case WIRE_RESULT:
        results_hear(dispatch, worker, &frame->as.result);
        return;
    case WIRE_LINES:
        tracing_hear(dispatch, worker, &frame->as.lines);
        return;
    case WIRE_DRAIN:
        hear_drain(dispatch, worker);
        return;
    case WIRE_BEAT:
        return;
    case WIRE_HELLO:
    case WIRE_WELCOME:
    case WIRE_OFFER:
    case WIRE_JOB:
    case WIRE_ACK:
    case WIRE_TRACE:
        break;
    }
    log_line(LOG_WARNING, "frame_unexpected", "worker=%s kind=%s", worker->name,
             wire_kind_name(frame->kind));
}

void hear_frame(void *context, const struct bus_peer *peer, struct slice head,
                struct slice body)
{
    (void)body; /* workers send none */
    struct dispatch *dispatch = context;
    struct wire_frame frame;
    arena_clear(&dispatch->frames);
    const enum rc rc = wire_decode(head, &dispatch->frames, &frame);
    if (rc != RC_OK) {
        log_line(LOG_WARNING, "frame_unreadable", "rc=%s bytes=%zu",
                 rc_name(rc), head.len);
        return;
    }
    if (frame.kind == WIRE_HELLO) {
        hear_hello(dispatch, peer, &frame.as.hello);
        return;
    }
    struct worker *worker = workers_by_peer(&dispatch->workers, peer);
    if (worker)
        hear_known(dispatch, worker, &frame);
    else
        beat(dispatch, peer, 0, 0);
}

static void check_ages(struct dispatch *dispatch, const struct worker *worker,
                       uint64_t now_ms)
{
    list_each (link, &worker->leases) {
        struct lease *lease = container_of(link, struct lease, link);
        if (lease->until_ms <= now_ms)
            doubt_lease(dispatch, lease);
    }
}

void hear_tick(struct dispatch *dispatch)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    const uint64_t lease_ms = dispatch->conf->bus.lease_ms;
    struct list *next = NULL;
    for (struct list *link = dispatch->workers.all.next;
         link != &dispatch->workers.all; link = next) {
        struct worker *worker = container_of(link, struct worker, link);
        next = link->next;
        if (now_ms >= worker->heard_ms + lease_ms)
            lose(dispatch, worker, "silent", false);
    }
    update_pools(dispatch);
}

void hear_sweep(struct dispatch *dispatch)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    list_each (link, &dispatch->workers.all)
        check_ages(dispatch, container_of(link, struct worker, link), now_ms);
}
