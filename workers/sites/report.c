/* report.c - a delivery's outcomes as a RESULT. */
#include "workers/sites/report.h"

#include "common/base/check.h"
#include "common/base/time.h"

/* The result but for the outcomes; those are one for each recipient. */
static struct wire_result begin_result(const struct delivery *delivery,
                                       const struct report_place *place,
                                       const struct wire_outcome *outcomes)
{
    const struct wire_job *job = &delivery->job;
    const uint64_t now_utc_ms = time_utc_ms();
    return (struct wire_result){
        .lease = job->lease,
        .message = job->message,
        .lane = job->lane,
        .source = slice_text(place->source->name),
        .source_ip = slice_text(place->source_ip),
        .host = slice_text(place->host),
        .host_ip = slice_text(place->host_ip),
        .tls = slice_text(place->tls),
        .started_utc_ms = delivery->started_utc_ms > 0
                              ? delivery->started_utc_ms
                              : now_utc_ms,
        .ended_utc_ms = now_utc_ms,
        .in_doubt = delivery->dialog.in_doubt,
        .ends_dsn = delivery->dialog.ends_dsn,
        .converted = delivery->dialog.body.ptr != delivery->body.ptr,
        .outcomes = outcomes,
        .outcome_count = job->recipient_count,
    };
}

static struct wire_outcome *take_outcomes(struct delivery *delivery)
{
    const struct wire_job *job = &delivery->job;
    struct wire_outcome *outcomes =
        arena_new(&delivery->arena, job->recipient_count, sizeof *outcomes);
    CHECK(outcomes); /* the arena is far larger than any decoded job */
    for (size_t i = 0; i < job->recipient_count; i++) {
        outcomes[i].index = job->recipients[i].index;
        outcomes[i].verdict = delivery->dialog.outcomes[i];
    }
    return outcomes;
}

void report_result(struct delivery *delivery, const struct report_place *place)
{
    const struct wire_result result =
        begin_result(delivery, place, take_outcomes(delivery));
    link_result(delivery->router, &result);
}

void report_doubt(struct delivery *delivery, const struct report_place *place)
{
    struct wire_outcome *outcomes = take_outcomes(delivery);
    for (size_t i = 0; i < delivery->job.recipient_count; i++)
        if (outcomes[i].verdict.class == VERDICT_DELIVERED)
            outcomes[i].verdict = (struct verdict){
                .class = VERDICT_DEFERRED,
                .enhanced = { 4, 4, 2 },
                .text = "the worker died before the reply came",
            };
    struct wire_result result = begin_result(delivery, place, outcomes);
    result.in_doubt = true;
    result.posthumous = true;
    link_doubt(delivery->router, &result);
}

bool report_is_final(const struct verdict *why)
{
    return why->class == VERDICT_FAILED && why->code == 0;
}

void report_unreached(struct delivery *delivery, const struct verdict *why)
{
    struct verdict verdict = *why;
    /* A host that greets with 5yz speaks of itself, not of the mailbox. */
    if (!report_is_final(why)) {
        verdict.class = VERDICT_DEFERRED;
        if (verdict.enhanced.class == 5)
            verdict.enhanced.class = 4;
    }
    for (size_t i = 0; i < delivery->job.recipient_count; i++)
        delivery->dialog.outcomes[i] = verdict;
}
