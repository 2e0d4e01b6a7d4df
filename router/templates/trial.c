/* trial.c - a message is judged as one of its template. */
#include "router/templates/trial.h"

#include <math.h>

#include "router/templates/templates.h"

#define LIKELY 500u /* per mille: more than all other kinds together */

/* Of a share in per mille, in hundredths. */
static int32_t log_odds(uint32_t per_mille)
{
    uint32_t share = per_mille;
    if (share < 1)
        share = 1;
    if (share > 999)
        share = 999;
    return (int32_t)(100 * log((double)share / (1000 - share)));
}

/* Did the operator vouch for this: for what the account declared? */
static bool is_vouched_for(const struct trial *trial,
                           const struct judgement *judgement)
{
    return trial->account->trust == JUDGE_TRUST_ALWAYS
           && judgement->declared == (int)judgement->stream;
}

/* Where the operator vouches for it, there is no budget to keep to. */
static struct templates_finding finding_of(const struct trial *trial,
                                           const struct judge_standing *looked,
                                           const struct judgement *judgement)
{
    const bool is_on_trial =
        judgement->is_protected && !is_vouched_for(trial, judgement);
    const uint32_t likely = judgement->per_mille[KIND_TRANSACTIONAL];
    return (struct templates_finding){
        .text = { .text_hash = trial->sketch->text_hash,
                  .own_hash = trial->sketch->own_hash },
        .points = log_odds(likely),
        .is_candidate = likely >= LIKELY || judgement->is_protected,
        .needs_budget = judgement->needs_budget && is_on_trial,
        .as_trusted = is_on_trial && looked->state == TEMPLATE_TRUSTED
                      && !looked->is_taught,
    };
}

static void judge_as(const struct trial *trial,
                     const struct judge_standing *standing,
                     struct judgement *judgement)
{
    judge(trial->policy, trial->account, trial->message, trial->sketch,
          standing, judgement);
}

static bool look(const struct trial *trial,
                 const struct templates_ticket *ticket,
                 struct judge_standing *standing)
{
    if (trial->asker)
        return trial->asker->look(trial->asker->context, ticket, standing);
    templates_look(trial->templates, ticket, trial->now_utc_ms, standing);
    return true;
}

static bool take(const struct trial *trial,
                 const struct templates_ticket *ticket,
                 const struct templates_finding *finding,
                 struct judge_standing *standing)
{
    if (trial->asker)
        return trial->asker->take(trial->asker->context, ticket, finding,
                                  standing);
    return templates_take(trial->templates, ticket, finding, trial->now_utc_ms,
                          standing);
}

uint64_t trial_judge(const struct trial *trial, struct judgement *judgement)
{
    struct judge_standing standing = { .state = TEMPLATE_UNKNOWN };
    struct templates_ticket ticket;
    bool is_known = trial->templates || trial->asker;
    if (is_known) {
        templates_ticket(trial->templates, trial->tenant, trial->sketch,
                         trial->recipients, trial->recipient_count, &ticket);
        is_known = look(trial, &ticket, &standing);
    }
    judge_as(trial, &standing, judgement);
    if (!is_known || judgement->kind == KIND_SYSTEM
        || judgement->unknown_stream.len > 0)
        return 0; /* not one of many, or not to be taken */
    const struct templates_finding finding =
        finding_of(trial, &standing, judgement);
    const bool is_given = take(trial, &ticket, &finding, &standing);
    if (!is_given && judgement->is_protected)
        judge_as(trial, &standing, judgement);
    return standing.id;
}
