/* place.c - a job finds its destination, its pool and its lane; or waits. */
#include "router/dispatch/place.h"

#include "common/base/check.h"
#include "common/base/time.h"
#include "common/edge/idn.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/events.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/outcome.h"

struct slice place_domain_of(struct slice address)
{
    size_t at = address.len;
    while (at > 0 && address.ptr[at - 1] != '@')
        at--;
    return at > 0 ? slice_from(address, at) : slice_of("", 0);
}

static const struct conf_provider *provider_named(const struct conf *conf,
                                                  struct slice name)
{
    for (size_t i = 0; i < conf->provider_count; i++)
        if (slice_equal(slice_text(conf->providers[i].name), name))
            return &conf->providers[i];
    return NULL;
}

static size_t recipients_max(const struct conf *conf,
                             const struct destination *destination)
{
    const struct conf_limit *limit =
        conf_limit(conf, LIMIT_MAX_RCPT_PER_TRANSACTION, destination->domain,
                   provider_named(conf, destination->provider));
    if (limit->number == 0 || limit->number > WIRE_RECIPIENTS_MAX)
        return WIRE_RECIPIENTS_MAX;
    return limit->number;
}

/* The alarm for the message's expiry, at the latest at `next_ms`. */
static void set_alarm(struct dispatch *dispatch, struct job *job,
                      uint64_t next_ms)
{
    const uint64_t utc_ms = time_utc_ms();
    const uint64_t expires = job->queued->expires_utc_ms;
    const uint64_t left_ms = expires > utc_ms ? expires - utc_ms : 0;
    const uint64_t expiry_ms = dispatch_now_ms(dispatch) + left_ms;
    wheel_set(&dispatch->wheel, &job->alarm,
              next_ms < expiry_ms ? next_ms : expiry_ms);
}

void place_ready(struct dispatch *dispatch, struct job *job, enum lane_end end)
{
    const struct conf *conf = dispatch->conf;
    CHECK(job->route < conf->route_count && job->destination);
    const struct conf_pool *pool =
        pools_for_route(&dispatch->pools, &conf->routes[job->route]);
    struct lane *lane = lanes_lane(&dispatch->lanes, pool, job->destination);
    const size_t max = recipients_max(conf, job->destination);
    job->held = false;
    while (job) {
        struct job *rest = NULL;
        if (job->recipient_count > max) {
            rest = job_split(job, max);
            queued_add(job->queued, rest);
        }
        set_alarm(dispatch, job, UINT64_MAX);
        lanes_push(&dispatch->lanes, lane, job, end);
        job = rest;
    }
    dispatch_wake(dispatch, lane);
}

void place_waiting(struct dispatch *dispatch, struct job *job,
                   struct lane *lane, uint64_t next_ms)
{
    job->held = false;
    job->queued->is_next = false;
    set_alarm(dispatch, job, next_ms);
    if (lane) {
        lanes_park(lane, job, JOB_WAITING);
        return;
    }
    job->lane = NULL;
    job->state = JOB_WAITING;
    list_push_back(&dispatch->homeless, &job->link);
}

void place_answered(struct dispatch *dispatch, struct job *job,
                    const struct mx_answer *answer)
{
    if (answer->kind == MX_FOUND) {
        struct destination *old = job->destination;
        job->destination = destination_hold(answer->destination);
        destination_release(&old);
        place_ready(dispatch, job, LANE_BACK);
        return;
    }
    struct verdict verdict;
    verdict_local(&verdict, answer->status, "%s", answer->text);
    outcome_local(dispatch, job, &verdict);
}

/* RESOLVING, then READY. */
static void resolve(struct dispatch *dispatch, struct job *job,
                    struct slice domain)
{
    /* A name that cannot be one is the empty name, which nobody has. */
    char ascii[IDN_DOMAIN_SIZE] = "";
    if (!idn_to_ascii(domain, ascii))
        ascii[0] = '\0';
    struct mx_answer answer;
    job->held = false;
    job->lane = NULL;
    job->state = JOB_RESOLVING;
    if (mx_ask(dispatch->mx, slice_text(ascii), &job->link,
               dispatch_now_ms(dispatch), &answer))
        place_answered(dispatch, job, &answer);
    else
        set_alarm(dispatch, job, UINT64_MAX);
}

/* The domain of the first recipient is the domain of all. */
static struct slice domain_of_job(struct dispatch *dispatch, struct job *job)
{
    const struct envelope *envelope = dispatch_open(dispatch, job->queued);
    const uint32_t index = job_recipients(job)[0].index;
    return place_domain_of(envelope->recipients[index].address);
}

void place_message(struct dispatch *dispatch, struct queued *queued)
{
    /* Placing a job may end it, and may add others before those to come. */
    struct job *next = NULL;
    for (struct job *job = queued->jobs; job; job = next) {
        next = job->sibling;
        resolve(dispatch, job, domain_of_job(dispatch, job));
    }
}

static void resolve_again(struct dispatch *dispatch, struct job *job)
{
    if (job->destination) {
        struct destination *destination = destination_hold(job->destination);
        resolve(dispatch, job, destination->domain);
        destination_release(&destination);
        return;
    }
    resolve(dispatch, job, domain_of_job(dispatch, job));
}

void place_again(struct dispatch *dispatch, struct job *job)
{
    const uint64_t next_ms = job->alarm.at_ms;
    if (time_utc_ms() >= job->queued->expires_utc_ms)
        outcome_expired(dispatch, job);
    else if (next_ms > dispatch_now_ms(dispatch))
        place_waiting(dispatch, job, job->lane, next_ms);
    else
        resolve_again(dispatch, job);
}

void place_claimed(struct dispatch *dispatch, struct job *job)
{
    wheel_clear(&job->alarm);
    if (job->state != JOB_WAITING && job->state != JOB_FOUND)
        job->alarm.at_ms = 0;
    job->lane = NULL;
    job->state = JOB_CLAIMED;
    list_push_back(&dispatch->claimed, &job->link);
}

static struct lane *lane_of(struct dispatch *dispatch, const struct job *job)
{
    const struct conf_route *route = &dispatch->conf->routes[job->route];
    return lanes_lane(&dispatch->lanes,
                      pools_for_route(&dispatch->pools, route),
                      job->destination);
}

void place_held(struct dispatch *dispatch, struct job *job)
{
    job->held = true;
    set_alarm(dispatch, job, UINT64_MAX);
    if (job->destination) {
        lanes_park(lane_of(dispatch, job), job, JOB_HELD);
    } else {
        job->lane = NULL;
        job->state = JOB_HELD;
        list_push_back(&dispatch->homeless, &job->link);
    }
    entry_rest_body(dispatch, job->queued);
}

void place_paused(struct dispatch *dispatch, struct job *job)
{
    set_alarm(dispatch, job, UINT64_MAX);
    lanes_park(job->lane, job, JOB_PAUSED);
}

void place_rerouted(struct dispatch *dispatch, struct job *job)
{
    if (job->state == JOB_HELD)
        place_held(dispatch, job);
    else if (job->state == JOB_WAITING)
        place_waiting(dispatch, job,
                      job->destination ? lane_of(dispatch, job) : NULL,
                      job->alarm.at_ms);
    else if (job->destination)
        place_ready(dispatch, job, LANE_BACK);
    else
        resolve_again(dispatch, job);
}

void place_in_doubt(struct dispatch *dispatch, struct job *job,
                    const char *worker)
{
    const bool hold =
        dispatch->conf->streams[job->stream].in_doubt == IN_DOUBT_HOLD;
    if (worker) {
        dispatch->counters.in_doubt++;
        events_possible_duplicate(dispatch, job, worker,
                                  hold ? "hold" : "retry");
    }
    if (!hold) {
        job->alarm.at_ms = 0;
        if (job->destination)
            place_ready(dispatch, job, LANE_FRONT);
        else
            place_again(dispatch, job);
        return;
    }
    dispatch->changed = true; /* a restart must not send it either */
    place_held(dispatch, job);
}

static bool may_expire(enum job_state state)
{
    return state == JOB_READY || state == JOB_WAITING || state == JOB_RESOLVING
           || state == JOB_HELD || state == JOB_PAUSED;
}

/* All that waits of the message, so that one report tells of it. */
static void expire_all(struct dispatch *dispatch, struct queued *queued)
{
    for (struct job *job = queued->jobs; job; job = job->sibling) {
        if (!may_expire(job->state))
            continue;
        lanes_leave(job);
        outcome_expired(dispatch, job);
    }
}

void place_rang(struct dispatch *dispatch, struct job *job)
{
    struct queued *queued = job->queued;
    dispatch_begin(dispatch);
    wheel_clear(&job->alarm);
    const bool expired = time_utc_ms() >= queued->expires_utc_ms;
    if (!expired && job->state != JOB_WAITING) {
        set_alarm(dispatch, job, UINT64_MAX);
        return;
    }
    if (expired) {
        expire_all(dispatch, queued);
    } else {
        lanes_leave(job);
        resolve_again(dispatch, job);
    }
    outcome_close(dispatch, queued, NULL);
}

void place_lane_again(struct dispatch *dispatch, struct lane *lane)
{
    struct list jobs;
    list_init(&jobs);
    lane_drain(lane, &jobs);
    for (struct list *link; (link = list_take(&jobs));)
        place_ready(dispatch, container_of(link, struct job, link), LANE_BACK);
    fetch_want(dispatch, lane);
}
