/* report.c - a delivery's outcomes as a RESULT. */
#include "workers/sites/report.h"

#include "common/base/check.h"
#include "common/base/time.h"

void report_result(struct delivery *delivery, const struct report_place *place)
{
    const struct wire_job *job = &delivery->job;
    struct wire_outcome *outcomes =
        arena_new(&delivery->arena, job->recipient_count, sizeof *outcomes);
    CHECK(outcomes); /* the arena is far larger than any decoded job */
    for (size_t i = 0; i < job->recipient_count; i++) {
        outcomes[i].index = job->recipients[i].index;
        outcomes[i].verdict = delivery->dialog.outcomes[i];
    }
    uint64_t now_utc_ms = time_utc_ms();
    link_result(delivery->router,
                &(struct wire_result){
                    .lease = job->lease,
                    .message = job->message,
                    .lane = job->lane,
                    .source = slice_text(place->source->name),
                    .source_ip = slice_text(place->source->address),
                    .host = slice_text(place->host),
                    .host_ip = slice_text(place->host_ip),
                    .tls = slice_text(place->tls),
                    .started_utc_ms = delivery->started_utc_ms > 0
                                          ? delivery->started_utc_ms
                                          : now_utc_ms,
                    .ended_utc_ms = now_utc_ms,
                    .in_doubt = delivery->dialog.in_doubt,
                    .ends_dsn = delivery->dialog.ends_dsn,
                    .outcomes = outcomes,
                    .outcome_count = job->recipient_count,
                });
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
