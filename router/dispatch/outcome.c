/* outcome.c - what became of recipients. */
#include "router/dispatch/outcome.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/dispatch/bounce.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/events.h"
#include "router/dispatch/freeze.h"
#include "router/dispatch/place.h"
#include "router/dispatch/settle.h"
#include "router/lanes/schedule.h"

enum fate { FATE_NONE, FATE_DELIVERED, FATE_DEFERRED, FATE_FAILED };

static void *scratch(struct dispatch *dispatch, size_t count, size_t size)
{
    void *memory = arena_new(&dispatch->scratch, count, size);
    CHECK(memory); /* DISPATCH_SCRATCH_MAX is made for the largest envelope */
    return memory;
}

static void log_outcome(struct dispatch *dispatch, const char *event,
                        const struct job *job, uint32_t index,
                        const struct verdict *verdict,
                        const struct wire_result *result)
{
    const struct envelope *envelope = dispatch_open(dispatch, job->queued);
    events_outcome(dispatch, &(struct event_outcome){
                                 .event = event,
                                 .envelope = envelope,
                                 .recipient = &envelope->recipients[index],
                                 .job = job,
                                 .verdict = verdict,
                                 .result = result,
                             });
}

static void fail(struct dispatch *dispatch, struct job *job,
                 const struct verdict *verdicts,
                 const struct wire_result *result)
{
    struct failure *failure = scratch(dispatch, 1, sizeof *failure);
    failure->job = job;
    failure->verdicts = verdicts;
    if (result) {
        failure->remote = result->host;
        failure->last_attempt_utc_ms = result->ended_utc_ms;
    }
    wheel_clear(&job->alarm);
    job->lane = NULL;
    job->state = JOB_BOUNCING;
    list_push_back(&dispatch->failures, &failure->link);
}

/* Does anybody still need the body soon? */
static bool is_hot(const struct queued *queued)
{
    for (const struct job *job = queued->jobs; job; job = job->sibling)
        if (job->state == JOB_READY || job->state == JOB_LEASED
            || job->state == JOB_RESOLVING)
            return true;
    return false;
}

static const struct conf_schedule *schedule_of(const struct dispatch *dispatch,
                                               const struct job *job)
{
    const struct conf *conf = dispatch->conf;
    const struct conf_stream *stream = &conf->streams[job->stream];
    if (stream->retry)
        return stream->retry;
    if (!job->destination)
        return &conf->retry;
    const struct slice domain = job->destination->domain;
    const struct wire_host *hosts = job->destination->hosts;
    const struct slice names[] = { hosts[0].name };
    const struct conf_limit *limit =
        conf_limit(conf, LIMIT_RETRY_AFTER, domain,
                   conf_provider_of(conf, domain, names, ARRAY_LEN(names)));
    return limit->schedule ? limit->schedule : &conf->retry;
}

static void defer_job(struct dispatch *dispatch, struct job *job)
{
    job_add_attempts(job, 1);
    dispatch->counters.deferred += job->recipient_count;
    const uint64_t seed = job->queued->id ^ job_recipients(job)[0].index;
    const uint64_t wait_ms =
        schedule_wait_ms(schedule_of(dispatch, job), job->attempts, seed);
    place_waiting(dispatch, job, job->lane,
                  dispatch_now_ms(dispatch) + wait_ms);
    if (!is_hot(job->queued))
        entry_drop_body(dispatch, job->queued);
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
    struct job *part = job_divide(*job, keep);
    part->lane = (*job)->lane;
    queued_add((*job)->queued, part);
    return part;
}

static void take_failed(struct dispatch *dispatch, struct job *job,
                        const struct wire_result *result)
{
    struct verdict *verdicts =
        scratch(dispatch, job->recipient_count, sizeof *verdicts);
    size_t hint = 0;
    const struct job_recipient *recipients = job_recipients(job);
    for (size_t i = 0; i < job->recipient_count; i++)
        verdicts[i] = *verdict_of(result, recipients[i].index, &hint);
    dispatch->counters.bounced += job->recipient_count;
    fail(dispatch, job, verdicts, result);
}

static void take_deferred(struct dispatch *dispatch, struct job *job,
                          const struct wire_result *result)
{
    size_t hint = 0;
    struct job_recipient *recipients = job_recipients(job);
    for (size_t i = 0; i < job->recipient_count; i++) {
        const struct verdict *verdict =
            verdict_of(result, recipients[i].index, &hint);
        job_set_note(&recipients[i], verdict->code, slice_text(verdict->text));
    }
    if (!result->in_doubt) {
        defer_job(dispatch, job);
        return;
    }
    dispatch->counters.in_doubt++;
    const bool hold =
        dispatch->conf->streams[job->stream].in_doubt == IN_DOUBT_HOLD;
    events_possible_duplicate(dispatch, job, NULL, hold ? "hold" : "retry");
    if (hold)
        place_held(dispatch, job);
    else
        defer_job(dispatch, job);
}

static const char *event_of(enum fate fate)
{
    static const char *const names[] = {
        [FATE_NONE] = "handed_back",
        [FATE_DELIVERED] = "delivered",
        [FATE_DEFERRED] = "deferred",
        [FATE_FAILED] = "bounced",
    };
    return names[fate];
}

/* Logs each attempt and tells the fates apart. */
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
            log_outcome(dispatch, event_of(fates[i]), job, index,
                        &outcome->verdict, result);
    }
    return fates;
}

void outcome_result(struct dispatch *dispatch, struct job *job,
                    const struct wire_result *result)
{
    struct queued *queued = job->queued;
    enum fate *fates = read_fates(dispatch, job, result);
    struct job *delivered = take_part(dispatch, &job, fates, FATE_DELIVERED);
    struct job *failed = take_part(dispatch, &job, fates, FATE_FAILED);
    struct job *deferred = take_part(dispatch, &job, fates, FATE_DEFERRED);
    dispatch->changed = dispatch->changed || delivered || failed || deferred;
    if (delivered) {
        dispatch->counters.delivered += delivered->recipient_count;
        queued_drop(queued, &delivered);
    }
    if (failed)
        take_failed(dispatch, failed, result);
    if (job)
        place_ready(dispatch, job, LANE_FRONT);
    if (deferred)
        take_deferred(dispatch, deferred, result);
}

void outcome_local(struct dispatch *dispatch, struct job *job,
                   const struct verdict *verdict)
{
    const bool failed = verdict->class == VERDICT_FAILED;
    struct job_recipient *recipients = job_recipients(job);
    struct verdict *verdicts =
        scratch(dispatch, job->recipient_count, sizeof *verdicts);
    dispatch->changed = true;
    for (size_t i = 0; i < job->recipient_count; i++) {
        log_outcome(dispatch, failed ? "bounced" : "deferred", job,
                    recipients[i].index, verdict, NULL);
        verdicts[i] = *verdict;
        if (!failed)
            job_set_note(&recipients[i], verdict->code,
                         slice_text(verdict->text));
    }
    if (!failed) {
        defer_job(dispatch, job);
        return;
    }
    dispatch->counters.bounced += job->recipient_count;
    fail(dispatch, job, verdicts, NULL);
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
        log_outcome(dispatch, "expired", job, recipients[i].index, &verdicts[i],
                    NULL);
    }
    dispatch->counters.expired += job->recipient_count;
    fail(dispatch, job, verdicts, NULL);
}

void outcome_close(struct dispatch *dispatch, struct queued *queued,
                   const struct outcome_ack *ack)
{
    if (dispatch->changed) {
        struct message *report = NULL;
        if (!list_is_empty(&dispatch->failures))
            report = bounce_make(dispatch, queued);
        settle_begin(dispatch, queued, report, ack);
    } else {
        if (ack)
            settle_ack(dispatch, ack);
        if (queued)
            freeze_if_idle(dispatch, queued);
    }
    dispatch->changed = false;
    list_init(&dispatch->failures);
}
