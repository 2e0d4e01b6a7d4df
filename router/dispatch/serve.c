/* serve.c - a job leaves under a lease. */
#include "router/dispatch/serve.h"

#include <inttypes.h>

#include "common/base/check.h"
#include "common/base/crash.h"
#include "common/edge/log.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/offers.h"
#include "router/dispatch/outcome.h"
#include "router/dispatch/pick.h"
#include "router/dispatch/place.h"

/* Jobs of one lane before the next lane has its turn. */
#define LANE_TURN 16u

static struct wire_recipient *recipients_of(struct dispatch *dispatch,
                                            struct job *job,
                                            const struct envelope *envelope)
{
    struct wire_recipient *list =
        arena_new(&dispatch->scratch, job->recipient_count, sizeof *list);
    CHECK(list);
    const struct job_recipient *recipients = job_recipients(job);
    for (size_t i = 0; i < job->recipient_count; i++) {
        const uint32_t index = recipients[i].index;
        const struct envelope_recipient *recipient =
            &envelope->recipients[index];
        list[i] = (struct wire_recipient){
            .index = index,
            .address = recipient->address,
            .orcpt = recipient->orcpt,
            .notify = recipient->notify,
        };
    }
    return list;
}

/* Encodes the JOB into dispatch->frame. */
static enum rc encode(struct dispatch *dispatch, struct job *job,
                      const struct lane *lane, const struct lease *lease)
{
    const struct envelope *envelope = dispatch_open(dispatch, job->queued);
    const struct destination *destination = job->destination;
    const struct wire_frame frame = {
        .kind = WIRE_JOB,
        .as.job = {
            .lease = lease->id,
            .message = envelope->id,
            .lane = lane->number,
            .source = names_text(&dispatch->workers.sources, lease->source),
            .domain = destination->domain,
            .tenant = envelope->tenant,
            .stream = envelope->stream,
            .mail_from = envelope->mail_from,
            .envid = envelope->envid,
            .ret = envelope->ret,
            .body_8bit = envelope->body_8bit,
            .smtputf8 = envelope->smtputf8,
            .size = envelope->body_size,
            .attempt = job->attempts + 1,
            .accepted_utc_ms = envelope->accepted_utc_ms,
            .hosts = destination->hosts,
            .host_count = destination->host_count,
            .recipients = recipients_of(dispatch, job, envelope),
            .recipient_count = job->recipient_count,
            .rank = lease->rank,
        },
    };
    return wire_encode(&frame, &dispatch->frame);
}

/* From any thread: ZeroMQ needs the body no more. */
static void body_done(void *context)
{
    struct body *body = context;
    body_release(&body);
}

static void defer_unreadable(struct dispatch *dispatch, struct job *job)
{
    struct queued *queued = job->queued;
    struct verdict verdict;
    verdict_local(&verdict, (struct enhanced){ 4, 3, 0 },
                  "the message could not be read from the spool");
    outcome_local(dispatch, job, &verdict);
    outcome_close(dispatch, queued, NULL);
}

static enum rc send_to(struct dispatch *dispatch, struct job *job,
                       const struct lane *lane, const struct lease *lease,
                       struct body *body)
{
    const enum rc rc = encode(dispatch, job, lane, lease);
    if (rc != RC_OK) {
        body_release(&body);
        return rc;
    }
    leases_note(&dispatch->leases, lease);
    CRASH_POINT("job.leaving");
    const enum rc sent = bus_send(dispatch->bus, &lease->worker->peer,
                                  buf_slice(&dispatch->frame), body_slice(body),
                                  body_done, body);
    CRASH_POINT("job.sent");
    if (sent != RC_OK)
        leases_forget(&dispatch->leases, lease->id);
    return sent;
}

/* Of the urgent jobs that workers were told of there is one less. */
static void count_told(struct lane *lane, enum wire_rank rank)
{
    if (rank == WIRE_RANK_URGENT && lane->offer.urgent > 0)
        lane->offer.urgent--;
}

/* It leaves now: only from now on it may cross a HELLO. */
static void believe_from_now(const struct dispatch *dispatch,
                             struct lease *lease)
{
    lease->since_ms = dispatch_now_ms(dispatch);
    lease->until_ms = lease->since_ms + DISPATCH_LEASE_MAX_MS;
}

static struct lease *lease_for(struct dispatch *dispatch,
                               const struct pick *pick)
{
    struct worker *worker =
        workers_by_number(&dispatch->workers, pick->credit->worker);
    CHECK(worker); /* who is gone has no credit */
    struct lease *lease =
        leases_new(&dispatch->leases, worker, pick->job, pick->job->queued->id);
    lease->source = pick->credit->source;
    lease->rank = pick->rank;
    lease->lane = pick->job->lane->number;
    believe_from_now(dispatch, lease);
    return lease;
}

static void count_sent(struct dispatch *dispatch, struct worker *worker)
{
    worker->jobs_sent++;
    dispatch->counters.jobs_sent++;
}

/* Sends the job, or has its body read first. When the worker's link is full or
 * gone the job is back in front. */
static void send_job(struct dispatch *dispatch, struct lane *lane,
                     const struct pick *pick)
{
    struct job *job = pick->job;
    dispatch_begin(dispatch);
    struct lease *lease = lease_for(dispatch, pick);
    struct body *body = job->queued->body;
    if (body && send_to(dispatch, job, lane, lease, body_hold(body)) != RC_OK) {
        leases_end(&dispatch->leases, &lease);
        lanes_push(&dispatch->lanes, lane, job, LANE_FRONT);
        pick->credit->muted_ms = dispatch_now_ms(dispatch) + DISPATCH_MUTE_MS;
        timer_set(dispatch->unmute, pick->credit->muted_ms);
        return;
    }
    job->queued->is_next = true;
    wheel_clear(&job->alarm);
    lanes_park(lane, job, JOB_LEASED);
    credits_use(lane->credits, pick->credit);
    count_told(lane, pick->rank);
    rate_add(&lane->rate, dispatch_now_ms(dispatch));
    if (body)
        count_sent(dispatch, lease->worker);
    else
        fetch_body(dispatch, lease);
}

/* The worker never heard of the lease: its credit is as before. */
static void unuse_credit(const struct lane *lane, const struct lease *lease)
{
    if (lane && lane->credits)
        credits_unuse(lane->credits, lease->source, lease->worker->number);
}

/* The worker's link is full or gone. */
static void mute(struct dispatch *dispatch, const struct lane *lane,
                 const struct lease *lease)
{
    const uint64_t until_ms = dispatch_now_ms(dispatch) + DISPATCH_MUTE_MS;
    if (lane->credits)
        credits_mute(lane->credits, lease->source, lease->worker->number,
                     until_ms);
    timer_set(dispatch->unmute, until_ms);
}

void serve_nothing(struct dispatch *dispatch, struct lease *lease)
{
    unuse_credit(lanes_by_number(&dispatch->lanes, lease->lane), lease);
    leases_end(&dispatch->leases, &lease);
}

void serve_fetched(struct dispatch *dispatch, struct lease *lease,
                   struct body *body)
{
    struct job *job = lease->job;
    struct lane *lane = job->lane;
    lease->is_fetching = false;
    believe_from_now(dispatch, lease);
    dispatch_begin(dispatch);
    const bool is_readable = body != NULL;
    if (is_readable && send_to(dispatch, job, lane, lease, body) == RC_OK) {
        count_sent(dispatch, lease->worker);
        return;
    }
    unuse_credit(lane, lease);
    if (is_readable)
        mute(dispatch, lane, lease);
    (void)leases_return(&dispatch->leases, &lease);
    if (is_readable)
        place_ready(dispatch, job, LANE_FRONT);
    else
        defer_unreadable(dispatch, job);
}

/* True: the lane may have more at once. */
static bool serve_lane(struct dispatch *dispatch, struct lane *lane,
                       unsigned *budget)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    for (unsigned left = LANE_TURN; left > 0 && *budget > 0; left--) {
        struct pick pick;
        const bool found = pick_next(dispatch, lane, &pick);
        fetch_want(dispatch, lane);
        if (!found) {
            offers_need(dispatch, lane);
            return false;
        }
        lane->idle_ms = now_ms;
        (*budget)--;
        if (!pauses_keep(dispatch, pick.job))
            send_job(dispatch, lane, &pick);
    }
    return true;
}

bool serve_lanes(struct dispatch *dispatch)
{
    unsigned budget = DISPATCH_SERVE_MAX;
    while (budget > 0 && !list_is_empty(&dispatch->active)) {
        struct lane *lane =
            container_of(list_take(&dispatch->active), struct lane, link);
        if (serve_lane(dispatch, lane, &budget))
            list_push_back(&dispatch->active, &lane->link);
    }
    return !list_is_empty(&dispatch->active);
}
