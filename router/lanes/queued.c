/* queued.c - one accepted message as the lanes keep it. */
#include "router/lanes/queued.h"

#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/mem.h"

struct queued *queued_new(const struct envelope *envelope, struct slice packed,
                          struct body *body)
{
    CHECK(packed.len <= ENVELOPE_BYTES_MAX);
    struct queued *queued = mem_new(1, sizeof *queued + packed.len);
    queued->id = envelope->id;
    queued->expires_utc_ms = envelope->expires_utc_ms;
    queued->body = body;
    queued->packed_len = (uint32_t)packed.len;
    memcpy(queued->packed, packed.ptr, packed.len);
    return queued;
}

void queued_free(struct queued **queued)
{
    struct queued *freed = steal(*queued);
    if (!freed)
        return;
    for (struct job *job = freed->jobs; job;) {
        struct job *next = job->sibling;
        job_free(&job);
        job = next;
    }
    body_release(&freed->body);
    mem_free(freed);
}

void queued_add(struct queued *queued, struct job *job)
{
    job->queued = queued;
    job->sibling = queued->jobs;
    queued->jobs = job;
}

struct job *queued_divide(struct job *job, const bool *keep)
{
    struct job *part = job_divide(job, keep);
    if (!part)
        return NULL;
    part->lane = job->lane;
    queued_add(job->queued, part);
    return part;
}

void queued_drop(struct queued *queued, struct job **job)
{
    struct job **at = &queued->jobs;
    while (*at != *job) {
        CHECK(*at);
        at = &(*at)->sibling;
    }
    *at = (*job)->sibling;
    job_free(job);
}

uint32_t queued_recipients(const struct queued *queued)
{
    uint32_t count = 0;
    for (const struct job *job = queued->jobs; job; job = job->sibling)
        count += job->recipient_count;
    return count;
}

enum rc queued_envelope(const struct queued *queued, struct arena *arena,
                        struct envelope *envelope)
{
    return envelope_unpack(slice_of(queued->packed, queued->packed_len), arena,
                           envelope);
}

static int by_index(const void *a, const void *b)
{
    const uint32_t left = ((const struct state_recipient *)a)->index;
    const uint32_t right = ((const struct state_recipient *)b)->index;
    return (left > right) - (left < right);
}

/* When the job may be tried, on the clock of the disk; 0: at once. In all other
 * states the alarm is for the expiry, if at all. */
static uint64_t next_utc_ms(const struct job *job, uint64_t now_ms,
                            uint64_t utc_ms)
{
    const bool waits = job->state == JOB_WAITING || job->state == JOB_FOUND
                       || job->state == JOB_CLAIMED;
    if (!waits || job->alarm.at_ms <= now_ms)
        return 0;
    return utc_ms + (job->alarm.at_ms - now_ms);
}

static struct slice source_of(const struct job_note *note,
                              const struct names *sources)
{
    return note && note->source > 0 ? names_text(sources, note->source - 1)
                                    : slice_of("", 0);
}

static struct slice route_of(const struct conf *conf, const struct job *job)
{
    return slice_text(job->rerouted ? conf->routes[job->route].name : NULL);
}

enum rc queued_state(struct queued *queued, const struct queued_names *names,
                     uint64_t now_ms, uint64_t utc_ms, struct arena *arena,
                     struct state *state)
{
    const size_t count = queued_recipients(queued);
    struct state_recipient *pending =
        arena_new(arena, count + 1, sizeof *pending);
    if (!pending)
        return RC_LIMIT;

    size_t at = 0;
    for (struct job *job = queued->jobs; job; job = job->sibling) {
        const struct job_recipient *recipients = job_recipients(job);
        const uint64_t next = next_utc_ms(job, now_ms, utc_ms);
        for (size_t i = 0; i < job->recipient_count; i++) {
            const struct job_note *note = recipients[i].note;
            pending[at++] = (struct state_recipient){
                .index = recipients[i].index,
                .attempts = job->attempts,
                .next_utc_ms = next,
                .held = job->held,
                .code = note ? note->code : 0,
                .text = job_note_text(note),
                .source = source_of(note, names->sources),
                .told = note && note->told,
                .route = route_of(names->conf, job),
            };
        }
    }
    qsort(pending, count, sizeof *pending, by_index);
    *state = (struct state){ pending, count };
    return RC_OK;
}
