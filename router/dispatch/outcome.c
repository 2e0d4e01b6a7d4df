/* outcome.c - what became of recipients. */
#include "router/dispatch/outcome.h"

#include <stdio.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/dispatch/bounce.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/events.h"
#include "router/dispatch/feedback.h"
#include "router/dispatch/freeze.h"
#include "router/dispatch/notice.h"
#include "router/dispatch/place.h"
#include "router/dispatch/retry.h"
#include "router/dispatch/room.h"
#include "router/dispatch/settle.h"

enum fate { FATE_NONE, FATE_DELIVERED, FATE_DEFERRED, FATE_FAILED };

static void *scratch(struct dispatch *dispatch, size_t count, size_t size)
{
    void *memory = arena_new(&dispatch->scratch, count, size);
    CHECK(memory); /* DISPATCH_SCRATCH_MAX is made for the largest envelope */
    return memory;
}

/* Of the recipient with this index. */
static void log_outcome(struct dispatch *dispatch,
                        const struct event_outcome *outcome, uint32_t index)
{
    const struct envelope *envelope =
        dispatch_open(dispatch, outcome->job->queued);
    struct event_outcome whole = *outcome;
    whole.envelope = envelope;
    whole.recipient = &envelope->recipients[index];
    events_outcome(dispatch, &whole);
}

/* The job ends with this event, once its senders are told. verdicts: one for
 * each recipient. */
static void end_job(struct dispatch *dispatch, struct job *job,
                    enum dsn_action action, const struct verdict *verdicts,
                    const struct wire_result *result)
{
    uint32_t *indexes =
        scratch(dispatch, job->recipient_count, sizeof *indexes);
    const struct job_recipient *recipients = job_recipients(job);
    for (size_t i = 0; i < job->recipient_count; i++)
        indexes[i] = recipients[i].index;
    struct notice *notice = scratch(dispatch, 1, sizeof *notice);
    *notice = (struct notice){
        .action = action,
        .indexes = indexes,
        .verdicts = verdicts,
        .count = job->recipient_count,
        .remote = result ? result->host : SLICE(""),
        .last_attempt_utc_ms = result ? result->ended_utc_ms : 0,
        .ends = job,
    };
    wheel_clear(&job->alarm);
    job->lane = NULL;
    job->state = JOB_BOUNCING;
    list_push_back(&dispatch->notices, &notice->link);
}

static void defer_job(struct dispatch *dispatch, struct job *job,
                      uint64_t wait_ms)
{
    job_add_attempts(job, 1);
    dispatch->counters.deferred += job->recipient_count;
    place_waiting(dispatch, job, job->lane,
                  dispatch_now_ms(dispatch) + wait_ms);
    entry_rest_body(dispatch, job->queued);
}

/* The reply as a person would read it, status and all. */
static void note_reply(struct job_recipient *recipient,
                       const struct verdict *verdict)
{
    char status[ENHANCED_TEXT_SIZE];
    char text[sizeof verdict->text + sizeof status];
    (void)enhanced_format(verdict->enhanced, status);
    (void)snprintf(text, sizeof text, "%s%s%s", status, status[0] ? " " : "",
                   verdict->text);
    job_set_note(recipient, verdict->code, slice_text(text));
}

const struct wire_outcome *outcome_find(const struct wire_result *result,
                                        uint32_t index, size_t *hint)
{
    for (size_t i = 0; i < result->outcome_count; i++) {
        const size_t at = (*hint + i) % result->outcome_count;
        if (result->outcomes[at].index == index) {
            *hint = at + 1;
            return &result->outcomes[at];
        }
    }
    return NULL;
}

/* Of a recipient whose fate came out of this result. */
static const struct verdict *verdict_of(const struct wire_result *result,
                                        uint32_t index, size_t *hint)
{
    const struct wire_outcome *outcome = outcome_find(result, index, hint);
    CHECK(outcome);
    return &outcome->verdict;
}

static enum fate fate_of(const struct wire_outcome *outcome)
{
    if (!outcome)
        return FATE_NONE;
    switch (outcome->verdict.class) {
    case VERDICT_DELIVERED:
        return FATE_DELIVERED;
    case VERDICT_DEFERRED:
        return FATE_DEFERRED;
    case VERDICT_FAILED:
        return FATE_FAILED;
    }
    return FATE_NONE;
}

/* The recipients with this fate as a job of their own; NULL: none. What is left
 * of *job stays there, NULL when that is nothing. */
static struct job *take_part(struct dispatch *dispatch, struct job **job,
                             enum fate *fates, enum fate fate)
{
    if (!*job)
        return NULL;
    const size_t count = (*job)->recipient_count;
    bool *keep = scratch(dispatch, count, sizeof *keep);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        keep[i] = fates[i] != fate;
        if (keep[i])
            fates[kept++] = fates[i];
    }
    if (kept == count)
        return NULL;
    if (kept == 0)
        return steal(*job);
    return queued_divide(*job, keep);
}

/* The verdicts of a job whose fate came out of this result. */
static struct verdict *verdicts_of(struct dispatch *dispatch, struct job *job,
                                   const struct wire_result *result)
{
    struct verdict *verdicts =
        scratch(dispatch, job->recipient_count, sizeof *verdicts);
    size_t hint = 0;
    const struct job_recipient *recipients = job_recipients(job);
    for (size_t i = 0; i < job->recipient_count; i++)
        verdicts[i] = *verdict_of(result, recipients[i].index, &hint);
    return verdicts;
}

static void take_failed(struct dispatch *dispatch, struct job *job,
                        const struct wire_result *result)
{
    dispatch->counters.bounced += job->recipient_count;
    end_job(dispatch, job, DSN_FAILED, verdicts_of(dispatch, job, result),
            result);
}

/* Where the receiver makes no reports, we say that the message was relayed:
 * RFC 3461 section 5.2.2. */
static void take_delivered(struct dispatch *dispatch, struct job *job,
                           const struct wire_result *result)
{
    dispatch->counters.delivered += job->recipient_count;
    if (result->ends_dsn && bounce_concerns(dispatch, job, DSN_RELAYED))
        end_job(dispatch, job, DSN_RELAYED, verdicts_of(dispatch, job, result),
                result);
    else
        room_end_job(dispatch, &job);
}

static bool same_reply(const struct verdict *a, const struct verdict *b)
{
    return a->code == b->code && strcmp(a->text, b->text) == 0;
}

/* One for each recipient; most have the reply of the one before. */
static struct retry_plan *make_plans(struct dispatch *dispatch, struct job *job,
                                     const struct verdict *verdicts)
{
    struct retry_plan *plans =
        scratch(dispatch, job->recipient_count, sizeof *plans);
    for (size_t i = 0; i < job->recipient_count; i++)
        plans[i] = i > 0 && same_reply(&verdicts[i], &verdicts[i - 1])
                       ? plans[i - 1]
                       : retry_plan(dispatch, job, &verdicts[i]);
    return plans;
}

static void log_deferred(struct dispatch *dispatch, struct job *job,
                         const struct verdict *verdicts,
                         const struct retry_plan *plans,
                         const struct wire_result *result)
{
    const struct job_recipient *recipients = job_recipients(job);
    for (size_t i = 0; i < job->recipient_count; i++)
        log_outcome(dispatch,
                    &(struct event_outcome){
                        .event = "deferred",
                        .job = job,
                        .verdict = &verdicts[i],
                        .result = result,
                        .plan = &plans[i],
                    },
                    recipients[i].index);
}

/* All recipients of the job by one plan. */
static void defer_alike(struct dispatch *dispatch, struct job *job,
                        const struct retry_plan *plan,
                        const struct wire_result *result)
{
    uint32_t source = 0;
    const bool known =
        result
        && names_find(&dispatch->workers.sources, result->source, &source);
    if (result && plan->same_source && known)
        job_set_source(job, source + 1);
    else if (result && dispatch->conf->routes[job->route].sticky == STICKY_NO)
        job_set_source(job, 0);
    defer_job(dispatch, job, plan->wait_ms);
}

/* Those whose replies named a wait, and those whose did not, part here; of each
 * the longest wait counts. */
static void defer_by_plans(struct dispatch *dispatch, struct job *job,
                           const struct retry_plan *plans,
                           const struct wire_result *result)
{
    struct retry_plan asked = { 0 };
    struct retry_plan plain = { 0 };
    const size_t count = job->recipient_count;
    bool *keep = scratch(dispatch, count, sizeof *keep);
    for (size_t i = 0; i < count; i++) {
        keep[i] = plans[i].asked_ms > 0;
        struct retry_plan *plan = keep[i] ? &asked : &plain;
        *plan = retry_join(*plan, plans[i]);
    }
    struct job *rest = queued_divide(job, keep);
    if (rest)
        defer_alike(dispatch, rest, &plain, result);
    defer_alike(dispatch, job, keep[0] || rest ? &asked : &plain, result);
}

/* A possible duplicate is owned up to once: not again where its lease was given
 * up before the result came. */
static bool is_news(struct dispatch *dispatch, const struct wire_result *result)
{
    if (leases_is_doubted(&dispatch->leases, result->lease))
        return false;
    leases_doubt(&dispatch->leases, result->lease);
    return true;
}

/* The worker that claims the lease; "" when nobody does: we gave it. */
static const char *teller(const struct dispatch *dispatch,
                          const struct wire_result *result)
{
    const struct claim *claim =
        leases_claimed(&dispatch->leases, result->lease);
    const struct worker *worker =
        claim ? workers_by_number(&dispatch->workers, claim->worker) : NULL;
    return worker ? worker->name : "";
}

static void take_deferred(struct dispatch *dispatch, struct job *job,
                          const struct wire_result *result)
{
    const struct verdict *verdicts = verdicts_of(dispatch, job, result);
    const struct retry_plan *plans = make_plans(dispatch, job, verdicts);
    struct job_recipient *recipients = job_recipients(job);
    log_deferred(dispatch, job, verdicts, plans, result);
    for (size_t i = 0; i < job->recipient_count; i++)
        note_reply(&recipients[i], &verdicts[i]);
    const bool hold =
        result->in_doubt
        && dispatch->conf->streams[job->stream].in_doubt == IN_DOUBT_HOLD;
    if (result->in_doubt && is_news(dispatch, result)) {
        dispatch->counters.in_doubt++;
        events_possible_duplicate(dispatch, job, teller(dispatch, result),
                                  hold ? "hold" : "retry");
    }
    if (hold)
        place_held(dispatch, job);
    else
        defer_by_plans(dispatch, job, plans, result);
}

/* Its worker died between the last byte and the reply: no attempt to charge, and
 * nothing to wait for. */
static void take_orphaned(struct dispatch *dispatch, struct job *job,
                          const struct wire_result *result)
{
    const bool is_told = !is_news(dispatch, result);
    place_in_doubt(dispatch, job, is_told ? NULL : teller(dispatch, result));
}

/* Tells the fates apart, and logs those that are final. */
static enum fate *read_fates(struct dispatch *dispatch, struct job *job,
                             const struct wire_result *result)
{
    enum fate *fates = scratch(dispatch, job->recipient_count, sizeof *fates);
    const struct job_recipient *recipients = job_recipients(job);
    size_t hint = 0;
    for (size_t i = 0; i < job->recipient_count; i++) {
        const uint32_t index = recipients[i].index;
        const struct wire_outcome *outcome = outcome_find(result, index, &hint);
        fates[i] = fate_of(outcome);
        if (outcome)
            feedback_hear(dispatch, job->queued, &outcome->verdict);
        if (fates[i] != FATE_DELIVERED && fates[i] != FATE_FAILED)
            continue;
        log_outcome(
            dispatch,
            &(struct event_outcome){
                .event = fates[i] == FATE_DELIVERED ? "delivered" : "bounced",
                .job = job,
                .verdict = &outcome->verdict,
                .result = result,
            },
            index);
    }
    return fates;
}

/* How long the job has waited until a moment that the worker tells. */
static uint64_t waited_ms(struct dispatch *dispatch, const struct job *job,
                          uint64_t utc_ms)
{
    const uint64_t accepted =
        dispatch_open(dispatch, job->queued)->accepted_utc_ms;
    return utc_ms > accepted ? utc_ms - accepted : 0;
}

static void measure_attempt(struct dispatch *dispatch, const struct job *job,
                            const struct wire_result *result)
{
    if (job->attempts == 0 && result->outcome_count > 0)
        streams_tried(&dispatch->streams, &dispatch->conf->streams[job->stream],
                      waited_ms(dispatch, job, result->started_utc_ms),
                      dispatch_now_ms(dispatch));
}

static void measure_delivery(struct dispatch *dispatch, const struct job *job,
                             const struct wire_result *result)
{
    streams_delivered(&dispatch->streams, &dispatch->conf->streams[job->stream],
                      waited_ms(dispatch, job, result->ended_utc_ms),
                      dispatch_now_ms(dispatch));
}

void outcome_result(struct dispatch *dispatch, struct job *job,
                    const struct wire_result *result)
{
    measure_attempt(dispatch, job, result);
    enum fate *fates = read_fates(dispatch, job, result);
    struct job *delivered = take_part(dispatch, &job, fates, FATE_DELIVERED);
    struct job *failed = take_part(dispatch, &job, fates, FATE_FAILED);
    struct job *deferred = take_part(dispatch, &job, fates, FATE_DEFERRED);
    dispatch->changed = dispatch->changed || delivered || failed || deferred;
    if (delivered) {
        measure_delivery(dispatch, delivered, result);
        take_delivered(dispatch, delivered, result);
    }
    if (failed)
        take_failed(dispatch, failed, result);
    if (job)
        place_ready(dispatch, job, LANE_FRONT);
    if (deferred && result->in_doubt && result->posthumous)
        take_orphaned(dispatch, deferred, result);
    else if (deferred)
        take_deferred(dispatch, deferred, result);
}

static void defer_local(struct dispatch *dispatch, struct job *job,
                        const struct verdict *verdicts)
{
    const struct retry_plan *plans = make_plans(dispatch, job, verdicts);
    struct job_recipient *recipients = job_recipients(job);
    log_deferred(dispatch, job, verdicts, plans, NULL);
    for (size_t i = 0; i < job->recipient_count; i++)
        note_reply(&recipients[i], &verdicts[i]);
    defer_by_plans(dispatch, job, plans, NULL);
}

void outcome_local(struct dispatch *dispatch, struct job *job,
                   const struct verdict *verdict)
{
    const struct job_recipient *recipients = job_recipients(job);
    struct verdict *verdicts =
        scratch(dispatch, job->recipient_count, sizeof *verdicts);
    dispatch->changed = true;
    for (size_t i = 0; i < job->recipient_count; i++)
        verdicts[i] = *verdict;
    if (verdict->class != VERDICT_FAILED) {
        defer_local(dispatch, job, verdicts);
        return;
    }
    for (size_t i = 0; i < job->recipient_count; i++)
        log_outcome(dispatch,
                    &(struct event_outcome){
                        .event = "bounced", .job = job, .verdict = verdict },
                    recipients[i].index);
    dispatch->counters.bounced += job->recipient_count;
    end_job(dispatch, job, DSN_FAILED, verdicts, NULL);
}

static void expire(const struct job_note *note, bool held,
                   struct verdict *verdict)
{
    const struct enhanced status = { 5, 4, 7 };
    const struct slice text = job_note_text(note);
    if (held)
        verdict_local(verdict, status,
                      "delivery time expired; it may have been delivered");
    else if (text.len == 0)
        verdict_local(verdict, status, "delivery time expired");
    else if (note->code == 0)
        verdict_local(verdict, status, "delivery time expired; last: %.*s",
                      SLICE_ARG(text));
    else
        verdict_local(verdict, status,
                      "delivery time expired; last reply: %u %.*s",
                      (unsigned)note->code, SLICE_ARG(text));
}

void outcome_expired(struct dispatch *dispatch, struct job *job)
{
    const struct job_recipient *recipients = job_recipients(job);
    struct verdict *verdicts =
        scratch(dispatch, job->recipient_count, sizeof *verdicts);
    dispatch->changed = true;
    for (size_t i = 0; i < job->recipient_count; i++) {
        expire(recipients[i].note, job->held, &verdicts[i]);
        log_outcome(dispatch,
                    &(struct event_outcome){ .event = "expired",
                                             .job = job,
                                             .verdict = &verdicts[i] },
                    recipients[i].index);
    }
    dispatch->counters.expired += job->recipient_count;
    end_job(dispatch, job, DSN_FAILED, verdicts, NULL);
}

void outcome_close(struct dispatch *dispatch, struct queued *queued,
                   const struct outcome_ack *ack)
{
    if (dispatch->changed) {
        struct message *report = NULL;
        if (!list_is_empty(&dispatch->notices))
            report = bounce_make(dispatch, queued);
        settle_begin(dispatch, queued, report, ack);
    } else {
        if (ack)
            settle_ack(dispatch, ack);
        if (queued)
            freeze_if_idle(dispatch, queued);
    }
    dispatch->changed = false;
    list_init(&dispatch->notices);
}
