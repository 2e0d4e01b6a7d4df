/*
 * test_session - the submission engine against a model, and in pieces.
 *
 * Whole conversations are in tests/scenario/submission.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "tests/unit/session_fixture.h"

#define SEQUENCES             100000u
#define COMMANDS_PER_SEQUENCE 10u
#define SEQUENCES_PER_SESSION 100u
#define SEED                  UINT64_C(0x5eed5eed5eed5eed)

/* The reference: what RFC 5321 section 4.1.4 says of the order of commands,
 * for a client that said HELO and needs no AUTH. */
enum stage { MODEL_READY, MODEL_SENDER, MODEL_RECIPIENTS };

enum act {
    ACT_EHLO,
    ACT_HELO,
    ACT_MAIL,
    ACT_BAD_MAIL,
    ACT_FOREIGN_MAIL,
    ACT_RCPT,
    ACT_BAD_RCPT,
    ACT_DATA,
    ACT_BAD_DATA,
    ACT_RSET,
    ACT_NOOP,
    ACT_VRFY,
    ACT_BDAT,
    ACT_JUNK,
    ACT_STARTTLS,
    ACT_AUTH,
    ACT_COUNT
};

static const char *const words[ACT_COUNT] = {
    [ACT_EHLO] = "EHLO c\r\n",
    [ACT_HELO] = "HELO c\r\n",
    [ACT_MAIL] = "MAIL FROM:<a@app.test>\r\n",
    [ACT_BAD_MAIL] = "MAIL FROM:<a@\r\n",
    [ACT_FOREIGN_MAIL] = "MAIL FROM:<a@evil.test>\r\n",
    [ACT_RCPT] = "RCPT TO:<b@example.net>\r\n",
    [ACT_BAD_RCPT] = "RCPT TO:<b@>\r\n",
    [ACT_DATA] = "DATA\r\n",
    [ACT_BAD_DATA] = "DATA now\r\n",
    [ACT_RSET] = "RSET\r\n",
    [ACT_NOOP] = "NOOP\r\n",
    [ACT_VRFY] = "VRFY a\r\n",
    [ACT_BDAT] = "BDAT 3 LAST\r\n",
    [ACT_JUNK] = "JUNK\r\n",
    [ACT_STARTTLS] = "STARTTLS\r\n",
    [ACT_AUTH] = "AUTH PLAIN AGEAYg==\r\n",
};

static unsigned model_mail(enum stage *model, enum act act)
{
    if (*model != MODEL_READY)
        return 503;
    if (act != ACT_MAIL)
        return act == ACT_BAD_MAIL ? 501 : 550;
    *model = MODEL_SENDER;
    return 250;
}

static unsigned model_rcpt(enum stage *model, enum act act)
{
    if (*model == MODEL_READY)
        return 503;
    if (act == ACT_BAD_RCPT)
        return 501;
    *model = MODEL_RECIPIENTS;
    return 250;
}

static unsigned model_data(enum stage *model, enum act act)
{
    if (*model == MODEL_READY)
        return 503;
    if (act == ACT_BAD_DATA)
        return 501;
    return *model == MODEL_SENDER ? 554 : 354;
}

/* The code that must come, and the state after it. */
static unsigned model_hear(enum stage *model, enum act act)
{
    switch (act) {
    case ACT_EHLO:
    case ACT_HELO:
    case ACT_RSET:
        *model = MODEL_READY;
        return 250;
    case ACT_MAIL:
    case ACT_BAD_MAIL:
    case ACT_FOREIGN_MAIL:
        return model_mail(model, act);
    case ACT_RCPT:
    case ACT_BAD_RCPT:
        return model_rcpt(model, act);
    case ACT_DATA:
    case ACT_BAD_DATA:
        return model_data(model, act);
    case ACT_NOOP:
        return 250;
    case ACT_VRFY:
    case ACT_BDAT:
        return 502;
    case ACT_JUNK:
        return 500;
    case ACT_STARTTLS:
        return 503;
    case ACT_AUTH:
        return *model == MODEL_READY ? 535 : 503;
    case ACT_COUNT:
        break;
    }
    return 0;
}

/* xorshift64: the same sequences in every run. */
static unsigned next_random(uint64_t *state, unsigned below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)(*state % below);
}

/* The code of the one reply in `out`, which is emptied; 0 when there is not
 * exactly one. */
static unsigned take_code(struct buf *out)
{
    struct slice rest = buf_slice(out);
    uint64_t code = 0;
    unsigned replies = 0;
    while (rest.len > 4) {
        if (rest.ptr[3] == ' ') {
            assert_true(slice_number(slice_head(rest, 3), 599, &code));
            replies++;
        }
        rest = slice_from(rest, slice_find(rest, '\n') + 1);
    }
    buf_clear(out);
    return replies == 1 ? (unsigned)code : 0;
}

static void run_sequence(struct fixture *fixture, enum stage *model,
                         uint64_t *random)
{
    for (unsigned i = 0; i < COMMANDS_PER_SEQUENCE; i++) {
        enum act act = (enum act)next_random(random, ACT_COUNT);
        unsigned wanted = model_hear(model, act);
        (void)fixture_say(fixture, slice_text(words[act]));
        assert_int_equal(take_code(&fixture->out), wanted);
        if (wanted != 354)
            continue;
        bool is_good = next_random(random, 2) == 0;
        (void)fixture_say(fixture, is_good
                                       ? SLICE("From: a@app.test\r\n\r\n.\r\n")
                                       : SLICE("From: a@evil.test\r\n.\r\n"));
        assert_int_equal(take_code(&fixture->out), is_good ? 250 : 550);
        *model = MODEL_READY;
    }
}

static void agrees_with_the_model(void **state)
{
    struct fixture *fixture = *state;
    uint64_t random = SEED;
    enum stage model = MODEL_READY;
    for (unsigned i = 0; i < SEQUENCES; i++) {
        if (i % SEQUENCES_PER_SESSION == 0) {
            fixture_close(fixture);
            fixture_open(fixture);
            model = MODEL_READY;
        }
        run_sequence(fixture, &model, &random);
    }
}

/* A conversation with all that a split could cut: lines, dots, ends. */
static const char dialog_text[] =
    "EHLO c\r\nMAIL FROM:<a@app.test> SIZE=9\r\nRCPT TO:<b@example.net>\r\n"
    "RCPT TO:<bad@>\r\nDATA\r\nFrom: a@app.test\r\n\r\n..dot\r\n.\r\n"
    "AUTH LOGIN\r\nYQ==\r\nYg==\r\nAUTH PLAIN\r\n*\r\nNO\nOP\r\nJUNK\r\r\n"
    "MAIL FROM:<a@app.test>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
    "From: x@evil.test\r\n\r\n.\r\nMAIL FROM:<a@app.test>\r\n"
    "RCPT TO:<b@example.net>\r\nDATA\r\nFrom: a@app.test\r\n\r\n\n.\n.\r\n"
    "x\r\n.\r\nQUIT\r\n";

static const struct slice dialog = { dialog_text, sizeof dialog_text - 1 };

static void hear_in_two(struct fixture *fixture, size_t at, struct buf *replies)
{
    fixture_open(fixture);
    enum session_want want = fixture_say(fixture, slice_head(dialog, at));
    if (want == SESSION_READ)
        (void)fixture_say(fixture, slice_from(dialog, at));
    buf_clear(replies);
    (void)buf_add(replies, buf_slice(&fixture->out));
    fixture_close(fixture);
}

static void splits_change_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct buf whole;
    struct buf split;
    buf_init(&whole, 65536);
    buf_init(&split, 65536);
    hear_in_two(fixture, 0, &whole);
    for (size_t at = 1; at <= dialog.len; at++) {
        hear_in_two(fixture, at, &split);
        assert_true(slice_equal(buf_slice(&whole), buf_slice(&split)));
    }
    assert_true(
        slice_find_slice(buf_slice(&whole), SLICE("250 2.0.0 Ok: queue"))
        < whole.len);
    buf_release(&whole);
    buf_release(&split);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(agrees_with_the_model, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(splits_change_nothing, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
