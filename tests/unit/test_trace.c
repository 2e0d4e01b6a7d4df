/* test_trace - the final bytes of a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/check.h"
#include "router/submission/trace.h"

#define NOW_UTC_MS UINT64_C(1769903999000) /* 31 January 2026, 23:59:59 */
#define DATE       "Sat, 31 Jan 2026 23:59:59 +0000"
#define BODY_BYTES (3 * (size_t)256) /* each byte, thrice */
#define ID         UINT64_C(0x0123456789abcd)
#define ID_TEXT    "000938nkrkayd"

#define RECEIVED                                                               \
    "Received: from laptop.example ([192.0.2.1])\r\n"                          \
    "\tby mail.test with ESMTP\r\n"                                            \
    "\tid " ID_TEXT "; " DATE "\r\n"
#define FROM       "From: a@app.test\r\n"
#define OLD_DATE   "Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n"
#define OLD_ID     "Message-ID: <1@app.test>\r\n"
#define COMPLETE   FROM OLD_DATE OLD_ID
#define ADDED_DATE "Date: " DATE "\r\n"
#define ADDED_ID   "Message-ID: <" ID_TEXT "@mail.test>\r\n"

static struct trace plain_trace(void)
{
    return (struct trace){
        .id = ID,
        .now_utc_ms = NOW_UTC_MS,
        .host = SLICE("mail.test"),
        .hello = SLICE("laptop.example"),
        .client_ip = SLICE("192.0.2.1"),
        .is_esmtp = true,
        .mail_from = SLICE("m@app.test"),
        .recipient = SLICE(""),
    };
}

static void build(const struct trace *trace, struct slice text, struct buf *out)
{
    struct header_split split;
    struct survey survey;
    CHECK(header_split(text, &split) == RC_OK);
    survey_read(split.header, NULL, &survey);
    trace_build(trace, &survey, &split, out);
}

static void assert_bytes(struct slice got, struct slice wanted)
{
    if (!slice_equal(got, wanted))
        print_error("got:\n%.*s\nwanted:\n%.*s\n", SLICE_ARG(got),
                    SLICE_ARG(wanted));
    assert_true(slice_equal(got, wanted));
}

static void expect(const struct trace *trace, struct slice text,
                   struct slice wanted)
{
    struct buf out;
    build(trace, text, &out);
    assert_bytes(buf_slice(&out), wanted);
    assert_true(out.size >= out.len); /* and it did not grow in steps: */
    assert_true(out.max >= out.len && !out.full);
    buf_release(&out);
}

static void received_says_how_it_came(void **state)
{
    static const struct {
        bool is_esmtp, is_authenticated, is_utf8;
        const char *tls;
        const char *with;
    } cases[] = {
        { false, false, false, NULL, "SMTP" },
        { true, false, false, NULL, "ESMTP" },
        { true, true, false, NULL, "ESMTPA" },
        { true, false, false, "TLSv1.2", "ESMTPS (TLSv1.2 AES)" },
        { true, true, false, "TLSv1.3", "ESMTPSA (TLSv1.3 AES)" },
        { true, true, true, "TLSv1.3", "UTF8SMTPSA (TLSv1.3 AES)" },
        { true, false, true, NULL, "UTF8SMTP" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct trace trace = plain_trace();
        struct buf wanted;
        trace.is_esmtp = cases[i].is_esmtp;
        trace.is_authenticated = cases[i].is_authenticated;
        trace.is_utf8 = cases[i].is_utf8;
        trace.tls = cases[i].tls;
        trace.cipher = cases[i].tls ? "AES" : NULL;
        buf_init(&wanted, 4096);
        (void)buf_addf(&wanted,
                       "Received: from laptop.example ([192.0.2.1])\r\n"
                       "\tby mail.test with %s\r\n\tid " ID_TEXT "; " DATE
                       "\r\n" COMPLETE "\r\nHi\r\n",
                       cases[i].with);
        expect(&trace, SLICE(COMPLETE "\r\nHi\r\n"), buf_slice(&wanted));
        buf_release(&wanted);
    }
}

static void received_names_a_sole_recipient_and_ipv6(void **state)
{
    struct trace trace = plain_trace();
    (void)state;
    trace.recipient = SLICE("bob@example.net");
    trace.client_ip = SLICE("2001:db8::1");
    trace.is_client_ipv6 = true;
    expect(&trace, SLICE(COMPLETE "\r\n"),
           SLICE("Received: from laptop.example ([IPv6:2001:db8::1])\r\n"
                 "\tby mail.test with ESMTP\r\n"
                 "\tid " ID_TEXT "\r\n"
                 "\tfor <bob@example.net>; " DATE "\r\n" COMPLETE "\r\n"));
}

struct change {
    const char *text;
    const char *wanted; /* behind Received */
};

static void expect_changes(const struct change *changes, size_t count)
{
    const struct trace trace = plain_trace();
    for (size_t i = 0; i < count; i++) {
        struct buf wanted;
        buf_init(&wanted, 4096);
        (void)buf_add_text(&wanted, RECEIVED);
        (void)buf_add_text(&wanted, changes[i].wanted);
        expect(&trace, slice_text(changes[i].text), buf_slice(&wanted));
        buf_release(&wanted);
    }
}

static void only_what_is_missing_is_added(void **state)
{
    static const struct change changes[] = {
        { COMPLETE "\r\nHi\r\n", COMPLETE "\r\nHi\r\n" },
        { FROM OLD_ID "\r\n", ADDED_DATE FROM OLD_ID "\r\n" },
        { FROM OLD_DATE "\r\n", ADDED_ID FROM OLD_DATE "\r\n" },
        { FROM "\r\n", ADDED_DATE ADDED_ID FROM "\r\n" },
        { OLD_DATE OLD_ID "\r\n",
          "From: <m@app.test>\r\n" OLD_DATE OLD_ID "\r\n" },
        /* Names in any case, and blanks before the colon. */
        { "fROM: a@app.test\r\nDATE: x\r\nmessage-id : <1@a>\r\n\r\n",
          "fROM: a@app.test\r\nDATE: x\r\nmessage-id : <1@a>\r\n\r\n" },
        /* Names that only begin so. */
        { FROM "Date-Sent: x\r\nMessage-ID-Old: y\r\n\r\n",
          ADDED_DATE ADDED_ID FROM "Date-Sent: x\r\nMessage-ID-Old: y\r\n"
                                   "\r\n" },
    };
    (void)state;
    expect_changes(changes, ARRAY_LEN(changes));
}

static void private_fields_are_taken_out(void **state)
{
    static const struct change changes[] = {
        { "Bcc: x@y.test\r\n" COMPLETE "\r\nHi\r\n", COMPLETE "\r\nHi\r\n" },
        { COMPLETE "Bcc: x@y.test\r\n\r\nHi\r\n", COMPLETE "\r\nHi\r\n" },
        { COMPLETE "Bcc: x@y.test\r\n", COMPLETE "\r\n" },
        { "BCC: x@y.test,\r\n z@y.test\r\n\t,w@y.test\r\n" COMPLETE "\r\n",
          COMPLETE "\r\n" },
        { COMPLETE "Bcc:\r\n x@y.test\r\n\r\n x\r\n", COMPLETE "\r\n x\r\n" },
        { COMPLETE "Bcc :x@y.test\r\n\r\n", COMPLETE "\r\n" },
        { "Return-Path: <a@b>\r\n" COMPLETE "X-Sendyard-Stream: bulk\r\n"
          "Resent-Bcc: q@y.test\r\n\r\n",
          COMPLETE "\r\n" },
        { FROM "Bcc: a@b\r\n" OLD_DATE "Bcc: c@d\r\n" OLD_ID "\r\n",
          COMPLETE "\r\n" },
        { "X-Sendyard-Origin: forged\r\n" COMPLETE "\r\n", COMPLETE "\r\n" },
        /* What only looks so stays, and so does the text. */
        { COMPLETE "Bcc-Note: x\r\nX-Bcc: y\r\nCc: z@y.test\r\n\r\n"
                   "Bcc: in the text\r\n",
          COMPLETE "Bcc-Note: x\r\nX-Bcc: y\r\nCc: z@y.test\r\n\r\n"
                   "Bcc: in the text\r\n" },
    };
    (void)state;
    expect_changes(changes, ARRAY_LEN(changes));
}

static void our_own_fields_are_added(void **state)
{
    (void)state;
    struct trace trace = plain_trace();
    trace.origin = SLICE("a b c d");
    trace.feedback_id = SLICE("app:fast::sender");
    trace.found = SLICE("bulk");
    expect(&trace, SLICE("X-Sendyard-Origin: x\r\n" COMPLETE "\r\n"),
           SLICE(RECEIVED "X-Sendyard-Origin: a b c d\r\n"
                          "Feedback-ID: app:fast::sender\r\n"
                          "X-Sendyard-Found: bulk\r\n" COMPLETE "\r\n"));
    /* A sender's own is never overwritten. */
    trace.origin = trace.found = SLICE("");
    expect(&trace, SLICE(COMPLETE "feedback-id: mine\r\n\r\n"),
           SLICE(RECEIVED COMPLETE "feedback-id: mine\r\n\r\n"));
}

static void a_header_alone_gets_its_empty_line(void **state)
{
    static const struct change changes[] = {
        { COMPLETE, COMPLETE "\r\n" },
        { COMPLETE "\r\n", COMPLETE "\r\n" },
        { COMPLETE "\r\n\r\n", COMPLETE "\r\n\r\n" },
        { "", "From: <m@app.test>\r\n" ADDED_DATE ADDED_ID "\r\n" },
    };
    (void)state;
    expect_changes(changes, ARRAY_LEN(changes));
}

/* Signatures cover it: each byte that a client may send is kept. */
static void the_body_stays_byte_for_byte(void **state)
{
    static const char header[] = COMPLETE "Subject: folded \r\n \t twice\r\n"
                                          "Bcc: x@y.test\r\n\r\n";
    const struct trace trace = plain_trace();
    char text[sizeof header - 1 + BODY_BYTES];
    struct buf out;
    (void)state;
    memcpy(text, header, sizeof header - 1);
    for (size_t i = 0; i < BODY_BYTES; i++)
        text[sizeof header - 1 + i] = (char)(i * 7);
    build(&trace, slice_of(text, sizeof text), &out);
    struct slice got = buf_slice(&out);
    assert_bytes(slice_from(got, got.len - BODY_BYTES),
                 slice_from(slice_of(text, sizeof text), sizeof header - 1));
    assert_true(slice_find_slice(got, SLICE("folded \r\n \t twice\r\n\r\n"))
                < got.len);
    buf_release(&out);
}

/* The longest texts that the edges let in. */
static void the_longest_texts_fit(void **state)
{
    struct trace trace = plain_trace();
    char name[255];
    char address[254 + 66];
    struct buf out;
    (void)state;
    memset(name, 'n', sizeof name);
    memset(address, 'a', sizeof address);
    trace.host = slice_of(name, sizeof name);
    trace.hello = slice_of(name, sizeof name);
    trace.mail_from = slice_of(address, sizeof address);
    trace.recipient = slice_of(address, sizeof address);
    trace.tls = "TLSv1.3";
    trace.cipher = "TLS_CHACHA20_POLY1305_SHA256";
    build(&trace, SLICE("\r\n"), &out);
    struct slice rest = buf_slice(&out);
    while (rest.len > 0) {
        size_t end = slice_find(rest, '\n');
        assert_true(end > 0 && end < rest.len && rest.ptr[end - 1] == '\r');
        assert_true(end - 1 <= 998);
        rest = slice_from(rest, end + 1);
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(received_says_how_it_came),
        cmocka_unit_test(received_names_a_sole_recipient_and_ipv6),
        cmocka_unit_test(only_what_is_missing_is_added),
        cmocka_unit_test(private_fields_are_taken_out),
        cmocka_unit_test(our_own_fields_are_added),
        cmocka_unit_test(a_header_alone_gets_its_empty_line),
        cmocka_unit_test(the_body_stays_byte_for_byte),
        cmocka_unit_test(the_longest_texts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
