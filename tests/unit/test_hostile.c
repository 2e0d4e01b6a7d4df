/* test_hostile - a message built to cost much costs little, and gets nowhere.
 *
 * Each is 1 to 10 MB of something that a careless reader is quadratic in. What
 * is asked for is 2 ms; the bound here leaves room for sanitizers and slow
 * machines, and still no quadratic pass could keep it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/judge.h"
#include "classifier/shipped.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/time.h"
#include "common/proto/header.h"

#define MEGABYTE (1u << 20)
#define BOUND_NS (2000000u * 500u)

#define HEAD "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n"
#define HTML HEAD "Content-Type: text/html; charset=utf-8\r\n\r\n"

/* `head`, then `piece` over and over until there are `bytes`. */
static const struct hostile {
    const char *name;
    const char *head;
    const char *piece;
    uint32_t bytes;
} messages[] = {
    { "one word", HEAD "\r\n", "w", 10 * MEGABYTE },
    { "one number", HEAD "\r\n", "9", 10 * MEGABYTE },
    { "one address", HEAD "\r\n", "a.", 2 * MEGABYTE },
    { "at signs", HEAD "\r\n", "@a", 2 * MEGABYTE },
    { "addresses of links", HEAD "\r\n", "http://", 2 * MEGABYTE },
    { "joined numbers", HEAD "\r\n", "1.", 2 * MEGABYTE },
    { "zero width", HEAD "Content-Type: text/plain; charset=utf-8\r\n\r\n",
      "\xe2\x80\x8b", 2 * MEGABYTE },
    { "open tags", HTML, "<div>", 5 * MEGABYTE },
    { "tags that never end", HTML, "<a ", 5 * MEGABYTE },
    { "quotes that never end", HTML, "<a href=\"", 5 * MEGABYTE },
    { "less-than signs", HTML, "<", 5 * MEGABYTE },
    { "closing tags", HTML, "</p>", 5 * MEGABYTE },
    { "comments", HTML, "<!--", 5 * MEGABYTE },
    { "half comments", HTML, "<!-- -- ", 5 * MEGABYTE },
    { "styles", HTML, "<style>", 5 * MEGABYTE },
    { "scripts", HTML, "<script></scrip", 5 * MEGABYTE },
    { "ampersands", HTML, "&", 5 * MEGABYTE },
    { "entities", HTML, "&#x2028;", 5 * MEGABYTE },
    { "hidden", HTML, "<p style=\"display:none\">a b ", 5 * MEGABYTE },
    { "attributes", HTML "<p ", "a=b ", 5 * MEGABYTE },
    { "properties", HTML "<p style=\"", "a:b;", 5 * MEGABYTE },
    { "colons", HTML "<p style=\"", "r:", 5 * MEGABYTE },
    { "hidden ampersands", HTML "<p style=\"display:none\">", "&",
      5 * MEGABYTE },
    { "ends of nothing", HTML "<b><i><u><b><i><u><b><i><u><b><i><u>", "</x>",
      5 * MEGABYTE },
    { "links", HTML, "<a href=http://a.example/?utm_=1>x</a>", 5 * MEGABYTE },
    { "boundaries", HEAD "Content-Type: multipart/mixed; boundary=a\r\n\r\n",
      "--a\r\n", 5 * MEGABYTE },
    { "almost boundaries",
      HEAD "Content-Type: multipart/mixed; boundary=aaaaaaaab\r\n\r\n",
      "--aaaaaaaaa\r\n", 5 * MEGABYTE },
    { "nested parts", HEAD,
      "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n",
      2 * MEGABYTE },
    { "nested messages", HEAD, "Content-Type: message/rfc822\r\n\r\n",
      2 * MEGABYTE },
    { "equals signs",
      HEAD "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=",
      5 * MEGABYTE },
    { "base64", HEAD "Content-Transfer-Encoding: base64\r\n\r\n", "PGRpdj4K",
      5 * MEGABYTE },
    { "padding", HEAD "Content-Transfer-Encoding: base64\r\n\r\n", "=",
      5 * MEGABYTE },
    { "a stateful charset",
      HEAD "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n",
      "\x1b$B\x1b(B", 2 * MEGABYTE },
    { "a charset of which nothing is right",
      HEAD "Content-Type: text/plain; charset=utf-16\r\n\r\n", "\xd8",
      2 * MEGABYTE },
    { "fields", HEAD, "X-Mailer: y\r\n", MEGABYTE },
    { "a long To", HEAD "Cc: ", "(\"a, ", 200u << 10 },
    { "encoded words",
      "From: a@b.example\r\nSubject: ", "=?utf-8?Q?a?= ", 200u << 10 },
    { "recipients", "From: a@b.example\r\nTo: ", "\"a\" <a@b.example>, ",
      200u << 10 },
};

static const struct judge_stream streams[] = {
    { { "transactional", 13 }, JUDGE_TRANSACTIONAL, 900 },
    { { "general", 7 }, JUDGE_NEUTRAL, 0 },
    { { "bulk", 4 }, JUDGE_BULK, 0 },
};

static void build(const struct hostile *hostile, struct buf *message)
{
    size_t len = strlen(hostile->piece);
    buf_clear(message);
    assert_true(buf_add_text(message, hostile->head));
    while (message->len < hostile->bytes)
        assert_true(buf_add(message, slice_of(hostile->piece, len)));
}

static uint64_t judge_it(const struct model *model, struct sketcher *sketcher,
                         struct slice bytes, struct judgement *judgement)
{
    const struct judge_policy policy = {
        .streams = streams,
        .stream_count = ARRAY_LEN(streams),
        .kind_streams = { 0, 2, 1, 1 },
        .unsure_stream = 1,
        .model = model,
        .max_recipients = 10,
    };
    const struct judge_account account = { .default_stream =
                                               JUDGE_STREAM_NONE };
    const struct judge_standing standing = { .state = TEMPLATE_UNKNOWN };
    struct header_split split;
    struct sketch sketch;
    const enum rc rc = header_split(bytes, &split);
    (void)rc;
    const struct sketch_message sketched = { .header = split.header,
                                             .body = split.body };
    const struct judge_message message = { .mail_from = SLICE("a@b.example"),
                                           .recipient_count = 1,
                                           .header = split.header };
    uint64_t began_ns = time_worked_ns();
    sketch_take(sketcher, &sketched, &sketch);
    judge(&policy, &account, &message, &sketch, &standing, judgement);
    return time_worked_ns() - began_ns;
}

static void cost_is_bounded(void **state)
{
    (void)state;
    struct sketcher *sketcher = sketcher_new();
    struct model model;
    struct buf message;
    assert_int_equal(model_open(shipped_model(), &model), RC_OK);
    buf_init(&message, 16 * MEGABYTE);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        struct judgement judgement;
        build(&messages[i], &message);
        uint64_t cost_ns =
            judge_it(&model, sketcher, buf_slice(&message), &judgement);
        print_message("%8.3f ms  %s\n", (double)cost_ns / 1e6,
                      messages[i].name);
        if (cost_ns > BOUND_NS)
            fail_msg("%s costs %.1f ms", messages[i].name,
                     (double)cost_ns / 1e6);
        assert_false(judgement.is_protected);
    }
    buf_release(&message);
    sketcher_free(&sketcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cost_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
