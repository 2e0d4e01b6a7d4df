/* credit.c - how many jobs an outlet asks its router for. */
#include "workers/sites/credit.h"

#include "common/base/time.h"
#include "workers/limits/gate.h"

#define PULL_AGAIN_MS SECONDS_MS(5) /* nothing came though the lane has jobs */

static uint64_t least(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static uint64_t rest_of(uint64_t whole, uint64_t part)
{
    return whole > part ? whole - part : 0;
}

uint64_t credit_able(const struct credit_means *means)
{
    uint64_t openable = least(rest_of(means->slots, means->slots_used),
                              rest_of(means->allowed, means->lines));
    uint64_t idle = rest_of(means->lines, means->leaving + means->busy);
    uint64_t free = rest_of(openable + idle + means->loans, means->kept);
    uint64_t jobs =
        least(free + least(means->busy, means->ahead), means->allowed);
    if (means->is_trial)
        jobs = least(jobs, 1);
    /* One more than there are tokens: see gate_messages(). */
    if (means->tokens != GATE_UNLIMITED)
        jobs = least(jobs, (uint64_t)means->tokens + 1);
    if (!means->is_trial)
        jobs += means->needed;
    return rest_of(least(jobs, CREDIT_MAX), means->queued);
}

uint64_t credit_standing(const struct credit *credit)
{
    return rest_of(credit->total, credit->received);
}

bool credit_is_news(const struct credit *credit, uint64_t able, bool has_more,
                    uint64_t now_ms)
{
    uint64_t standing = credit_standing(credit);
    if (credit->is_unsure || able < standing)
        return true;
    if (able > standing)
        return standing <= able / 2;
    return able > 0 && has_more && now_ms >= credit->asked_ms + PULL_AGAIN_MS;
}

uint64_t credit_ask(struct credit *credit, uint64_t able, bool has_more,
                    uint64_t now_ms)
{
    if (has_more && able > 0 && credit_standing(credit) == 0)
        pace_ask(&credit->pace, now_ms);
    credit->total = credit->received + able;
    credit->asked_ms = now_ms;
    credit->is_unsure = false;
    return credit->total;
}

void credit_use(struct credit *credit, uint64_t now_ms)
{
    credit->received++;
    pace_hear(&credit->pace, now_ms);
    credit->asked_ms = now_ms;
}

void credit_void(struct credit *credit)
{
    credit->is_unsure |= credit->total > 0;
    credit->total = 0;
    credit->received = 0;
}
