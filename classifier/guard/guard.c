/* guard.c - what a template may do, by what it has done. */
#include "classifier/guard/guard.h"

#include <math.h>

#include "common/base/check.h"
#include "common/base/mem.h"

#define DAY_MS  UINT64_C(86400000)
#define WEEK_MS (7 * DAY_MS)

#define DAYS_MIN        3u
#define RECIPIENTS_MIN  200u /* of a trial */
#define COMPLAINTS_MIN  3u
#define OUTCOMES_MIN    100u
#define EARN_COMPLAINTS 1000u /* per million, at most, for trust */
#define EARN_BOUNCES    50000u
#define MILLION         UINT64_C(1000000)

#define PEAK_FACTOR  10u
#define DRIFT_MAX    8 /* quarters: two of log-odds */
#define DAY_GROWTH   4u
#define LATER_GROWTH 20u

/* Of the rate of complaints, before any was heard. */
#define PRIOR_MAILS 300.0
#define SURE_ENOUGH 0.9

/* Of `flags`. */
#define FLAG_STATE   0x07u
#define FLAG_SET     0x08u
#define FLAG_TAUGHT  0x70u /* kind + 1 */
#define TAUGHT_SHIFT 4
#define FLAG_BLAMED  0x80u /* TRIPPED, by complaints */

enum judge_state guard_state(const struct guard_template *template)
{
    return (enum judge_state)(template->flags & FLAG_STATE);
}

static void put_state(struct guard_template *template, enum judge_state state)
{
    template->flags = (uint8_t)((template->flags & ~(FLAG_STATE | FLAG_BLAMED))
                                | (unsigned)state);
}

bool guard_is_set(const struct guard_template *template)
{
    return (template->flags & FLAG_SET) != 0;
}

bool guard_is_taught(const struct guard_template *template,
                     enum judge_kind *kind)
{
    const unsigned taught = (template->flags & FLAG_TAUGHT) >> TAUGHT_SHIFT;
    if (taught == 0)
        return false;
    *kind = (enum judge_kind)(taught - 1);
    return true;
}

bool guard_is_blamed(const struct guard_template *template)
{
    return (template->flags & FLAG_BLAMED) != 0;
}

bool guard_is_watched(const struct guard_template *template)
{
    return template->watch && template->watch->burst;
}

void guard_begin(struct guard_template *template, const struct guard_key *key,
                 uint64_t now_ms)
{
    const uint32_t now_s = (uint32_t)(now_ms / 1000);
    *template = (struct guard_template){
        .id = key->id,
        .skeleton = key->skeleton,
        .first_utc_s = now_s,
        .last_utc_s = now_s,
        .since_utc_s = now_s,
        .flags = TEMPLATE_NEW,
        .days = 1,
    };
    for (unsigned i = 0; i < GUARD_BANDS; i++)
        template->bands[i] = key->bands[i];
}

static void end_burst(struct guard_template *template)
{
    if (!template->watch)
        return;
    mem_free(template->watch->burst);
    template->watch->burst = NULL;
}

void guard_release(struct guard_template *template)
{
    if (!template->watch)
        return;
    end_burst(template);
    recipients_release(&template->watch->recipients);
    mem_free(template->watch);
    template->watch = NULL;
}

struct guard_template guard_copy(const struct guard_template *template)
{
    struct guard_template copy = *template;
    if (!template->watch)
        return copy;
    copy.watch = NEW(struct guard_watch);
    *copy.watch = *template->watch;
    copy.watch->recipients = recipients_copy(&template->watch->recipients);
    if (template->watch->burst) {
        copy.watch->burst = NEW(struct burst);
        *copy.watch->burst = *template->watch->burst;
    }
    return copy;
}

size_t guard_bytes(const struct guard_template *template)
{
    const struct guard_watch *watch = template->watch;
    if (!watch)
        return 0;
    return sizeof *watch + recipients_bytes(&watch->recipients)
           + (watch->burst ? sizeof *watch->burst : 0);
}

static struct guard_watch *watch_of(struct guard_template *template)
{
    if (!template->watch)
        template->watch = NEW(struct guard_watch);
    return template->watch;
}

/* ---- states ------------------------------------------------------------ */

static uint64_t age_ms(uint32_t since_utc_s, uint64_t now_ms)
{
    const uint64_t since_ms = (uint64_t)since_utc_s * 1000;
    return now_ms > since_ms ? now_ms - since_ms : 0;
}

/* Is part / whole at most `per_million`? */
static bool is_within(uint64_t part, uint64_t whole, uint64_t per_million)
{
    return part * MILLION <= whole * per_million;
}

static bool has_earned_trust(const struct guard_template *template,
                             const struct guard_rules *rules, uint64_t now_ms)
{
    const uint32_t outcomes =
        (uint32_t) template->delivered + template->bounced;
    return age_ms(template->since_utc_s, now_ms) >= rules->trust_after_ms
           && template->days >= DAYS_MIN
           && template->recipients >= RECIPIENTS_MIN && outcomes >= OUTCOMES_MIN
           && template->mean >= 0
           && is_within(template->complained, template->delivered,
                        EARN_COMPLAINTS)
           && is_within(template->bounced, outcomes, EARN_BOUNCES);
}

/* Is the rate of complaints above the limit? The posterior is Beta(1 + c,
 * 300 + n - c); its tail above a small rate is the chance that a Poisson of
 * rate x (300 + n) is at most c. */
static bool has_complaints(const struct guard_template *template,
                           const struct guard_rules *rules)
{
    const double expected = (double)rules->complaints / (double)MILLION
                            * (PRIOR_MAILS + template->delivered);
    double term = exp(-expected);
    double sum = term;
    /* One recipient whose message is refused again and again is no crowd. */
    if (template->complained < COMPLAINTS_MIN)
        return false;
    for (unsigned i = 1; i <= template->complained; i++) {
        term *= expected / i;
        sum += term;
    }
    return sum > SURE_ENOUGH;
}

/* What is due by now. */
static enum guard_change due_at(const struct guard_template *template,
                                const struct guard_rules *rules,
                                uint64_t now_ms)
{
    if (guard_is_set(template))
        return GUARD_UNCHANGED;
    switch (guard_state(template)) {
    case TEMPLATE_TRIPPED:
        return age_ms(template->since_utc_s, now_ms) >= DAY_MS
                       && !(guard_is_blamed(template)
                            && has_complaints(template, rules))
                   ? GUARD_RELEASED
                   : GUARD_UNCHANGED;
    case TEMPLATE_PROBATION:
        return has_earned_trust(template, rules, now_ms) ? GUARD_EARNED
                                                         : GUARD_UNCHANGED;
    case TEMPLATE_NEW:
        return template->watch && template->watch->members == GUARD_MEMBERS
                   ? GUARD_SETTLED
                   : GUARD_UNCHANGED;
    case TEMPLATE_UNKNOWN:
    case TEMPLATE_TRUSTED:
        break;
    }
    return GUARD_UNCHANGED;
}

static enum judge_state state_after(enum guard_change change)
{
    static const enum judge_state states[GUARD_CHANGES] = {
        [GUARD_SETTLED] = TEMPLATE_PROBATION,
        [GUARD_EARNED] = TEMPLATE_TRUSTED,
        [GUARD_BURST] = TEMPLATE_TRIPPED,
        [GUARD_BLAMED] = TEMPLATE_TRIPPED,
        [GUARD_DRIFTED] = TEMPLATE_TRIPPED,
        [GUARD_BOUNCING] = TEMPLATE_PROBATION,
        [GUARD_RELEASED] = TEMPLATE_PROBATION,
    };
    return states[change];
}

/* A trial begins, and nothing of before counts. */
static void begin_trial(struct guard_template *template)
{
    template->recipients = 0;
    template->delivered = 0;
    template->bounced = 0;
    template->complained = 0;
    template->days = 1;
    template->mean = template->drift;
}

/* Every change is later than the one before: copies are told apart by it. */
static void start_state(struct guard_template *template, uint64_t now_ms)
{
    const uint32_t now_s = (uint32_t)(now_ms / 1000);
    template->since_utc_s =
        now_s > template->since_utc_s ? now_s : template->since_utc_s + 1;
}

static void settle_mean(struct guard_template *template)
{
    const int mean =
        template->watch->points / (25 * (int)template->watch->members);
    template->mean = (int8_t)(mean > INT8_MAX   ? INT8_MAX
                              : mean < INT8_MIN ? INT8_MIN
                                                : mean);
    template->drift = template->mean;
}

/* The one place where a state changes by what happened. */
static enum guard_change move(struct guard_template *template,
                              enum guard_change change, uint64_t now_ms)
{
    if (change == GUARD_UNCHANGED)
        return change;
    put_state(template, state_after(change));
    if (change == GUARD_BLAMED)
        template->flags |= FLAG_BLAMED;
    if (change == GUARD_SETTLED) {
        settle_mean(template);
        return change;
    }
    start_state(template, now_ms);
    if (guard_state(template) == TEMPLATE_PROBATION)
        begin_trial(template);
    else
        guard_release(template);
    return change;
}

enum judge_state guard_state_at(const struct guard_template *template,
                                const struct guard_rules *rules,
                                uint64_t now_ms)
{
    const enum guard_change change = due_at(template, rules, now_ms);
    return change == GUARD_UNCHANGED ? guard_state(template)
                                     : state_after(change);
}

/* ---- budgets ----------------------------------------------------------- */

/* What the template and its tenant may do at a moment. */
struct terms {
    struct allowance_rule own;
    struct allowance_rule pot;
};

static const struct allowance unused = { .share = 0 };

const struct allowance *guard_taken(const struct guard_template *template)
{
    return template->watch ? &template->watch->allowance : &unused;
}

struct allowance_rule guard_rule(const struct guard_template *template,
                                 const struct guard_rules *rules,
                                 uint64_t now_ms)
{
    struct allowance_rule rule = {
        .span_ms = { rules->per_ms, DAY_MS },
        .cap = { rules->recipients, rules->recipients * DAY_GROWTH },
        .routers = rules->routers,
        .is_alone = rules->is_alone,
    };
    allowance_rule_at(&rule, now_ms);
    /* What it does today must not widen what it may do today. */
    if (age_ms(template->first_utc_s, now_ms) >= DAY_MS
        && template->recipients
               >= rules->recipients
                      + allowance_used(guard_taken(template), &rule, 1)) {
        rule.cap[0] = rules->recipients * DAY_GROWTH;
        rule.cap[1] = rules->recipients * LATER_GROWTH;
    }
    return rule;
}

struct allowance_rule guard_pot_rule(const struct guard_rules *rules,
                                     uint64_t now_ms)
{
    struct allowance_rule rule = {
        .span_ms = { rules->per_ms, 0 },
        .cap = { rules->tenant, 0 },
        .routers = rules->routers,
        .is_alone = rules->is_alone,
    };
    allowance_rule_at(&rule, now_ms);
    return rule;
}

static struct terms terms_of(const struct guard_template *template,
                             const struct guard_rules *rules, uint64_t now_ms)
{
    struct terms terms;
    terms.own = guard_rule(template, rules, now_ms);
    terms.pot = terms.own; /* of the same moment */
    terms.pot.span_ms[1] = 0;
    terms.pot.cap[0] = rules->tenant;
    return terms;
}

static uint32_t count_new(const struct guard_template *template,
                          const struct guard_member *member)
{
    uint32_t count = member->recipient_count;
    for (uint32_t i = 0; template->watch && i < member->hash_count; i++)
        count -=
            recipients_has(&template->watch->recipients, member->recipients[i]);
    return count;
}

static bool has_budget(const struct guard_template *template,
                       const struct allowance *pot, const struct terms *terms,
                       uint32_t count)
{
    return count <= allowance_left(guard_taken(template), &terms->own)
           && count <= allowance_left(pot, &terms->pot);
}

static bool is_unproven(enum judge_state state)
{
    return state == TEMPLATE_NEW || state == TEMPLATE_PROBATION;
}

void guard_recall(struct guard_template *template,
                  const struct allowance *taken, uint64_t now_ms)
{
    if (is_unproven(guard_state(template)) && !allowance_is_idle(taken, now_ms))
        allowance_recall(&watch_of(template)->allowance, taken, now_ms);
}

static void stand(const struct guard_template *template,
                  const struct terms *terms, enum judge_state state,
                  struct judge_standing *standing)
{
    *standing = (struct judge_standing){
        .id = template->id,
        .state = state,
        .recipients = allowance_used(guard_taken(template), &terms->own, 0),
        .budget = terms->own.cap[0],
        .is_blamed = state == TEMPLATE_TRIPPED && guard_is_blamed(template),
    };
    standing->is_taught = guard_is_taught(template, &standing->taught);
}

void guard_look(const struct guard_template *template,
                const struct allowance *pot, const struct guard_rules *rules,
                const struct guard_member *member, uint64_t now_ms,
                struct judge_standing *standing)
{
    const struct terms terms = terms_of(template, rules, now_ms);
    stand(template, &terms, guard_state_at(template, rules, now_ms), standing);
    if (is_unproven(standing->state))
        standing->is_spent =
            !has_budget(template, pot, &terms, count_new(template, member));
}

static bool spend(struct guard_template *template, struct allowance *pot,
                  const struct terms *terms, const struct guard_member *member)
{
    const uint32_t count = count_new(template, member);
    if (!has_budget(template, pot, terms, count))
        return false;
    struct guard_watch *watch = watch_of(template);
    CHECK(allowance_take(&watch->allowance, &terms->own, count)
          && allowance_take(pot, &terms->pot, count));
    for (uint32_t i = 0; i < member->hash_count; i++)
        recipients_add(&watch->recipients, member->recipients[i]);
    template->recipients += count;
    return true;
}

/* ---- bursts ------------------------------------------------------------ */

/* Peaks are kept as logarithms, eight steps to a doubling. */
static uint8_t peak_of(uint32_t count)
{
    if (count == 0)
        return 0;
    const unsigned log = 31u - (unsigned)__builtin_clz(count);
    const unsigned rest = (unsigned)((uint64_t)count * 8 >> log) - 8;
    return (uint8_t)(1 + log * 8 + rest);
}

static uint32_t count_of(uint8_t peak)
{
    if (peak == 0)
        return 0;
    const unsigned log = (peak - 1u) / 8;
    return (uint32_t)((UINT64_C(8) + (peak - 1u) % 8) << log >> 3);
}

/* The window of `last_utc_s` is over. A peak of a week ago counts half. */
static void end_window(struct guard_template *template, uint64_t now_ms)
{
    const uint64_t weeks =
        now_ms / WEEK_MS - (uint64_t) template->last_utc_s * 1000 / WEEK_MS;
    const uint64_t decay = weeks * 8;
    const uint8_t peak = peak_of(template->recent);
    template->peak =
        decay < template->peak ? (uint8_t)(template->peak - decay) : 0;
    if (peak > template->peak)
        template->peak = peak;
    template->recent = 0;
    if (guard_state(template) == TEMPLATE_TRUSTED)
        guard_release(template);
    else
        end_burst(template);
}

static uint64_t window_at(const struct guard_rules *rules, uint64_t utc_ms)
{
    return utc_ms / rules->trip_within_ms;
}

/* Time goes on to `now_ms`. */
static void pass_time(struct guard_template *template,
                      const struct guard_rules *rules, uint64_t now_ms)
{
    const uint64_t last_ms = (uint64_t) template->last_utc_s * 1000;
    if (now_ms < last_ms)
        return;
    if (window_at(rules, now_ms) != window_at(rules, last_ms))
        end_window(template, now_ms);
    if (now_ms / DAY_MS != last_ms / DAY_MS && template->days < DAYS_MIN)
        template->days++;
    template->last_utc_s = (uint32_t)(now_ms / 1000);
}

/* A burst is counted from a quarter of the threshold on; the rest must be of
 * different recipients. */
static bool is_burst(struct guard_template *template,
                     const struct guard_rules *rules,
                     const struct guard_member *member)
{
    const uint32_t quarter = rules->trip_recipients / 4;
    const unsigned shift = burst_shift(rules->trip_recipients);
    const uint32_t recent = template->recent + member->recipient_count;
    template->recent = (uint16_t)(recent < UINT16_MAX ? recent : UINT16_MAX);
    if (template->recent < quarter)
        return false;
    struct guard_watch *watch = watch_of(template);
    if (!watch->burst) {
        watch->burst = NEW(struct burst);
        burst_begin(watch->burst, 0);
    }
    burst_add(watch->burst, &member->text);
    for (uint32_t i = 0; i < member->hash_count; i++)
        burst_add_recipient(watch->burst, member->recipients[i], shift);
    return template->recent >= rules->trip_recipients
           && template->recent / PEAK_FACTOR > count_of(template->peak)
           && burst_size(watch->burst, shift)
                  >= rules->trip_recipients - quarter
           && burst_is_uniform(watch->burst);
}

/* ---- what a message tells ---------------------------------------------- */

static void weigh_member(struct guard_template *template, int32_t points)
{
    const int32_t quarters = points / 25;
    if (guard_state(template) == TEMPLATE_NEW) {
        struct guard_watch *watch = watch_of(template);
        watch->points += points;
        watch->members++;
        return;
    }
    /* Steps toward it find the middle, which a few odd ones do not move. */
    if (quarters<template->drift &&template->drift> INT8_MIN)
        template->drift--;
    else if (quarters > template->drift && template->drift < INT8_MAX)
        template->drift++;
}

static enum guard_change note(struct guard_template *template,
                              const struct guard_rules *rules,
                              const struct guard_member *member,
                              uint64_t now_ms)
{
    pass_time(template, rules, now_ms);
    const enum guard_change due =
        move(template, due_at(template, rules, now_ms), now_ms);
    const enum judge_state state = guard_state(template);
    weigh_member(template, member->points);
    if (guard_is_set(template) || state == TEMPLATE_TRIPPED)
        return due;
    if (member->is_candidate && is_burst(template, rules, member))
        return move(template, GUARD_BURST, now_ms);
    if (state == TEMPLATE_TRUSTED
        && template->drift < template->mean - DRIFT_MAX)
        return move(template, GUARD_DRIFTED, now_ms);
    return due;
}

bool guard_take(struct guard_template *template, struct allowance *pot,
                const struct guard_rules *rules,
                const struct guard_member *member, uint64_t now_ms,
                struct judge_standing *standing, enum guard_change *change)
{
    *change = note(template, rules, member, now_ms);
    const enum judge_state state = guard_state(template);
    const struct terms terms = terms_of(template, rules, now_ms);
    bool is_given = state != TEMPLATE_TRIPPED;
    if (is_unproven(state) && member->needs_budget)
        is_given = spend(template, pot, &terms, member);
    else if (is_unproven(state) && member->as_trusted)
        is_given = false; /* it was trusted a moment ago: judge it again */
    stand(template, &terms, state, standing);
    standing->is_spent = is_unproven(state) && !is_given;
    return is_given;
}

/* ---- what came of it --------------------------------------------------- */

static bool is_bouncing(const struct guard_template *template,
                        const struct guard_rules *rules)
{
    const uint32_t outcomes =
        (uint32_t) template->delivered + template->bounced;
    return outcomes >= OUTCOMES_MIN
           && !is_within(template->bounced, outcomes, rules->hard_bounces);
}

/* When one is full all are halved: old news count less. */
static void make_room(struct guard_template *template)
{
    if (template->delivered < UINT16_MAX && template->bounced < UINT16_MAX
        && template->complained < UINT8_MAX)
        return;
    template->delivered /= 2;
    template->bounced /= 2;
    template->complained /= 2;
}

static void count_outcome(struct guard_template *template,
                          enum guard_outcome outcome)
{
    make_room(template);
    switch (outcome) {
    case GUARD_DELIVERED:
        template->delivered++;
        break;
    case GUARD_HARD_BOUNCE:
        template->bounced++;
        break;
    case GUARD_SPAM_REPLY:
    case GUARD_COMPLAINT:
        template->complained++;
        break;
    }
}

enum guard_change guard_hear(struct guard_template *template,
                             const struct guard_rules *rules,
                             enum guard_outcome outcome, uint32_t count,
                             uint64_t now_ms)
{
    for (uint32_t i = 0; i < count; i++)
        count_outcome(template, outcome);
    const enum judge_state state = guard_state(template);
    if (guard_is_set(template) || guard_is_blamed(template)
        || outcome == GUARD_DELIVERED)
        return GUARD_UNCHANGED;
    if (has_complaints(template, rules))
        return move(template, GUARD_BLAMED, now_ms);
    if (state == TEMPLATE_TRUSTED && is_bouncing(template, rules))
        return move(template, GUARD_BOUNCING, now_ms);
    return GUARD_UNCHANGED;
}

/* ---- the operator ------------------------------------------------------ */

void guard_set(struct guard_template *template, enum judge_state state,
               uint64_t now_ms)
{
    put_state(template, state);
    start_state(template, now_ms);
    template->flags &= (uint8_t)~FLAG_SET;
    guard_release(template);
    template->flags &= (uint8_t)~FLAG_TAUGHT; /* the later word counts */
    if (state == TEMPLATE_NEW) {
        begin_trial(template);
        return;
    }
    template->flags |= FLAG_SET;
}

void guard_teach(struct guard_template *template, enum judge_kind kind,
                 uint64_t now_ms)
{
    const unsigned taught = (unsigned)kind + 1;
    template->flags =
        (uint8_t)((template->flags & ~FLAG_TAUGHT) | taught << TAUGHT_SHIFT);
    start_state(template, now_ms);
}

struct guard_word guard_word_of(const struct guard_template *template)
{
    enum judge_kind taught = KIND_TRANSACTIONAL;
    const bool is_taught = guard_is_taught(template, &taught);
    return (struct guard_word){ .state = guard_state(template),
                                .is_set = guard_is_set(template),
                                .is_blamed = guard_is_blamed(template),
                                .taught = is_taught ? (int)taught : -1 };
}

void guard_restore(struct guard_template *template,
                   const struct guard_word *word)
{
    template->flags =
        (uint8_t)((unsigned)word->state | (word->is_set ? FLAG_SET : 0)
                  | (unsigned)(word->taught + 1) << TAUGHT_SHIFT
                  | (word->is_blamed ? FLAG_BLAMED : 0));
    if (!is_unproven(word->state))
        guard_release(template);
}

static uint32_t most_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint16_t sum_of(uint16_t a, uint16_t b)
{
    const uint32_t sum = (uint32_t)a + b;
    return (uint16_t)(sum < UINT16_MAX ? sum : UINT16_MAX);
}

void guard_unite(struct guard_template *template,
                 const struct guard_template *other, uint64_t now_ms)
{
    const unsigned complained = template->complained + other->complained;
    if (other->first_utc_s < template->first_utc_s)
        template->first_utc_s = other->first_utc_s;
    template->last_utc_s = most_of(template->last_utc_s, other->last_utc_s);
    template->recipients += other->recipients;
    template->delivered = sum_of(template->delivered, other->delivered);
    template->bounced = sum_of(template->bounced, other->bounced);
    template->recent = sum_of(template->recent, other->recent);
    template->complained =
        (uint8_t)(complained < UINT8_MAX ? complained : UINT8_MAX);
    template->peak = (uint8_t)most_of(template->peak, other->peak);
    template->days = (uint8_t)most_of(template->days, other->days);
    if (is_unproven(guard_state(template)) && other->watch)
        allowance_add(&watch_of(template)->allowance, &other->watch->allowance,
                      now_ms);
}

const char *guard_state_name(enum judge_state state)
{
    static const char *const names[] = {
        [TEMPLATE_UNKNOWN] = "unknown",     [TEMPLATE_NEW] = "new",
        [TEMPLATE_PROBATION] = "probation", [TEMPLATE_TRUSTED] = "trusted",
        [TEMPLATE_TRIPPED] = "tripped",
    };
    return names[state];
}

const char *guard_change_name(enum guard_change change)
{
    static const char *const names[GUARD_CHANGES] = {
        [GUARD_UNCHANGED] = "unchanged", [GUARD_SETTLED] = "settled",
        [GUARD_EARNED] = "earned",       [GUARD_BURST] = "burst",
        [GUARD_BLAMED] = "complaints",   [GUARD_DRIFTED] = "drift",
        [GUARD_BOUNCING] = "bounces",    [GUARD_RELEASED] = "released",
    };
    return names[change];
}
