/*
 * trial.h - a message is judged as one of its template.
 *
 *     look --> judge --> take --'--> judge again, where nothing is left
 *
 * The classifier decides by the template's standing, and what it lets through
 * is counted. Where the template's budget is spent meanwhile, or this very
 * message made it trip, it is judged again by that. Who only wants to know asks
 * somebody else how it stands, in the same words, and nothing is counted.
 */
#ifndef ROUTER_TEMPLATES_TRIAL_H
#define ROUTER_TEMPLATES_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/judge.h"
#include "common/base/slice.h"

struct templates;
struct templates_finding;
struct templates_ticket;

/* As templates_look(), false when nobody knows; and templates_try(). */
struct trial_asker {
    bool (*look)(void *context, const struct templates_ticket *ticket,
                 struct judge_standing *standing);
    bool (*take)(void *context, const struct templates_ticket *ticket,
                 const struct templates_finding *finding,
                 struct judge_standing *standing);
    void *context;
};

struct trial {
    const struct judge_policy *policy;
    const struct judge_account *account;
    const struct judge_message *message;
    const struct sketch *sketch;
    struct templates *templates;     /* NULL: it is judged by itself alone, */
    const struct trial_asker *asker; /* unless somebody else is asked */
    struct slice tenant;
    const struct slice
        *recipients; /* the first TEMPLATES_HASHES_MAX at least */
    size_t recipient_count;
    uint64_t now_utc_ms;
};

/* The id of its template; 0: there are none. */
uint64_t trial_judge(const struct trial *trial, struct judgement *judgement);

#endif
