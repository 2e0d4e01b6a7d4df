/* job.c - one message x the recipients that leave together. */
#include "router/lanes/job.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/state.h"

const char *job_state_name(enum job_state state)
{
    static const char *const names[JOB_STATE_COUNT] = {
        [JOB_FOUND] = "found",         [JOB_CLAIMED] = "claimed",
        [JOB_RESOLVING] = "resolving", [JOB_READY] = "ready",
        [JOB_LEASED] = "leased",       [JOB_WAITING] = "waiting",
        [JOB_HELD] = "held",           [JOB_BOUNCING] = "bouncing",
        [JOB_PAUSED] = "paused",
    };
    CHECK((size_t)state < JOB_STATE_COUNT);
    return names[state];
}

static void set_recipients(struct job *job,
                           const struct job_recipient *recipients, size_t count)
{
    CHECK(count > 0 && count <= UINT32_MAX);
    job->recipient_count = (uint32_t)count;
    if (count == 1) {
        job->recipients.one = recipients[0];
        return;
    }
    job->recipients.many = mem_new(count, sizeof *recipients);
    memcpy(job->recipients.many, recipients, count * sizeof *recipients);
}

struct job *job_new(const struct job_recipient *recipients, size_t count)
{
    struct job *job = NEW(struct job);
    list_init(&job->link);
    alarm_init(&job->alarm);
    set_recipients(job, recipients, count);
    return job;
}

void job_add_attempts(struct job *job, uint32_t attempts)
{
    uint32_t room = (uint32_t)UINT16_MAX - job->attempts;
    job->attempts =
        (uint16_t)(job->attempts + (attempts < room ? attempts : room));
}

void job_free(struct job **job)
{
    struct job *freed = steal(*job);
    if (!freed)
        return;
    list_remove(&freed->link);
    wheel_clear(&freed->alarm);
    struct job_recipient *recipients = job_recipients(freed);
    for (size_t i = 0; i < freed->recipient_count; i++)
        mem_free(recipients[i].note);
    if (freed->recipient_count > 1)
        mem_free(recipients);
    destination_release(&freed->destination);
    mem_free(freed);
}

/* A job like `job` for some of its recipients. */
static struct job *part_of(const struct job *job,
                           const struct job_recipient *recipients, size_t count)
{
    struct job *part = job_new(recipients, count);
    part->tenant = job->tenant;
    part->attempts = job->attempts;
    part->stream = job->stream;
    part->route = job->route;
    part->state = job->state;
    part->held = job->held;
    part->rerouted = job->rerouted;
    if (job->destination)
        part->destination = destination_hold(job->destination);
    return part;
}

/* The notes of those that left have gone with them. */
static void keep_first(struct job *job, size_t count)
{
    struct job_recipient *many = job->recipients.many;
    set_recipients(job, many, count);
    mem_free(many);
}

struct job *job_split(struct job *job, size_t from)
{
    CHECK(from > 0 && from < job->recipient_count);
    struct job *rest =
        part_of(job, job->recipients.many + from, job->recipient_count - from);
    keep_first(job, from);
    return rest;
}

struct job *job_divide(struct job *job, const bool *keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < job->recipient_count; i++)
        kept += keep[i];
    if (kept == 0 || kept == job->recipient_count)
        return NULL;

    scoped(mem_free_at) struct job_recipient *sorted =
        mem_new(job->recipient_count, sizeof *sorted);
    size_t at_kept = 0;
    size_t at_left = kept;
    for (size_t i = 0; i < job->recipient_count; i++)
        sorted[keep[i] ? at_kept++ : at_left++] = job->recipients.many[i];
    struct job *left = part_of(job, sorted + kept, job->recipient_count - kept);
    memcpy(job->recipients.many, sorted, kept * sizeof *sorted);
    keep_first(job, kept);
    return left;
}

void job_set_note(struct job_recipient *recipient, uint16_t code,
                  struct slice text)
{
    text = slice_head(text, STATE_TEXT_MAX);
    const struct job_note before =
        recipient->note ? *recipient->note : (struct job_note){ 0 };
    struct job_note *note =
        mem_resize(recipient->note, 1, sizeof *note + text.len);
    note->source = before.source;
    note->told = before.told;
    note->code = code;
    note->len = (uint16_t)text.len;
    if (text.len > 0)
        memcpy(note->text, text.ptr, text.len);
    recipient->note = note;
}

static struct job_note *need_note(struct job_recipient *recipient)
{
    if (!recipient->note)
        recipient->note = NEW(struct job_note);
    return recipient->note;
}

void job_set_source(struct job *job, uint32_t source)
{
    struct job_recipient *recipients = job_recipients(job);
    for (size_t i = 0; i < job->recipient_count; i++)
        if (source != 0 || recipients[i].note)
            need_note(&recipients[i])->source = source & INT32_MAX;
}

uint32_t job_source(struct job *job)
{
    const struct job_note *note = job_recipients(job)[0].note;
    return note ? note->source : 0;
}

void job_set_told(struct job_recipient *recipient)
{
    need_note(recipient)->told = true;
}
