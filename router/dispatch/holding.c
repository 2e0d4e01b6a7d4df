/* holding.c - gathers the facts for `why`. */
#include "router/dispatch/holding.h"

#include <stdio.h>

#include "common/base/time.h"
#include "common/proto/message_id.h"
#include "router/dispatch/retry.h"
#include "router/dispatch/view.h"
#include "router/dispatch/why.h"

/* Jobs looked at to find a place in a lane. */
#define PLACE_MAX  20000u
#define PLACE_SIZE 300

/* A moment on our monotonic clock, in UTC. */
static uint64_t utc_of(const struct dispatch *dispatch, uint64_t utc_ms,
                       uint64_t at_ms)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    return at_ms >= now_ms ? utc_ms + (at_ms - now_ms)
                           : utc_ms - (now_ms - at_ms);
}

static void add_lane(const struct dispatch *dispatch, const struct job *job,
                     struct why_facts *facts)
{
    const struct lane *lane = job->lane;
    facts->pool = lane->pool_name;
    facts->site = lane->site;
    facts->has_pool = lane->pool != NULL;
    facts->is_served =
        lane->pool && dispatch->pools.items[lane->pool->index].served;
    facts->is_asked = lane->credits && lane->credits->count > 0;
    facts->credit = lane->credits ? credits_total(lane->credits) : 0;
    facts->per_minute = rate_per_minute(&lane->rate, dispatch_now_ms(dispatch));
    if (job->state == JOB_READY && !job->aside && lane_has_share(lane, job))
        lane_find(lane, job, PLACE_MAX, &facts->place);
}

/* The wait that its last reply led to, which is the same when asked again. */
static struct retry_plan plan_of(const struct dispatch *dispatch,
                                 struct job *job)
{
    const struct job_note *note = job_recipients(job)[0].note;
    struct verdict verdict;
    verdict_local(&verdict, (struct enhanced){ 4, 0, 0 }, "%.*s",
                  SLICE_ARG(job_note_text(note)));
    verdict.code = note ? note->code : 0;
    job->attempts--; /* as it was before that reply was counted */
    const struct retry_plan plan = retry_plan(dispatch, job, &verdict);
    job->attempts++;
    return plan;
}

static void add_schedule(const struct dispatch *dispatch, struct job *job,
                         struct why_facts *facts, char place[PLACE_SIZE])
{
    if (job->attempts == 0)
        return;
    const struct conf_retry retry = retry_schedule(dispatch, job);
    const struct retry_plan plan = plan_of(dispatch, job);
    facts->steps = (uint32_t)retry.schedule->count;
    facts->step = job->attempts < facts->steps ? job->attempts : facts->steps;
    facts->wait_ms = plan.wait_ms;
    facts->is_asked_wait = plan.asked_ms > 0;
    (void)snprintf(place, PLACE_SIZE, "%s%s%s", retry.by, retry.name ? " " : "",
                   retry.name ? retry.name : "");
    facts->schedule = slice_text(place);
}

static void add_lease(struct dispatch *dispatch, const struct job *job,
                      struct why_facts *facts)
{
    const struct lease *lease = leases_of_job(&dispatch->leases, job);
    if (!lease)
        return;
    facts->worker = slice_text(lease->worker->name);
    facts->source = names_text(&dispatch->workers.sources, lease->source);
    facts->leased_utc_ms = utc_of(dispatch, facts->utc_ms, lease->since_ms);
}

static void add_state(struct dispatch *dispatch, struct job *job,
                      struct why_facts *facts, char place[PLACE_SIZE])
{
    switch (job->state) {
    case JOB_READY:
    case JOB_PAUSED:
        add_lane(dispatch, job, facts);
        break;
    case JOB_WAITING:
        add_schedule(dispatch, job, facts, place);
        facts->next_utc_ms = utc_of(dispatch, facts->utc_ms, job->alarm.at_ms);
        break;
    case JOB_LEASED:
        add_lease(dispatch, job, facts);
        break;
    case JOB_FOUND:
        facts->next_utc_ms = utc_of(dispatch, facts->utc_ms, job->alarm.at_ms);
        facts->release_utc_ms =
            utc_of(dispatch, facts->utc_ms,
                   dispatch->start_ms + dispatch->conf->bus.lease_ms);
        break;
    case JOB_CLAIMED:
    case JOB_RESOLVING:
    case JOB_HELD:
    case JOB_BOUNCING:
        break;
    }
}

static void add_why(struct json *json, const struct why *why)
{
    json_add_text(json, "cause", slice_text(why->cause));
    json_add_text(json, "why", slice_text(why->text));
    if (why->since_utc_ms > 0)
        json_add_number(json, "since_utc_ms", why->since_utc_ms);
    if (why->earliest_utc_ms > 0)
        json_add_number(json, "earliest_utc_ms", why->earliest_utc_ms);
}

static void add_recipient(struct dispatch *dispatch, struct json *json,
                          const struct envelope *envelope, struct job *job,
                          size_t position)
{
    char place[PLACE_SIZE] = "";
    const struct job_recipient *at = &job_recipients(job)[position];
    const struct pause *pause = pauses_find(dispatch, job, position);
    struct why why;
    struct why_facts facts = {
        .utc_ms = time_utc_ms(),
        .accepted_utc_ms = envelope->accepted_utc_ms,
        .expires_utc_ms = envelope->expires_utc_ms,
        .state = job->state,
        .attempts = job->attempts,
        .code = at->note ? at->note->code : 0,
        .reply = job_note_text(at->note),
        .pause = pause ? pause->action : NULL,
    };
    add_state(dispatch, job, &facts, place);
    why_decide(&facts, &why);
    json_begin_object(json);
    json_add_text(json, "recipient", envelope->recipients[at->index].address);
    json_add_text(json, "state", view_state(job));
    json_add_number(json, "attempts", job->attempts);
    add_why(json, &why);
    json_end(json);
}

void holding_add(struct dispatch *dispatch, struct queued *queued,
                 struct json *json)
{
    char id[ID_TEXT_SIZE];
    const struct envelope *envelope = dispatch_open(dispatch, queued);
    json_add_text(json, "id", slice_text(id_format(queued->id, id)));
    json_add_text(json, "stream", envelope->stream);
    json_add_number(json, "accepted_utc_ms", envelope->accepted_utc_ms);
    json_add_number(json, "expires_utc_ms", envelope->expires_utc_ms);
    json_key(json, "pending");
    json_begin_array(json);
    for (struct job *job = queued->jobs; job; job = job->sibling)
        for (size_t i = 0; i < job->recipient_count; i++)
            add_recipient(dispatch, json, envelope, job, i);
    json_end(json);
}
