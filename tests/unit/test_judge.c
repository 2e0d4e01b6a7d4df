/* test_judge - must, declared, evident, template: where mail goes, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "classifier/judge.h"
#include "classifier/training/pack.h"
#include "common/base/attr.h"
#include "common/base/check.h"

enum { FAST, GENERAL, NEWS, CHAT, REPORTS };

static const struct judge_stream streams[] = {
    [FAST] = { { "fast", 4 }, JUDGE_TRANSACTIONAL, 900 },
    [GENERAL] = { { "general", 7 }, JUDGE_NEUTRAL, 900 },
    [NEWS] = { { "news", 4 }, JUDGE_BULK, 900 },
    [CHAT] = { { "chat", 4 }, JUDGE_NEUTRAL, 900 },
    [REPORTS] = { { "reports", 7 }, JUDGE_NEUTRAL, 900 },
};

static const struct judge_rule rules[] = {
    { .name = { "campaigns", 9 },
      .header = { "X-Campaign", 10 },
      .header_value = { "*summer*", 8 },
      .stream = NEWS },
};

struct world {
    struct buf file;
    struct model model;
    struct judge_policy policy;
};

/* A model that knows three things: one code is transactional, one image bulk,
 * one question personal; each worth 6. And it distrusts List-Id. */
static int set_up(void **state)
{
    static struct world world;
    struct weights *weights = weights_new();
    weights->steps[MEASURE_CODES][1][MODEL_TRANSACTIONAL] = 6;
    weights->steps[MEASURE_IMAGES][1][MODEL_BULK] = 6;
    weights->steps[MEASURE_QUESTIONS][1][MODEL_PERSONAL] = 6;
    weights->marks[MARK_LIST_ID][MODEL_BULK] = 1;
    buf_init(&world.file, 1u << 20);
    CHECK(pack_model(weights, slice_text(""), SLICE("{}"), &world.file));
    weights_free(&weights);
    CHECK(model_open(buf_slice(&world.file), &world.model) == RC_OK);
    world.policy = (struct judge_policy){
        .streams = streams,
        .stream_count = ARRAY_LEN(streams),
        .kind_streams = { FAST, NEWS, CHAT, REPORTS },
        .unsure_stream = GENERAL,
        .rules = rules,
        .rule_count = ARRAY_LEN(rules),
        .model = &world.model,
        .max_recipients = 10,
        .bulk_recipients = 50,
    };
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    buf_release(&world->file);
    return 0;
}

#define TO        "To: <b@c>\r\n"
#define DECLARED  "X-Sendyard-Stream: fast\r\n"
#define CODE      MEASURE_CODES
#define IMAGE     MEASURE_IMAGES
#define QUESTION  MEASURE_QUESTIONS
#define NOTHING   MEASURE_COUNT
#define UNTRUSTED JUDGE_TRUST_NEVER
#define TRUSTED   JUDGE_TRUST_ALWAYS

struct judge_case {
    const char *what;
    const char *header;
    enum measure measure; /* the one thing that is in the message */
    unsigned stream;
    enum judge_trust trust;
    bool is_moved;
    bool is_truncated;
    uint32_t hidden_words;
    bool is_null_sender;
    bool has_default;  /* the account's stream is FAST */
    size_t recipients; /* 0: one */
    struct judge_standing standing;
    const char *tag;
    const char *listener;
    const char *says; /* what the first reason is; NULL: any */
};

static const struct judge_case cases[] = {
    { "sure, undeclared", "", CODE, .stream = FAST },
    { "sure, declared", DECLARED, CODE, .stream = FAST },
    { "unsure, undeclared", "", NOTHING, .stream = GENERAL },
    { "unsure, declared: a prior is not enough", DECLARED, NOTHING,
      .stream = GENERAL, .is_moved = true },
    { "unsure, the account's default", "", NOTHING, .stream = GENERAL,
      .is_moved = true, .has_default = true },
    { "bulk, undeclared", "", IMAGE, .stream = NEWS },
    { "bulk, declared transactional", DECLARED, IMAGE, .stream = NEWS,
      .is_moved = true },
    { "people to people", "", QUESTION, .stream = CHAT },
    { "people to people, declared", DECLARED, QUESTION, .stream = GENERAL,
      .is_moved = true },
    { "declaring bulk is always believed", "X-Sendyard-Stream: news\r\n", CODE,
      .stream = NEWS },
    { "declaring neutral is never raised", "X-Sendyard-Stream: general\r\n",
      CODE, .stream = GENERAL },
    { "declared neutral, surely bulk", "X-Sendyard-Stream: general\r\n", IMAGE,
      .stream = NEWS, .is_moved = true },
    { "a rule outranks the account", "X-Campaign: Big summer sale\r\n", CODE,
      .stream = NEWS, .has_default = true },
    { "the header outranks the account", "X-Sendyard-Stream: news\r\n", CODE,
      .stream = NEWS, .has_default = true },
    { "a tag declares", "", CODE, .tag = "NEWS", .stream = NEWS,
      .says = "declared-tag=news" },
    { "a tag is verified", "", NOTHING, .tag = "fast", .stream = GENERAL,
      .is_moved = true },
    { "a tag is believed", "", IMAGE, .tag = "fast", .stream = FAST,
      .trust = TRUSTED },
    { "a tag is never believed", "", NOTHING, .tag = "fast", .stream = GENERAL,
      .is_moved = true, .trust = UNTRUSTED },
    { "the header outranks an equal tag", "X-Sendyard-Stream: chat\r\n", CODE,
      .tag = "general", .stream = CHAT, .says = "declared-header=chat" },
    { "a tag that is lower outranks the header", DECLARED, CODE, .tag = "news",
      .stream = NEWS, .says = "declared-tag=news" },
    { "a tag does not raise above the header", "X-Sendyard-Stream: news\r\n",
      CODE, .tag = "fast", .stream = NEWS, .says = "declared-header=news" },
    { "a rule that is lower outranks the tag", "X-Campaign: summer\r\n", CODE,
      .tag = "fast", .stream = NEWS, .says = "declared-rule=campaigns" },
    { "a tag outranks the listener", "", CODE, .tag = "general",
      .listener = "news", .stream = GENERAL, .says = "declared-tag=general" },
    { "a listener declares", "", CODE, .listener = "news", .stream = NEWS,
      .says = "declared-listener=news" },
    { "a listener is verified", "", NOTHING, .listener = "fast",
      .stream = GENERAL, .is_moved = true },
    { "a listener is believed", "", IMAGE, .listener = "fast", .stream = FAST,
      .trust = TRUSTED },
    { "a listener is never believed", "", NOTHING, .listener = "fast",
      .stream = GENERAL, .is_moved = true, .trust = UNTRUSTED },
    { "a listener outranks the account", "", CODE, .listener = "general",
      .has_default = true, .stream = GENERAL,
      .says = "declared-listener=general" },
    { "the header outranks the listener", DECLARED, CODE, .listener = "news",
      .stream = FAST, .says = "declared-header=fast" },
    { "always believed", DECLARED, IMAGE, .stream = FAST, .trust = TRUSTED },
    { "never believed, but sure by itself", DECLARED, CODE, .stream = FAST,
      .trust = UNTRUSTED },
    { "never believed", DECLARED, NOTHING, .stream = GENERAL, .is_moved = true,
      .trust = UNTRUSTED },
    { "a rule that is lower outranks the header",
      "X-Campaign: Big summer sale\r\n" DECLARED, CODE, .stream = NEWS },
    { "always believed, but to eleven", DECLARED, CODE, .stream = GENERAL,
      .is_moved = true, .trust = TRUSTED, .recipients = 11 },
    { "always believed, but not read to its end", DECLARED, CODE,
      .stream = GENERAL, .is_moved = true, .trust = TRUSTED,
      .is_truncated = true },
    { "taught transactional, then tripped", "", CODE, .stream = GENERAL,
      .standing = { .state = TEMPLATE_TRIPPED,
                    .is_taught = true,
                    .taught = KIND_TRANSACTIONAL } },
    { "ten recipients", TO, CODE, .stream = FAST, .recipients = 10 },
    { "eleven cannot be protected", "", CODE, .stream = GENERAL,
      .recipients = 11 },
    { "fifty are bulk", "", CODE, .stream = NEWS, .recipients = 50 },
    { "undisclosed recipients cannot be protected",
      "To: undisclosed-recipients:;\r\n", CODE, .stream = GENERAL },
    { "nor by always being believed",
      "To: undisclosed-recipients:;\r\n" DECLARED, CODE, .stream = GENERAL,
      .is_moved = true, .trust = TRUSTED },
    { "three without To", "Subject: x\r\n", CODE, .stream = GENERAL,
      .recipients = 3 },
    { "undisclosed bulk is bulk", "To: undisclosed-recipients:;\r\n", IMAGE,
      .stream = NEWS },
    { "undisclosed bulk, declared",
      "To: undisclosed-recipients:;\r\nX-Sendyard-Stream: news\r\n", CODE,
      .stream = NEWS },
    { "truncated cannot be protected", "", CODE, .stream = GENERAL,
      .is_truncated = true },
    { "a hidden preview line", "", CODE, .stream = FAST, .hidden_words = 63 },
    { "much that is hidden was not read", "", CODE, .stream = GENERAL,
      .hidden_words = 64 },
    { "hidden, but always believed", DECLARED, CODE, .stream = FAST,
      .hidden_words = 64, .trust = TRUSTED },
    { "the null sender", "", CODE, .stream = REPORTS, .is_null_sender = true },
    { "a new template within its budget", "", CODE, .stream = FAST,
      .standing = { .state = TEMPLATE_NEW } },
    { "a budget that is spent", "", CODE, .stream = GENERAL,
      .standing = { .state = TEMPLATE_PROBATION, .is_spent = true } },
    { "a trusted template has no budget", "", CODE, .stream = FAST,
      .standing = { .state = TEMPLATE_TRUSTED, .is_spent = true } },
    { "trusted, but the text is bulk", "", IMAGE, .stream = NEWS,
      .standing = { .state = TEMPLATE_TRUSTED } },
    { "tripped", DECLARED, CODE, .stream = GENERAL, .is_moved = true,
      .standing = { .state = TEMPLATE_TRIPPED } },
    { "tripped by complaints", "", CODE, .stream = NEWS,
      .standing = { .state = TEMPLATE_TRIPPED, .is_blamed = true } },
    { "tripped by complaints, declared", DECLARED, CODE, .stream = NEWS,
      .is_moved = true,
      .standing = { .state = TEMPLATE_TRIPPED, .is_blamed = true } },
    { "complaints, but always believed", DECLARED, CODE, .stream = FAST,
      .trust = TRUSTED,
      .standing = { .state = TEMPLATE_TRIPPED, .is_blamed = true } },
    { "complaints, but taught personal", DECLARED, CODE, .stream = GENERAL,
      .is_moved = true,
      .standing = { .state = TEMPLATE_TRIPPED,
                    .is_blamed = true,
                    .is_taught = true,
                    .taught = KIND_PERSONAL } },
    { "taught transactional", "", IMAGE, .stream = FAST,
      .standing = { .is_taught = true, .taught = KIND_TRANSACTIONAL } },
    { "taught bulk", DECLARED, CODE, .stream = NEWS, .is_moved = true,
      .standing = { .is_taught = true, .taught = KIND_BULK } },
    { "taught personal", DECLARED, CODE, .stream = GENERAL, .is_moved = true,
      .standing = { .is_taught = true, .taught = KIND_PERSONAL } },
};

static void judge_case(const struct judge_policy *policy,
                       const struct judge_case *c, bool enforce,
                       struct judgement *judgement)
{
    const struct judge_account account = {
        .name = SLICE("app"),
        .default_stream = c->has_default ? FAST : JUDGE_STREAM_NONE,
        .trust = c->trust,
        .enforce = enforce,
    };
    const struct judge_message message = {
        .mail_from = slice_text(c->is_null_sender ? "" : "a@b"),
        .recipient_count = c->recipients > 0 ? c->recipients : 1,
        .header = slice_text(c->header),
        .tag = slice_text(c->tag),
        .listener = slice_text(c->listener),
    };
    struct sketch sketch = { .is_truncated = c->is_truncated };
    struct marks marks;
    marks_read(message.header, &marks);
    sketch.marks = marks.bits;
    if (c->measure != NOTHING)
        sketch.measures[c->measure] = 1;
    sketch.measures[MEASURE_HIDDEN_WORDS] = c->hidden_words;
    judge(policy, &account, &message, &sketch, &c->standing, judgement);
}

static void expect_reason(const struct judge_case *c,
                          const struct judgement *judgement)
{
    struct buf text;
    buf_init(&text, 4096);
    judge_reasons_text(judgement, &text);
    if (c->says && slice_find_slice(buf_slice(&text), slice_text(c->says)) != 0)
        fail_msg("%s: %.*s", c->what, SLICE_ARG(buf_slice(&text)));
    buf_release(&text);
}

static void mail_goes_where_it_belongs(void **state)
{
    const struct world *world = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct judgement judgement;
        judge_case(&world->policy, &cases[i], true, &judgement);
        if (judgement.stream != cases[i].stream
            || judgement.is_moved != cases[i].is_moved)
            fail_msg("%s: stream %u, moved %d", cases[i].what, judgement.stream,
                     judgement.is_moved);
        expect_reason(&cases[i], &judgement);
        assert_int_equal(judgement.is_protected, judgement.stream == FAST);
        assert_true(judgement.reason_count > 0);
        assert_int_equal(judgement.per_mille[0] + judgement.per_mille[1]
                             + judgement.per_mille[2] + judgement.per_mille[3],
                         1000);
    }
}

static void observing_moves_nothing(void **state)
{
    const struct world *world = *state;
    struct judgement judgement;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        judge_case(&world->policy, &cases[i], false, &judgement);
        assert_false(judgement.is_moved);
        if (judgement.declared == JUDGE_STREAM_NONE) {
            assert_int_equal(judgement.stream, GENERAL);
            assert_int_equal(judgement.would_move, cases[i].stream != GENERAL);
        } else {
            assert_int_equal(judgement.stream, judgement.declared);
            assert_int_equal(judgement.would_move, cases[i].is_moved);
        }
    }
}

/* What a message takes from a budget is asked for only where it needs one. */
static void budgets_are_asked_for(void **state)
{
    const struct world *world = *state;
    struct judge_case c = { .header = DECLARED,
                            .measure = CODE,
                            .standing = { .state = TEMPLATE_NEW } };
    struct judgement judgement;
    judge_case(&world->policy, &c, true, &judgement);
    assert_true(judgement.needs_budget);
    c.standing.is_spent = true;
    judge_case(&world->policy, &c, true, &judgement);
    assert_false(judgement.needs_budget);
    c.standing = (struct judge_standing){ .state = TEMPLATE_TRUSTED };
    judge_case(&world->policy, &c, true, &judgement);
    assert_false(judgement.needs_budget);
    c.standing = (struct judge_standing){ .state = TEMPLATE_NEW };
    c.measure = IMAGE;
    judge_case(&world->policy, &c, true, &judgement);
    assert_false(judgement.needs_budget);
}

/* Without a model only lists speak, and only trust protects. */
static void without_a_model_nothing_is_protected(void **state)
{
    const struct world *world = *state;
    struct judge_policy blind = world->policy;
    struct judgement judgement;
    blind.model = NULL;
    struct judge_case c = { .header = DECLARED, .measure = CODE };
    judge_case(&blind, &c, true, &judgement);
    assert_int_equal(judgement.stream, GENERAL);
    c.trust = TRUSTED;
    judge_case(&blind, &c, true, &judgement);
    assert_int_equal(judgement.stream, FAST);
    c.trust = JUDGE_TRUST_VERIFY;
    c.header = DECLARED "List-Id: <a.b>\r\n";
    judge_case(&blind, &c, true, &judgement);
    assert_int_equal(judgement.stream, NEWS);
}

/* However many marks a header has, a clear text outvotes them. */
static void a_header_never_outvotes_the_text(void **state)
{
    struct world *world = *state;
    struct weights *weights = weights_new();
    struct buf file;
    struct model model;
    struct judgement judgement;
    buf_init(&file, 1u << 20);
    for (unsigned i = 0; i < MARK_COUNT; i++)
        weights->marks[i][MODEL_TRANSACTIONAL] = 5;
    weights->steps[MEASURE_IMAGES][1][MODEL_BULK] = 6;
    assert_true(pack_model(weights, slice_text(""), SLICE("{}"), &file));
    assert_int_equal(model_open(buf_slice(&file), &model), RC_OK);
    struct judge_policy policy = world->policy;
    policy.model = &model;
    const struct judge_case c = {
        .header = "Auto-Submitted: auto-generated\r\nX-Priority: 1\r\n"
                  "From: <noreply@b>\r\nX-Entity-Ref-ID: 1\r\n",
        .measure = IMAGE,
    };
    judge_case(&policy, &c, true, &judgement);
    assert_int_equal(judgement.stream, NEWS);
    weights_free(&weights);
    buf_release(&file);
}

/* Mail that is not read is where it says; of the rest lists are bulk. */
static void what_is_not_read_is_believed(void **state)
{
    const struct world *world = *state;
    const struct judge_account account = { .default_stream = JUDGE_STREAM_NONE,
                                           .enforce = true,
                                           .is_off = true };
    const struct judge_standing standing = { .state = TEMPLATE_UNKNOWN };
    static const struct {
        const char *header;
        unsigned stream;
    } rows[] = {
        { DECLARED "List-Id: <a.b>\r\n", FAST },
        { "List-Id: <a.b>\r\n", NEWS },
        { "Subject: x\r\n", GENERAL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct judge_message message = {
            .mail_from = SLICE("a@b"),
            .recipient_count = 1,
            .header = slice_text(rows[i].header),
        };
        struct sketch sketch = { .token_count = 0 };
        struct marks marks;
        struct judgement judgement;
        marks_read(message.header, &marks);
        sketch.marks = marks.bits;
        sketch.measures[IMAGE] = 1; /* and would be bulk by the model */
        judge(&world->policy, &account, &message, &sketch, &standing,
              &judgement);
        assert_int_equal(judgement.stream, rows[i].stream);
        assert_false(judgement.needs_budget);
    }
}

static void an_unknown_stream_is_told(void **state)
{
    const struct world *world = *state;
    const struct judge_case odd = { .header = "X-Sendyard-Stream: fats\r\n",
                                    .measure = NOTHING };
    struct judgement judgement;
    judge_case(&world->policy, &odd, true, &judgement);
    assert_true(slice_equal(judgement.unknown_stream, SLICE("fats")));
    assert_int_equal(judgement.declared, JUDGE_STREAM_NONE);
}

static void reasons_are_one_safe_line(void **state)
{
    const struct world *world = *state;
    const struct judge_case odd = { .header =
                                        DECLARED "List-Id: a\x1b[2J\r\n b\r\n",
                                    .measure = IMAGE };
    struct judgement judgement;
    judge_case(&world->policy, &odd, true, &judgement);
    struct buf text;
    buf_init(&text, 4096);
    judge_reasons_text(&judgement, &text);
    struct slice line = buf_slice(&text);
    assert_int_equal(slice_find_slice(line, SLICE("declared-header=fast")), 0);
    assert_true(slice_find_slice(line, SLICE(" images=1(+4.00:bulk) "))
                < line.len);
    assert_true(slice_find_slice(line, SLICE(" list-id(+0.")) < line.len);
    assert_true(slice_find_slice(line, SLICE(" moved-down=bulk")) < line.len);
    for (size_t i = 0; i < line.len; i++)
        assert_true(line.ptr[i] >= ' ');
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_goes_where_it_belongs),
        cmocka_unit_test(observing_moves_nothing),
        cmocka_unit_test(budgets_are_asked_for),
        cmocka_unit_test(without_a_model_nothing_is_protected),
        cmocka_unit_test(a_header_never_outvotes_the_text),
        cmocka_unit_test(what_is_not_read_is_believed),
        cmocka_unit_test(an_unknown_stream_is_told),
        cmocka_unit_test(reasons_are_one_safe_line),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
