/* warn.c - the sender hears that a message is late. */
#include "router/dispatch/warn.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/dispatch/bounce.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/notice.h"
#include "router/dispatch/outcome.h"

struct warning {
    struct alarm alarm; /* in dispatch->warn_wheel */
    uint64_t message;
};

/* When the delay of a message is to be told; 0: never. Pure. */
static uint64_t due_utc_ms_of(const struct conf_stream *stream,
                              const struct envelope *envelope)
{
    const uint64_t due_utc_ms =
        envelope->accepted_utc_ms + stream->warn_after_ms;
    if (due_utc_ms >= envelope->expires_utc_ms)
        return 0; /* the expiry is told instead */
    for (size_t i = 0; i < envelope->recipient_count; i++)
        if (bounce_is_wanted(envelope, &envelope->recipients[i], stream,
                             DSN_DELAYED))
            return due_utc_ms;
    return 0;
}

void warn_watch(struct dispatch *dispatch, const struct envelope *envelope)
{
    const uint64_t due_utc_ms =
        due_utc_ms_of(bounce_stream(dispatch, envelope), envelope);
    if (due_utc_ms == 0)
        return;
    struct warning *warning = table_get(&dispatch->warnings, envelope->id);
    if (!warning) {
        warning = NEW(struct warning);
        alarm_init(&warning->alarm);
        warning->message = envelope->id;
        table_put(&dispatch->warnings, envelope->id, warning);
    }
    const uint64_t utc_ms = time_utc_ms();
    const uint64_t left_ms = due_utc_ms > utc_ms ? due_utc_ms - utc_ms : 0;
    wheel_set(&dispatch->warn_wheel, &warning->alarm,
              dispatch_now_ms(dispatch) + left_ms);
}

void warn_forget(struct dispatch *dispatch, uint64_t message)
{
    struct warning *warning = table_take(&dispatch->warnings, message);
    if (!warning)
        return;
    wheel_clear(&warning->alarm);
    mem_free(warning);
}

/* What is known of the delay: the last reply, or that there was none. */
static void explain(const struct job_note *note, struct verdict *verdict)
{
    struct cursor text = cursor_of(job_note_text(note));
    struct enhanced status = { 4, 4, 7 };
    if (cursor_done(&text)) {
        verdict_local(verdict, status, "not tried yet");
        return;
    }
    (void)enhanced_take(&text, &status);
    if (status.class != 4)
        status = (struct enhanced){ 4, 0, 0 };
    verdict_local(verdict, status, "%.*s", SLICE_ARG(cursor_rest(&text)));
    verdict->code = note->code;
}

static bool is_to_be_told(struct dispatch *dispatch,
                          const struct envelope *envelope,
                          const struct job_recipient *recipient)
{
    return !(recipient->note && recipient->note->told)
           && bounce_is_wanted(envelope,
                               &envelope->recipients[recipient->index],
                               bounce_stream(dispatch, envelope), DSN_DELAYED);
}

/* Adds a notice for those of the job that are to be told, and marks them. */
static void tell_of(struct dispatch *dispatch, struct job *job,
                    const struct envelope *envelope)
{
    struct notice *notice = arena_new(&dispatch->scratch, 1, sizeof *notice);
    uint32_t *indexes =
        arena_new(&dispatch->scratch, job->recipient_count, sizeof *indexes);
    struct verdict *verdicts =
        arena_new(&dispatch->scratch, job->recipient_count, sizeof *verdicts);
    CHECK(notice && indexes && verdicts);
    struct job_recipient *recipients = job_recipients(job);
    size_t count = 0;
    for (size_t i = 0; i < job->recipient_count; i++) {
        if (!is_to_be_told(dispatch, envelope, &recipients[i]))
            continue;
        explain(recipients[i].note, &verdicts[count]);
        indexes[count++] = recipients[i].index;
        job_set_told(&recipients[i]);
    }
    if (count == 0)
        return;
    *notice = (struct notice){ .action = DSN_DELAYED,
                               .indexes = indexes,
                               .verdicts = verdicts,
                               .count = count,
                               .remote = SLICE("") };
    list_push_back(&dispatch->notices, &notice->link);
    dispatch->changed = true;
}

static bool is_queued(enum job_state state)
{
    return state == JOB_READY || state == JOB_WAITING || state == JOB_RESOLVING
           || state == JOB_HELD || state == JOB_PAUSED;
}

/* True: some are with a worker, or may be; look again. */
static bool tell(struct dispatch *dispatch, struct queued *queued)
{
    const struct envelope *envelope = dispatch_open(dispatch, queued);
    bool again = false;
    for (struct job *job = queued->jobs; job; job = job->sibling) {
        if (is_queued(job->state))
            tell_of(dispatch, job, envelope);
        else
            again = again || job->state != JOB_BOUNCING;
    }
    return again;
}

/* Its time has come; what changes is for the event's end. */
static void tell_or_wait(struct dispatch *dispatch, struct queued *queued,
                         struct warning *warning)
{
    if (tell(dispatch, queued))
        wheel_set(&dispatch->warn_wheel, &warning->alarm,
                  dispatch_now_ms(dispatch) + DISPATCH_WARN_AGAIN_MS);
    else
        warn_forget(dispatch, warning->message);
}

void warn_thawed(struct dispatch *dispatch, struct queued *queued)
{
    struct warning *warning = table_get(&dispatch->warnings, queued->id);
    if (warning && warning->alarm.at_ms <= dispatch_now_ms(dispatch))
        tell_or_wait(dispatch, queued, warning);
}

static void ring(struct dispatch *dispatch, struct warning *warning)
{
    const uint64_t id = warning->message;
    struct queued *queued = table_get(&dispatch->lanes.messages, id);
    wheel_clear(&warning->alarm);
    if (queued) {
        dispatch_begin(dispatch);
        tell_or_wait(dispatch, queued, warning);
        outcome_close(dispatch, queued, NULL);
    } else if (fetch_is_cold(dispatch, id)) {
        fetch_now(dispatch, id); /* warn_thawed() follows */
    } else {
        warn_forget(dispatch, id);
    }
}

void warn_turn(struct dispatch *dispatch, uint64_t now_ms)
{
    struct list due;
    list_init(&due);
    wheel_turn(&dispatch->warn_wheel, now_ms, &due);
    while (!list_is_empty(&due)) {
        struct alarm *alarm = container_of(due.next, struct alarm, link);
        ring(dispatch, container_of(alarm, struct warning, alarm));
    }
}

void warn_release(struct dispatch *dispatch)
{
    size_t at = 0;
    for (struct warning *warning;
         (warning = table_next(&dispatch->warnings, &at));) {
        wheel_clear(&warning->alarm);
        mem_free(warning);
    }
    table_release(&dispatch->warnings);
}
