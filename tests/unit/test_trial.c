/* test_trial - messages are judged as their template stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "classifier/shipped.h"
#include "common/base/attr.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/templates/templates.h"
#include "router/templates/trial.h"

#define NOW_MS UINT64_C(1767225600000)

static const struct guard_rules rules = {
    .recipients = 50,
    .per_ms = HOURS_MS(1),
    .tenant = 60,
    .trust_after_ms = HOURS_MS(72),
    .trip_recipients = 500,
    .trip_within_ms = MINUTES_MS(10),
    .complaints = 3000,
    .hard_bounces = 80000,
    .routers = 1,
    .is_alone = true,
};

static const struct judge_stream streams[] = {
    { .name = { "tx", 2 }, .class = JUDGE_TRANSACTIONAL, .floor = 900 },
    { .name = { "general", 7 }, .class = JUDGE_NEUTRAL },
    { .name = { "bulk", 4 }, .class = JUDGE_BULK },
};

static const char reset[] =
    "Hello,\r\n\r\nsomebody, most likely you, asked to reset the password of "
    "your account. Choose a new\r\npassword here within the next 30 "
    "minutes:\r\n\r\n    https://app.acme.test/reset/7Qk293hdLw0pXx81\r\n\r\n"
    "If you did not request this, ignore this email; your password stays the "
    "same.\r\n";

struct court {
    struct model model;
    struct judge_policy policy;
    struct sketcher *sketcher;
    struct sketch *sketch;
    struct templates *templates;
    struct judge_account account;
    struct judge_message message;
    struct judgement judgement;
    uint64_t template;
    uint32_t recipient;
};

static int begin(void **state)
{
    struct court *court = NEW(struct court);
    const struct sketch_message message = {
        .header = SLICE("From: app@acme.test\r\nSubject: Reset your "
                        "password\r\n"),
        .body = SLICE(reset),
    };
    if (model_open(shipped_model(), &court->model) != RC_OK)
        return 1;
    court->policy = (struct judge_policy){
        .streams = streams,
        .stream_count = ARRAY_LEN(streams),
        .kind_streams = { 0, 2, 1, 1 },
        .unsure_stream = 1,
        .max_recipients = 10,
        .model = &court->model,
    };
    court->sketcher = sketcher_new();
    court->sketch = NEW(struct sketch);
    sketch_take(court->sketcher, &message, court->sketch);
    court->templates = templates_new();
    templates_reconf(court->templates, &rules, 1000);
    court->account =
        (struct judge_account){ .default_stream = 0, .enforce = true };
    court->message =
        (struct judge_message){ .mail_from = SLICE("app@acme.test"),
                                .recipient_count = 1 };
    *state = court;
    return 0;
}

static int end(void **state)
{
    struct court *court = *state;
    sketcher_free(&court->sketcher);
    templates_free(&court->templates);
    mem_free(court->sketch);
    mem_free(court);
    return 0;
}

static bool ask_look(void *context, const struct templates_ticket *ticket,
                     struct judge_standing *standing)
{
    struct templates_ticket known = *ticket;
    templates_know(context, &known);
    templates_look(context, &known, NOW_MS, standing);
    return true;
}

static bool ask_take(void *context, const struct templates_ticket *ticket,
                     const struct templates_finding *finding,
                     struct judge_standing *standing)
{
    struct templates_ticket known = *ticket;
    templates_know(context, &known);
    return templates_try(context, &known, finding, NOW_MS, standing);
}

/* Who only asks hears what is found a moment later, to the last word, and
 * however often he asks nothing is counted. */
static void ask(const struct court *court, const struct trial *live,
                struct judgement *judgement, uint64_t *template)
{
    const struct trial_asker asker = { ask_look, ask_take, court->templates };
    struct trial trial = *live;
    trial.templates = NULL;
    trial.asker = court->templates ? &asker : NULL;
    for (int i = 0; i < 3; i++)
        *template = trial_judge(&trial, judgement);
}

static void assert_same(const struct judgement *a, const struct judgement *b)
{
    struct buf texts[2];
    buf_init(&texts[0], 4096);
    buf_init(&texts[1], 4096);
    judge_reasons_text(a, &texts[0]);
    judge_reasons_text(b, &texts[1]);
    assert_true(slice_equal(buf_slice(&texts[0]), buf_slice(&texts[1])));
    assert_int_equal(a->stream, b->stream);
    assert_int_equal(a->is_protected, b->is_protected);
    assert_memory_equal(a->per_mille, b->per_mille, sizeof a->per_mille);
    buf_release(&texts[0]);
    buf_release(&texts[1]);
}

static uint32_t judge_many(struct court *court, uint32_t count)
{
    uint32_t is_protected = 0;
    for (uint32_t i = 0; i < count; i++) {
        char address[32];
        (void)snprintf(address, sizeof address, "u%u@b.example",
                       court->recipient++);
        const struct slice to = slice_text(address);
        const struct trial trial = {
            .policy = &court->policy,
            .account = &court->account,
            .message = &court->message,
            .sketch = court->sketch,
            .templates = court->templates,
            .tenant = SLICE("acme"),
            .recipients = &to,
            .recipient_count = 1,
            .now_utc_ms = NOW_MS,
        };
        struct judgement told;
        uint64_t template = 0;
        ask(court, &trial, &told, &template);
        court->template = trial_judge(&trial, &court->judgement);
        assert_same(&told, &court->judgement);
        assert_int_equal(template, court->template);
        is_protected += court->judgement.is_protected;
    }
    return is_protected;
}

static bool has_reason(const struct court *court, enum judge_reason_code code)
{
    for (size_t i = 0; i < court->judgement.reason_count; i++)
        if (court->judgement.reasons[i].code == code)
            return true;
    return false;
}

static void what_is_spent_goes_neutral_and_says_so(void **state)
{
    struct court *court = *state;
    assert_int_equal(judge_many(court, 1), 1);
    assert_true(has_reason(court, REASON_PROBATION));
    assert_int_equal(judge_many(court, 100), 49);
    assert_true(has_reason(court, REASON_PROBATION_SPENT));
    assert_int_equal(court->judgement.stream, 1);
    assert_true(court->template != 0);
}

static void the_standing_decides(void **state)
{
    struct court *court = *state;
    (void)judge_many(court, 1);
    const uint64_t id = court->template;
    assert_true(templates_set(court->templates, id, TEMPLATE_TRIPPED, NOW_MS));
    assert_int_equal(judge_many(court, 5), 0);
    assert_true(has_reason(court, REASON_TRIPPED));
    assert_true(templates_set(court->templates, id, TEMPLATE_TRUSTED, NOW_MS));
    assert_int_equal(judge_many(court, 200), 200);
    assert_true(templates_teach(court->templates, id, KIND_BULK, NOW_MS));
    assert_int_equal(judge_many(court, 5), 0);
    assert_int_equal(court->judgement.stream, 2);
}

/* When it is looked at nothing is wrong with it yet. */
static void who_makes_it_trip_is_not_protected_either(void **state)
{
    struct court *court = *state;
    struct guard_rules loose = rules;
    struct templates_counts counts = { .messages = 0 };
    loose.recipients = loose.tenant = 1000;
    loose.trip_recipients = 60;
    templates_reconf(court->templates, &loose, 1000);
    court->sketch->own_hash = 0;
    uint32_t is_protected = 0;
    for (uint32_t i = 0; i < 100 && counts.states[TEMPLATE_TRIPPED] == 0; i++) {
        is_protected = judge_many(court, 1);
        templates_count(court->templates, &counts);
        assert_true(is_protected || counts.states[TEMPLATE_TRIPPED] == 1);
    }
    assert_int_equal(counts.states[TEMPLATE_TRIPPED], 1);
    assert_int_equal(is_protected, 0);
    assert_true(has_reason(court, REASON_TRIPPED));
}

static void who_is_always_believed_spends_nothing(void **state)
{
    struct court *court = *state;
    court->account.trust = JUDGE_TRUST_ALWAYS;
    assert_int_equal(judge_many(court, 300), 300);
    court->account.trust = JUDGE_TRUST_VERIFY;
    assert_int_equal(judge_many(court, 100), 50);
}

static void observing_moves_nothing(void **state)
{
    struct court *court = *state;
    court->account.enforce = false;
    assert_int_equal(judge_many(court, 100), 100);
    assert_true(court->judgement.would_move);
    assert_true(has_reason(court, REASON_PROBATION_SPENT));
}

/* A report is nobody's campaign. */
static void mail_of_systems_has_no_template(void **state)
{
    struct court *court = *state;
    court->message.mail_from = SLICE("");
    (void)judge_many(court, 1);
    assert_int_equal(court->template, 0);
}

static void without_templates_it_is_judged_alone(void **state)
{
    struct court *court = *state;
    templates_free(&court->templates);
    assert_int_equal(judge_many(court, 100), 100);
    assert_int_equal(court->template, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_spent_goes_neutral_and_says_so),
        CASE(the_standing_decides),
        CASE(who_makes_it_trip_is_not_protected_either),
        CASE(who_is_always_believed_spends_nothing),
        CASE(observing_moves_nothing),
        CASE(mail_of_systems_has_no_template),
        CASE(without_templates_it_is_judged_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
