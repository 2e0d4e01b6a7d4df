/* test_guard - what templates may do, by what they have done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/guard/guard.h"

#define START_MS UINT64_C(1767225600000) /* 2026-01-01, a Thursday */
#define MINUTE   UINT64_C(60000)
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)

static const struct guard_rules rules = {
    .recipients = 50,
    .per_ms = HOUR,
    .tenant = 150,
    .trust_after_ms = 72 * HOUR,
    .trip_recipients = 500,
    .trip_within_ms = 10 * MINUTE,
    .complaints = 3000,
    .hard_bounces = 80000,
    .routers = 1,
    .is_alone = true,
};

/* A template on its way, its tenant's pot, and the message to come. */
struct trial {
    struct guard_template template;
    struct allowance pot;
    struct guard_rules rules;
    struct guard_member member;
    struct judge_standing standing;
    uint64_t now_ms;
    uint32_t hash;
    uint32_t taken;
    enum guard_change change; /* the last one that was one */
};

static struct guard_key key_of(uint32_t seed)
{
    struct sketch *sketch = calloc(1, sizeof *sketch);
    struct guard_key key;
    sketch->word_count = 100;
    for (uint32_t i = 0; i < SKETCH_HASHES; i++)
        sketch->min_hashes[i] = seed * 1000 + i;
    guard_key_of(sketch, 7, &key);
    free(sketch);
    return key;
}

static void begin(struct trial *trial)
{
    const struct guard_key key = key_of(1);
    *trial = (struct trial){
        .rules = rules,
        .member = { .recipients = &trial->hash,
                    .hash_count = 1,
                    .recipient_count = 1,
                    .text = { .text_hash = 1 },
                    .points = 400,
                    .is_candidate = true,
                    .needs_budget = true },
        .now_ms = START_MS,
    };
    guard_begin(&trial->template, &key, trial->now_ms);
}

static bool send(struct trial *trial)
{
    enum guard_change change;
    trial->hash += 0x9e3779b1;
    const enum judge_state state =
        guard_state_at(&trial->template, &trial->rules, trial->now_ms);
    trial->member.needs_budget =
        state == TEMPLATE_NEW || state == TEMPLATE_PROBATION;
    const bool is_given =
        guard_take(&trial->template, &trial->pot, &trial->rules, &trial->member,
                   trial->now_ms, &trial->standing, &change);
    if (change != GUARD_UNCHANGED)
        trial->change = change;
    trial->taken += is_given;
    return is_given;
}

/* `count` messages, evenly, within `span_ms`; how many were protected. */
static uint32_t send_many(struct trial *trial, uint32_t count, uint64_t span_ms)
{
    const uint32_t before = trial->taken;
    const uint64_t start_ms = trial->now_ms;
    for (uint32_t i = 0; i < count; i++) {
        trial->now_ms = start_ms + span_ms * i / count;
        (void)send(trial);
    }
    trial->now_ms = start_ms + span_ms;
    return trial->taken - before;
}

static enum guard_change hear(struct trial *trial, enum guard_outcome outcome,
                              uint32_t count)
{
    return guard_hear(&trial->template, &trial->rules, outcome, count,
                      trial->now_ms);
}

static enum judge_state state_of(const struct trial *trial)
{
    return guard_state_at(&trial->template, &trial->rules, trial->now_ms);
}

/* Four days of a good template. */
static void earn(struct trial *trial)
{
    for (unsigned day = 0; day < 4; day++) {
        (void)send_many(trial, 100, DAY);
        (void)hear(trial, GUARD_DELIVERED, 100);
    }
    assert_true(send(trial));
    assert_int_equal(state_of(trial), TEMPLATE_TRUSTED);
}

static void end(struct trial *trial)
{
    guard_release(&trial->template);
}

static void test_budget_is_of_distinct_recipients(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    assert_int_equal(send_many(&trial, 300, 10 * MINUTE), 50);
    assert_true(trial.standing.is_spent);
    assert_int_equal(trial.standing.recipients, 50);
    assert_int_equal(trial.standing.budget, 50);
    /* Who had it before costs nothing. */
    trial.hash = 0;
    assert_int_equal(send_many(&trial, 50, MINUTE), 50);
    assert_false(send(&trial));
    /* An hour later there is more; in the first day four times as many. */
    trial.now_ms += 2 * HOUR;
    trial.hash = 0x12345;
    assert_int_equal(send_many(&trial, 300, 10 * MINUTE), 50);
    trial.now_ms += 2 * HOUR;
    assert_int_equal(send_many(&trial, 300, 10 * MINUTE), 50);
    trial.now_ms += 2 * HOUR;
    assert_int_equal(send_many(&trial, 300, 10 * MINUTE), 50);
    trial.now_ms += 2 * HOUR;
    assert_int_equal(send_many(&trial, 300, 10 * MINUTE), 0);
    end(&trial);
}

static void test_no_hour_sees_more_wherever_it_begins(void **state)
{
    (void)state;
    for (uint64_t offset = 0; offset < HOUR; offset += 7 * MINUTE) {
        struct trial trial;
        begin(&trial);
        trial.now_ms += offset;
        assert_int_equal(send_many(&trial, 600, 59 * MINUTE), 50);
        end(&trial);
    }
}

static void test_budget_grows_on_the_second_day(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    trial.rules.tenant = 10000;
    (void)send_many(&trial, 60, HOUR);
    trial.now_ms += 2 * DAY;
    assert_int_equal(send_many(&trial, 400, 10 * MINUTE), 200);
    end(&trial);
    /* One that was idle has not earned it. */
    begin(&trial);
    (void)send(&trial);
    trial.now_ms += 2 * DAY;
    assert_int_equal(send_many(&trial, 400, 10 * MINUTE), 50);
    end(&trial);
}

static void test_pot_bounds_all_templates_of_a_tenant(void **state)
{
    (void)state;
    struct trial trials[10];
    struct allowance pot = { .share = 0 };
    uint32_t sum = 0;
    for (unsigned i = 0; i < 10; i++) {
        begin(&trials[i]);
        trials[i].pot = pot;
        trials[i].hash = i * 1000;
        sum += send_many(&trials[i], 40, MINUTE);
        pot = trials[i].pot;
    }
    assert_int_equal(sum, 150);
    for (unsigned i = 0; i < 10; i++)
        end(&trials[i]);
}

static void test_recipients_of_one_message_are_taken_or_not(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    trial.member.recipient_count = 20;
    assert_true(send(&trial));
    assert_true(send(&trial));
    assert_false(send(&trial));
    assert_true(trial.standing.is_spent);
    assert_true(trial.standing.recipients <= 40);
    end(&trial);
}

static void test_trust_is_earned(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint32_t a_day;
        unsigned days;
        uint32_t bounced, complained;
        int32_t points;
        enum judge_state state;
    } cases[] = {
        { "all well", 100, 4, 0, 0, 400, TEMPLATE_TRUSTED },
        { "too young", 100, 2, 0, 0, 400, TEMPLATE_PROBATION },
        { "too few", 20, 4, 0, 0, 400, TEMPLATE_PROBATION },
        { "bounces", 100, 4, 30, 0, 400, TEMPLATE_PROBATION },
        { "a complaint", 100, 4, 0, 1, 400, TEMPLATE_PROBATION },
        { "reads like bulk", 100, 4, 0, 0, -100, TEMPLATE_PROBATION },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial trial;
        begin(&trial);
        trial.member.points = cases[i].points;
        for (unsigned day = 0; day < cases[i].days; day++) {
            (void)send_many(&trial, cases[i].a_day, DAY);
            (void)hear(&trial, GUARD_DELIVERED, cases[i].a_day);
            if (day > 0)
                continue;
            (void)hear(&trial, GUARD_HARD_BOUNCE, cases[i].bounced);
            (void)hear(&trial, GUARD_COMPLAINT, cases[i].complained);
        }
        (void)send(&trial);
        if (state_of(&trial) != cases[i].state)
            fail_msg("%s: %s", cases[i].why,
                     guard_state_name(state_of(&trial)));
        end(&trial);
    }
}

static void test_trust_needs_days(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    trial.rules.recipients = 1000;
    trial.rules.tenant = 1000;
    (void)send_many(&trial, 400, HOUR);
    (void)hear(&trial, GUARD_DELIVERED, 400);
    trial.now_ms += 5 * DAY;
    (void)send(&trial);
    assert_int_equal(state_of(&trial), TEMPLATE_PROBATION);
    end(&trial);
}

static void test_the_trusted_have_no_budget_and_little_memory(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    earn(&trial);
    assert_int_equal(trial.change, GUARD_EARNED);
    guard_set(&trial.template, TEMPLATE_TRUSTED, trial.now_ms);
    assert_int_equal(send_many(&trial, 3000, HOUR), 3000);
    trial.now_ms += HOUR;
    (void)send(&trial);
    assert_int_equal(guard_bytes(&trial.template), 0);
    end(&trial);
}

static void test_bursts_trip(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        bool is_proven, has_code, varies, repeats, is_set, is_coupon;
        uint32_t usual; /* recipients in ten minutes, before */
        enum judge_state state;
    } cases[] = {
        { "new", 0, 0, 0, 0, 0, 0, 0, TEMPLATE_TRIPPED },
        { "trusted", 1, 0, 0, 0, 0, 0, 0, TEMPLATE_TRIPPED },
        { "as ever", 1, 0, 0, 0, 0, 0, 120, TEMPLATE_TRUSTED },
        { "codes", 1, 1, 0, 0, 0, 0, 0, TEMPLATE_TRUSTED },
        { "varies", 1, 0, 1, 0, 0, 0, 0, TEMPLATE_TRUSTED },
        { "to one", 1, 0, 0, 1, 0, 0, 0, TEMPLATE_TRUSTED },
        { "by order", 1, 0, 0, 0, 1, 0, 0, TEMPLATE_TRUSTED },
        { "one coupon", 1, 0, 0, 0, 0, 1, 0, TEMPLATE_TRIPPED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial trial;
        begin(&trial);
        if (cases[i].is_proven)
            earn(&trial);
        if (cases[i].is_set)
            guard_set(&trial.template, TEMPLATE_TRUSTED, trial.now_ms);
        trial.now_ms += HOUR - trial.now_ms % HOUR;
        (void)send_many(&trial, cases[i].usual, 10 * MINUTE);
        for (uint32_t k = 0; k < 700; k++) {
            trial.member.text.own_hash = cases[i].has_code    ? k + 1
                                         : cases[i].is_coupon ? 77
                                                              : 0;
            trial.member.text.text_hash = cases[i].varies ? k : 9;
            if (cases[i].repeats)
                trial.hash = 5;
            (void)send(&trial);
        }
        if (state_of(&trial) != cases[i].state)
            fail_msg("%s: %s", cases[i].why,
                     guard_state_name(state_of(&trial)));
        end(&trial);
    }
}

static void test_a_burst_trips_at_its_size(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    earn(&trial);
    trial.now_ms += HOUR - trial.now_ms % HOUR;
    const uint32_t leaked = send_many(&trial, 2000, 5 * MINUTE);
    assert_in_range(leaked, 490, 560);
    assert_int_equal(trial.change, GUARD_BURST);
    /* A day later it is on trial again, with nothing to its credit. */
    trial.now_ms += DAY - HOUR;
    assert_false(send(&trial));
    trial.now_ms += 2 * HOUR;
    assert_true(send(&trial));
    assert_int_equal(trial.change, GUARD_RELEASED);
    assert_int_equal(state_of(&trial), TEMPLATE_PROBATION);
    end(&trial);
}

static void test_complaints_trip_when_sure(void **state)
{
    (void)state;
    static const struct {
        uint32_t delivered, complaints;
        enum judge_state state;
    } cases[] = {
        { 0, 2, TEMPLATE_NEW },       { 0, 3, TEMPLATE_TRIPPED },
        { 1000, 3, TEMPLATE_NEW },    { 1000, 7, TEMPLATE_TRIPPED },
        { 10000, 30, TEMPLATE_NEW },  { 10000, 45, TEMPLATE_TRIPPED },
        { 50000, 160, TEMPLATE_NEW }, { 50000, 180, TEMPLATE_TRIPPED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int spam = 0; spam < 2; spam++) {
            struct trial trial;
            begin(&trial);
            (void)hear(&trial, GUARD_DELIVERED, cases[i].delivered);
            for (uint32_t k = 0; k < cases[i].complaints; k++)
                (void)hear(&trial, spam ? GUARD_SPAM_REPLY : GUARD_COMPLAINT,
                           1);
            if (state_of(&trial) != cases[i].state)
                fail_msg("%u of %u: %s", cases[i].complaints,
                         cases[i].delivered,
                         guard_state_name(state_of(&trial)));
            end(&trial);
        }
}

static void test_bounces_end_trust(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    earn(&trial);
    (void)hear(&trial, GUARD_HARD_BOUNCE, 30);
    assert_int_equal(state_of(&trial), TEMPLATE_TRUSTED);
    assert_int_equal(hear(&trial, GUARD_HARD_BOUNCE, 10), GUARD_BOUNCING);
    assert_int_equal(state_of(&trial), TEMPLATE_PROBATION);
    end(&trial);
}

static void test_other_text_ends_trust(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    earn(&trial);
    trial.member.points = 300;
    (void)send_many(&trial, 100, HOUR);
    assert_int_equal(state_of(&trial), TEMPLATE_TRUSTED);
    trial.member.points = 100;
    assert_in_range(send_many(&trial, 100, HOUR), 1, 70);
    assert_int_equal(trial.change, GUARD_DRIFTED);
    assert_int_equal(state_of(&trial), TEMPLATE_TRIPPED);
    assert_false(trial.standing.is_blamed);
    /* A day later the text that it has now is on trial. */
    trial.now_ms += DAY;
    assert_true(send(&trial));
    assert_int_equal(state_of(&trial), TEMPLATE_PROBATION);
    end(&trial);
}

static void test_complaints_hold_as_long_as_they_are_many(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    earn(&trial);
    guard_set(&trial.template, TEMPLATE_NEW, trial.now_ms); /* counts are 0 */
    assert_int_equal(hear(&trial, GUARD_COMPLAINT, 2), GUARD_UNCHANGED);
    assert_int_equal(hear(&trial, GUARD_COMPLAINT, 1), GUARD_BLAMED);
    assert_int_equal(hear(&trial, GUARD_COMPLAINT, 1), GUARD_UNCHANGED);
    assert_false(send(&trial));
    assert_true(trial.standing.is_blamed);
    trial.now_ms += 10 * DAY;
    assert_false(send(&trial));
    assert_true(trial.standing.is_blamed);
    /* As bulk mail nobody complains of it. */
    (void)hear(&trial, GUARD_DELIVERED, 5000);
    assert_true(send(&trial));
    assert_int_equal(trial.change, GUARD_RELEASED);
    assert_false(trial.standing.is_blamed);
    end(&trial);
}

/* It went neutral for what it did; then those who got it complain. */
static void test_complaints_make_bulk_of_what_tripped(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    earn(&trial);
    trial.member.points = 100;
    (void)send_many(&trial, 100, HOUR);
    assert_int_equal(state_of(&trial), TEMPLATE_TRIPPED);
    assert_int_equal(hear(&trial, GUARD_COMPLAINT, 20), GUARD_BLAMED);
    (void)send(&trial);
    assert_true(trial.standing.is_blamed);
    /* What the operator says clears it. */
    guard_set(&trial.template, TEMPLATE_TRIPPED, trial.now_ms);
    (void)send(&trial);
    assert_false(trial.standing.is_blamed);
    end(&trial);
}

static void test_the_operator_is_not_overruled(void **state)
{
    (void)state;
    struct trial trial;
    enum judge_kind kind;
    begin(&trial);
    guard_set(&trial.template, TEMPLATE_TRUSTED, trial.now_ms);
    (void)hear(&trial, GUARD_COMPLAINT, 100);
    assert_int_equal(state_of(&trial), TEMPLATE_TRUSTED);
    guard_set(&trial.template, TEMPLATE_TRIPPED, trial.now_ms);
    trial.now_ms += 30 * DAY;
    assert_false(send(&trial));
    guard_teach(&trial.template, KIND_BULK, trial.now_ms);
    assert_true(guard_is_taught(&trial.template, &kind));
    assert_int_equal(kind, KIND_BULK);
    assert_int_equal(state_of(&trial), TEMPLATE_TRIPPED);
    (void)send(&trial);
    assert_true(trial.standing.is_taught);
    assert_int_equal(trial.standing.taught, KIND_BULK);
    guard_set(&trial.template, TEMPLATE_NEW, trial.now_ms);
    assert_false(guard_is_taught(&trial.template, &kind));
    assert_true(send(&trial));
    end(&trial);
}

static void test_looking_changes_nothing(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial);
    (void)send_many(&trial, 20, MINUTE);
    const struct guard_template before = trial.template;
    const struct guard_watch watch = *trial.template.watch;
    struct judge_standing standing;
    for (unsigned i = 0; i < 100; i++)
        guard_look(&trial.template, &trial.pot, &trial.rules, &trial.member,
                   trial.now_ms + 5 * DAY, &standing);
    assert_memory_equal(&before, &trial.template, sizeof before);
    assert_memory_equal(&watch, trial.template.watch, sizeof watch);
    end(&trial);
}

static void test_instances_of_a_template_are_one(void **state)
{
    (void)state;
    struct sketch *sketch = calloc(1, sizeof *sketch);
    struct guard_key key;
    struct guard_key other;
    struct guard_template template;
    sketch->word_count = 100;
    sketch->skeleton = 5;
    for (uint32_t i = 0; i < SKETCH_HASHES; i++)
        sketch->min_hashes[i] = 77 + i;
    guard_key_of(sketch, 1, &key);
    guard_begin(&template, &key, START_MS);
    assert_int_equal(guard_likeness(&template, &key), 2 * GUARD_BANDS + 1);
    /* One band and the form are enough, but not for a trusted one. */
    for (uint32_t i = 0; i < SKETCH_HASHES - 2; i++)
        sketch->min_hashes[i]++;
    guard_key_of(sketch, 1, &other);
    assert_int_equal(guard_likeness(&template, &other), 3);
    assert_true(other.id != key.id);
    guard_set(&template, TEMPLATE_TRUSTED, START_MS);
    assert_int_equal(guard_likeness(&template, &other), 0);
    for (uint32_t i = 2; i < SKETCH_HASHES - 2; i++)
        sketch->min_hashes[i]--; /* all bands but the first are shared */
    guard_key_of(sketch, 1, &other);
    assert_int_equal(guard_likeness(&template, &other), 7);
    sketch->min_hashes[2]++;
    guard_key_of(sketch, 1, &other);
    assert_int_equal(guard_likeness(&template, &other), 0);
    guard_set(&template, TEMPLATE_NEW, START_MS);
    assert_int_equal(guard_likeness(&template, &other), 5);
    sketch->skeleton = 6;
    guard_key_of(sketch, 1, &other);
    assert_int_equal(guard_likeness(&template, &other), 0);
    /* Another tenant's is another. */
    guard_key_of(sketch, 2, &other);
    assert_int_equal(guard_likeness(&template, &other), 0);
    free(sketch);
}

/* Any number of routers, asking a stock for shares whenever they wish. */
struct yard {
    struct allowance routers[4];
    struct allowance_rule rule;
    uint32_t stock[2000]; /* given out, by slice of the first span */
};

static void ask(struct yard *yard, struct allowance *router, uint64_t now_ms)
{
    const uint64_t slice = (now_ms - START_MS) * 6 / yard->rule.span_ms[0];
    uint32_t given = 0;
    for (uint64_t i = 0; i < ALLOWANCE_STOCK_SLICES && i <= slice; i++)
        given += yard->stock[slice - i];
    uint32_t left = allowance_stock(&yard->rule, 0) - given;
    const uint32_t wish = allowance_wish(router, &yard->rule);
    if (left > wish)
        left = wish;
    yard->stock[slice] += left;
    if (left > 0)
        allowance_grant(router, &yard->rule, left);
}

static void test_routers_share_a_cap(void **state)
{
    (void)state;
    for (uint32_t routers = 1; routers <= 4; routers++) {
        static uint64_t times[100000];
        size_t count = 0;
        uint32_t random = routers;
        struct yard *yard = calloc(1, sizeof *yard);
        yard->rule = (struct allowance_rule){ .span_ms = { HOUR, 0 },
                                              .cap = { 50, 0 },
                                              .routers = routers };
        for (uint64_t t = 0; t < 20 * HOUR; t += 4000) {
            random = random * 1664525 + 1013904223;
            struct allowance *router = &yard->routers[random / 65536 % routers];
            allowance_rule_at(&yard->rule, START_MS + t);
            if (allowance_take(router, &yard->rule, 1))
                times[count++] = t;
            ask(yard, router, START_MS + t);
        }
        /* No hour has more than the cap, and not much less either. */
        size_t first = 0;
        for (size_t i = 0; i < count; i++) {
            while (times[i] - times[first] >= HOUR)
                first++;
            assert_true(i - first + 1 <= 50);
        }
        assert_true(count >= (size_t)20 * 30);
        free(yard);
    }
}

static void test_a_share_does_not_become_younger(void **state)
{
    (void)state;
    const uint64_t slice_ms = HOUR / 6;
    struct allowance allowance = { .share = 0 };
    struct allowance_rule rule = { .span_ms = { HOUR, 0 },
                                   .cap = { 80, 0 },
                                   .routers = 2 };
    allowance_rule_at(&rule, START_MS);
    allowance_grant(&allowance, &rule, 20);
    assert_int_equal(allowance_left(&allowance, &rule), 10 + 20);
    allowance_rule_at(&rule, START_MS + slice_ms);
    assert_int_equal(allowance_left(&allowance, &rule), 10 + 20);
    allowance_grant(&allowance, &rule, 5);
    allowance_rule_at(&rule, START_MS + 2 * slice_ms);
    assert_int_equal(allowance_left(&allowance, &rule), 10 + 5);
    allowance_rule_at(&rule, START_MS + 3 * slice_ms);
    assert_int_equal(allowance_left(&allowance, &rule), 10);
}

static void test_alone_each_has_its_part(void **state)
{
    (void)state;
    struct allowance allowance = { .share = 0 };
    struct allowance_rule rule = {
        .span_ms = { HOUR, 0 }, .cap = { 50, 0 }, .routers = 2, .is_alone = true
    };
    uint32_t taken = 0;
    for (uint32_t i = 0; i < 100; i++) {
        allowance_rule_at(&rule, START_MS + i * 1000);
        taken += allowance_take(&allowance, &rule, 1);
    }
    assert_int_equal(taken, 25);
    assert_int_equal(allowance_wish(&allowance, &rule), 0);
}

static void test_a_span_may_change(void **state)
{
    (void)state;
    static const uint64_t spans[] = { HOUR / 4, HOUR, 24 * HOUR };
    for (unsigned i = 0; i < 9; i++) {
        struct allowance allowance = { .share = 0 };
        struct allowance_rule rule = { .span_ms = { spans[i / 3], 0 },
                                       .cap = { 50, 0 },
                                       .routers = 1,
                                       .is_alone = true };
        allowance_rule_at(&rule, START_MS);
        assert_true(allowance_take(&allowance, &rule, 40));
        rule.span_ms[0] = spans[i % 3];
        allowance_rule_at(&rule, START_MS);
        assert_int_equal(allowance_left(&allowance, &rule), 10);
        assert_true(allowance_take(&allowance, &rule, 10));
        allowance_rule_at(&rule, START_MS + spans[i % 3] - 1);
        assert_int_equal(allowance_left(&allowance, &rule), 0);
        /* Nor does it count for good. */
        allowance_rule_at(&rule,
                          START_MS + 4 * spans[i / 3] / 3 + 2 * spans[i % 3]);
        assert_int_equal(allowance_left(&allowance, &rule), 50);
    }
}

static void test_a_copy_is_recalled(void **state)
{
    (void)state;
    struct allowance allowance = { .share = 0 };
    struct allowance copy = { .share = 0 };
    struct allowance_rule rule = { .span_ms = { HOUR, 24 * HOUR },
                                   .cap = { 50, 200 },
                                   .routers = 1,
                                   .is_alone = true };
    allowance_rule_at(&rule, START_MS);
    assert_true(allowance_take(&allowance, &rule, 10));
    const struct allowance early = allowance;
    allowance_rule_at(&rule, START_MS + HOUR / 2);
    assert_true(allowance_take(&allowance, &rule, 20));
    /* In any order, and once or twice. */
    allowance_recall(&copy, &allowance, START_MS + HOUR / 2);
    allowance_recall(&copy, &early, START_MS + HOUR / 2);
    allowance_recall(&copy, &allowance, START_MS + HOUR / 2);
    assert_int_equal(allowance_used(&copy, &rule, 0), 30);
    assert_int_equal(allowance_used(&copy, &rule, 1), 30);
    allowance_rule_at(&rule, START_MS + HOUR + HOUR / 5);
    assert_int_equal(allowance_used(&copy, &rule, 0), 20);
    assert_false(allowance_is_idle(&copy, START_MS + 20 * HOUR));
    assert_true(allowance_is_idle(&copy, START_MS + 40 * HOUR));
    /* A clock that was a year ahead, and is right again. */
    copy = (struct allowance){ .share = 0 };
    allowance_recall(&copy, &allowance, START_MS - HOUR * 24 * 365);
    allowance_rule_at(&rule, START_MS - HOUR * 24 * 365);
    assert_int_equal(allowance_left(&copy, &rule), 20);
    assert_true(allowance_is_idle(&copy, START_MS - HOUR * 24 * 363));
}

static void test_the_set_is_exact(void **state)
{
    (void)state;
    struct recipients recipients = { .slots = NULL };
    for (uint32_t i = 0; i < RECIPIENTS_MAX; i++) {
        assert_false(recipients_has(&recipients, i * 77));
        recipients_add(&recipients, i * 77);
        recipients_add(&recipients, i * 77);
        assert_true(recipients_has(&recipients, i * 77));
        assert_int_equal(recipients.count, i + 1);
    }
    assert_int_equal(recipients_bytes(&recipients), 1024);
    recipients_add(&recipients, 2);
    assert_int_equal(recipients.count, 1);
    recipients_release(&recipients);
}

static void test_bursts_are_counted_well(void **state)
{
    (void)state;
    static const uint32_t sizes[] = { 100, 500, 2000, 30000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const unsigned shift = burst_shift(sizes[i]);
        struct burst burst;
        burst_begin(&burst, 0);
        for (uint32_t k = 0; k < sizes[i] * 2; k++)
            burst_add_recipient(&burst, k % sizes[i] * UINT32_C(2654435769),
                                shift);
        assert_in_range(burst_size(&burst, shift), sizes[i] * 85 / 100,
                        sizes[i] * 115 / 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_is_of_distinct_recipients),
        cmocka_unit_test(test_no_hour_sees_more_wherever_it_begins),
        cmocka_unit_test(test_budget_grows_on_the_second_day),
        cmocka_unit_test(test_pot_bounds_all_templates_of_a_tenant),
        cmocka_unit_test(test_recipients_of_one_message_are_taken_or_not),
        cmocka_unit_test(test_trust_is_earned),
        cmocka_unit_test(test_trust_needs_days),
        cmocka_unit_test(test_the_trusted_have_no_budget_and_little_memory),
        cmocka_unit_test(test_bursts_trip),
        cmocka_unit_test(test_a_burst_trips_at_its_size),
        cmocka_unit_test(test_complaints_trip_when_sure),
        cmocka_unit_test(test_bounces_end_trust),
        cmocka_unit_test(test_other_text_ends_trust),
        cmocka_unit_test(test_complaints_hold_as_long_as_they_are_many),
        cmocka_unit_test(test_complaints_make_bulk_of_what_tripped),
        cmocka_unit_test(test_the_operator_is_not_overruled),
        cmocka_unit_test(test_looking_changes_nothing),
        cmocka_unit_test(test_instances_of_a_template_are_one),
        cmocka_unit_test(test_routers_share_a_cap),
        cmocka_unit_test(test_a_share_does_not_become_younger),
        cmocka_unit_test(test_alone_each_has_its_part),
        cmocka_unit_test(test_a_span_may_change),
        cmocka_unit_test(test_a_copy_is_recalled),
        cmocka_unit_test(test_the_set_is_exact),
        cmocka_unit_test(test_bursts_are_counted_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
