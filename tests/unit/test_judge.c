/* test_judge - declared against evident: the lower stream wins, and says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "classifier/judge.h"
#include "common/base/attr.h"

enum { FAST, GENERAL, NEWS };

static const struct judge_stream streams[] = {
    [FAST] = { { "fast", 4 }, JUDGE_TRANSACTIONAL },
    [GENERAL] = { { "general", 7 }, JUDGE_NEUTRAL },
    [NEWS] = { { "news", 4 }, JUDGE_BULK },
};

static const struct judge_rule rules[] = {
    { .name = { "campaigns", 9 },
      .header = { "X-Campaign", 10 },
      .header_value = { "*summer*", 8 },
      .stream = NEWS },
};

static const struct judge_policy policy = {
    .streams = streams,
    .stream_count = ARRAY_LEN(streams),
    .class_streams = { FAST, GENERAL, NEWS },
    .rules = rules,
    .rule_count = ARRAY_LEN(rules),
    .bulk_recipients = 50,
    .enforce = true,
};

#define ONE_CLICK                                                              \
    "List-Unsubscribe: <https://x.test/u>\r\n"                                 \
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"

struct judge_case {
    const char *what;
    const char *header;
    const char *from;
    size_t recipients;
    int account_stream;
    enum judge_trust trust;
    unsigned stream;
    bool is_moved;
};

static const struct judge_case cases[] = {
    { "nobody says anything", "Subject: x\r\n", "a@b", 1, JUDGE_STREAM_NONE,
      JUDGE_TRUST_VERIFY, GENERAL, false },
    { "declared, nothing against it", "X-Sendyard-Stream: FAST\r\n", "a@b", 1,
      JUDGE_STREAM_NONE, JUDGE_TRUST_VERIFY, FAST, false },
    { "declared fast, looks like bulk", "X-Sendyard-Stream: fast\r\n" ONE_CLICK,
      "a@b", 1, JUDGE_STREAM_NONE, JUDGE_TRUST_VERIFY, NEWS, true },
    { "one weak mark is not bulk",
      "X-Sendyard-Stream: fast\r\nFeedback-ID: a:b:c:d\r\n", "a@b", 1,
      JUDGE_STREAM_NONE, JUDGE_TRUST_VERIFY, FAST, false },
    { "two marks together are",
      "X-Sendyard-Stream: fast\r\nPrecedence: bulk\r\nList-Id: <x>\r\n", "a@b",
      1, JUDGE_STREAM_NONE, JUDGE_TRUST_VERIFY, NEWS, true },
    { "the same mark twice counts once",
      "X-Sendyard-Stream: fast\r\nPrecedence: bulk\r\nPrecedence: list\r\n",
      "a@b", 1, JUDGE_STREAM_NONE, JUDGE_TRUST_VERIFY, FAST, false },
    { "the account's default is a declaration", "Subject: x\r\n", "a@b", 1,
      FAST, JUDGE_TRUST_VERIFY, FAST, false },
    { "the header outranks the account", "X-Sendyard-Stream: news\r\n", "a@b",
      1, FAST, JUDGE_TRUST_VERIFY, NEWS, false },
    { "a rule outranks the account", "X-Campaign: Big Summer Sale\r\n", "a@b",
      1, FAST, JUDGE_TRUST_VERIFY, NEWS, false },
    { "declaring bulk is always believed", "X-Sendyard-Stream: news\r\n", "a@b",
      1, JUDGE_STREAM_NONE, JUDGE_TRUST_NEVER, NEWS, false },
    { "an account that is never believed goes up no further than neutral",
      "X-Sendyard-Stream: fast\r\n", "a@b", 1, JUDGE_STREAM_NONE,
      JUDGE_TRUST_NEVER, GENERAL, true },
    { "an account that is always believed",
      "X-Sendyard-Stream: fast\r\n" ONE_CLICK, "a@b", 1, JUDGE_STREAM_NONE,
      JUDGE_TRUST_ALWAYS, FAST, false },
    { "undeclared bulk", ONE_CLICK, "a@b", 1, JUDGE_STREAM_NONE,
      JUDGE_TRUST_VERIFY, NEWS, false },
    { "many recipients", "X-Sendyard-Stream: fast\r\n", "a@b", 50,
      JUDGE_STREAM_NONE, JUDGE_TRUST_VERIFY, NEWS, true },
    { "one recipient less", "X-Sendyard-Stream: fast\r\n", "a@b", 49,
      JUDGE_STREAM_NONE, JUDGE_TRUST_VERIFY, FAST, false },
    { "nothing is moved up by a guess", "Auto-Submitted: auto-generated\r\n",
      "", 1, JUDGE_STREAM_NONE, JUDGE_TRUST_VERIFY, GENERAL, false },
};

static void judge_case(const struct judge_policy *by,
                       const struct judge_case *c, struct judgement *judgement)
{
    const struct judge_account account = {
        .name = SLICE("app"),
        .default_stream = c->account_stream,
        .trust = c->trust,
    };
    const struct judge_message message = {
        .mail_from = slice_text(c->from),
        .recipient_count = c->recipients,
        .header = slice_text(c->header),
    };
    judge(by, &account, &message, judgement);
}

static void the_lower_stream_wins(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct judgement judgement;
        judge_case(&policy, &cases[i], &judgement);
        if (judgement.stream != cases[i].stream
            || judgement.is_moved != cases[i].is_moved)
            fail_msg("%s: stream %u, moved %d", cases[i].what, judgement.stream,
                     judgement.is_moved);
    }
}

static void observing_moves_nothing(void **state)
{
    (void)state;
    struct judge_policy observing = policy;
    observing.enforce = false;
    struct judgement judgement;
    judge_case(&observing, &cases[2], &judgement);
    assert_int_equal(judgement.stream, FAST);
    assert_false(judgement.is_moved);
    assert_true(judgement.would_move);
}

static void an_unknown_stream_is_told(void **state)
{
    (void)state;
    const struct judge_case odd = { .header = "X-Sendyard-Stream: fats\r\n",
                                    .from = "a@b",
                                    .recipients = 1,
                                    .account_stream = JUDGE_STREAM_NONE };
    struct judgement judgement;
    judge_case(&policy, &odd, &judgement);
    assert_true(slice_equal(judgement.unknown_stream, SLICE("fats")));
    assert_int_equal(judgement.declared, JUDGE_STREAM_NONE);
}

static void reasons_are_one_safe_line(void **state)
{
    (void)state;
    const struct judge_case odd = { .header =
                                        "X-Sendyard-Stream: fast\r\n"
                                        "List-Id: a\x1b[2J\r\n b\r\n" ONE_CLICK,
                                    .from = "a@b",
                                    .recipients = 1,
                                    .account_stream = JUDGE_STREAM_NONE };
    struct judgement judgement;
    judge_case(&policy, &odd, &judgement);
    struct buf text;
    buf_init(&text, 4096);
    judge_reasons_text(&judgement, &text);
    struct slice line = buf_slice(&text);
    assert_true(slice_find_slice(line, SLICE("declared-header=fast")) == 0);
    assert_true(slice_find_slice(line, SLICE("one-click-unsubscribe(+100)"))
                < line.len);
    assert_true(slice_find_slice(line, SLICE("moved-down=bulk")) < line.len);
    for (size_t i = 0; i < line.len; i++)
        assert_true(line.ptr[i] >= ' ');
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lower_stream_wins),
        cmocka_unit_test(observing_moves_nothing),
        cmocka_unit_test(an_unknown_stream_is_told),
        cmocka_unit_test(reasons_are_one_safe_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
