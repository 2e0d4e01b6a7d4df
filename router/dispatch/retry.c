/* retry.c - when, and from which source, a deferred job is tried again. */
#include "router/dispatch/retry.h"

#include "common/base/time.h"
#include "common/proto/waitword.h"
#include "router/lanes/schedule.h"

/* Where the job goes, as limits are asked for it. */
struct aim {
    struct slice domain;
    const struct conf_provider *provider;
};

static struct aim aim_of(const struct conf *conf, const struct job *job)
{
    struct aim aim = { SLICE(""), NULL };
    if (!job->destination)
        return aim;
    const struct slice names[] = { job->destination->hosts[0].name };
    aim.domain = job->destination->domain;
    aim.provider = conf_provider_of(conf, aim.domain, names, ARRAY_LEN(names));
    return aim;
}

static bool is_refusal(const struct verdict *verdict)
{
    return verdict->code >= 400 && verdict->code < 500;
}

static bool keeps_source(const struct conf *conf, const struct aim *aim,
                         const struct verdict *verdict)
{
    uint64_t ignored = 0;
    const struct slice text = slice_text(verdict->text);
    switch ((enum conf_same_source)conf_limit(conf, LIMIT_RETRY_SAME_SOURCE,
                                              aim->domain, aim->provider)
                ->number) {
    case SAME_NEVER:
        return false;
    case SAME_GREYLISTED:
        return is_refusal(verdict)
               && (waitword_is_greylisting(text)
                   || waitword_find(text, &ignored));
    case SAME_ALWAYS:
        return true;
    }
    return false;
}

struct conf_retry retry_schedule(const struct dispatch *dispatch,
                                 const struct job *job)
{
    const struct conf *conf = dispatch->conf;
    const struct aim aim = aim_of(conf, job);
    return conf_retry(conf, &conf->streams[job->stream],
                      &conf->routes[job->route], aim.domain, aim.provider);
}

struct retry_plan retry_plan(const struct dispatch *dispatch, struct job *job,
                             const struct verdict *verdict)
{
    const struct conf *conf = dispatch->conf;
    const struct aim aim = aim_of(conf, job);
    const struct conf_schedule *schedule =
        retry_schedule(dispatch, job).schedule;
    const uint32_t attempts = job->attempts + 1u;
    const uint64_t seed = job->queued->id ^ job_recipients(job)[0].index;
    struct retry_plan plan = {
        .same_source = keeps_source(conf, &aim, verdict),
    };
    uint64_t asked_ms = 0;
    if (is_refusal(verdict) && attempts <= SCHEDULE_ASKED_ATTEMPTS
        && conf_limit(conf, LIMIT_RETRY_AS_ASKED, aim.domain, aim.provider)
               ->number
        && waitword_find(slice_text(verdict->text), &asked_ms)) {
        plan.asked_ms = asked_ms;
        plan.wait_ms = schedule_asked_ms(schedule, attempts, asked_ms, seed);
    } else {
        plan.wait_ms = schedule_wait_ms(schedule, attempts, seed);
    }
    return plan;
}

struct retry_plan retry_join(struct retry_plan a, struct retry_plan b)
{
    struct retry_plan plan = a.wait_ms >= b.wait_ms ? a : b;
    plan.same_source = a.same_source || b.same_source;
    return plan;
}

bool retry_comes(const struct job *job, const struct retry_plan *plan)
{
    return time_utc_ms() + plan->wait_ms < job->queued->expires_utc_ms;
}
