/* test_dsn - a notification says what happened, in clean lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/chars.h"
#include "common/proto/dsn.h"
#include "common/proto/header.h"

#define ARRIVAL_UTC_MS UINT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static const char original[] = "From: me\r\nSubject: hi\r\n\r\nthe body\r\n";

static const struct verdict no_user = {
    .class = VERDICT_FAILED,
    .code = 550,
    .enhanced = { 5, 1, 1 },
    .text = "No such user \xe2\x82\xac",
};

static struct dsn_recipient failed_one(void)
{
    return (struct dsn_recipient){
        .action = DSN_FAILED,
        .final = SLICE("user@example.com"),
        .orcpt = SLICE("rfc822;user+2Btag@example.com+0D+0AStatus:"),
        .remote = SLICE("mx.example.com"),
        .verdict = &no_user,
        .last_attempt_utc_ms = ARRIVAL_UTC_MS + 1000,
    };
}

static struct dsn dsn_of(const struct dsn_recipient *recipients, size_t count)
{
    return (struct dsn){
        .id = 33,
        .now_utc_ms = ARRIVAL_UTC_MS + 2000,
        .arrival_utc_ms = ARRIVAL_UTC_MS,
        .reporting = SLICE("out.sender.example"),
        .to = SLICE("me@sender.example"),
        .envid = SLICE("QQ+2B1"),
        .original = slice_text(original),
        .recipients = recipients,
        .recipient_count = count,
    };
}

static void assert_holds(const struct buf *buf, const char *part)
{
    struct slice all = buf_slice(buf);
    if (slice_find_slice(all, slice_text(part)) == all.len)
        fail_msg("missing: %s in:\n%.*s", part, SLICE_ARG(all));
}

static void assert_lacks(const struct buf *buf, const char *part)
{
    struct slice all = buf_slice(buf);
    assert_int_equal(slice_find_slice(all, slice_text(part)), all.len);
}

/* CRLF lines of at most 998 bytes, no other control bytes; ASCII. */
static void assert_clean(const struct buf *buf, bool utf8)
{
    struct cursor cursor = cursor_of(buf_slice(buf));
    struct slice line;
    while (cursor_until(&cursor, '\n', &line)) {
        assert_true(line.len > 0 && line.len <= 999);
        assert_int_equal(line.ptr[line.len - 1], '\r');
        for (size_t i = 0; i + 1 < line.len; i++) {
            assert_false(char_is(line.ptr[i], CHAR_CTRL));
            assert_true(utf8 || !char_is(line.ptr[i], CHAR_UTF8));
        }
    }
    assert_true(cursor_done(&cursor));
}

static void a_failure_is_reported_with_the_header(void **state)
{
    (void)state;
    struct dsn_recipient recipient = failed_one();
    struct dsn dsn = dsn_of(&recipient, 1);
    struct buf out;
    buf_init(&out, 1u << 16);
    assert_int_equal(dsn_build(&dsn, &out), RC_OK);
    assert_clean(&out, false);
    assert_holds(&out, "To: <me@sender.example>\r\n");
    assert_holds(&out, "Subject: Undelivered mail returned to sender\r\n");
    assert_holds(&out, "Date: Thu, 01 Jan 2026 00:00:02 +0000\r\n");
    assert_holds(&out, "Message-ID: <0000000000011@out.sender.example>\r\n");
    assert_holds(&out, "Auto-Submitted: auto-replied\r\n");
    assert_holds(&out, "report-type=delivery-status;\r\n"
                       " boundary=\"=_0000000000011_0\"\r\n");
    assert_holds(&out, "<user@example.com>: failed\r\n"
                       "    mx.example.com said: 550 5.1.1 No such user ?\r\n");
    assert_holds(&out, "Reporting-MTA: dns; out.sender.example\r\n"
                       "Original-Envelope-Id: QQ+1\r\n"
                       "Arrival-Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
                       "\r\n"
                       "Original-Recipient: rfc822; "
                       "user+tag@example.com??Status:\r\n"
                       "Final-Recipient: rfc822; user@example.com\r\n"
                       "Action: failed\r\n"
                       "Status: 5.1.1\r\n"
                       "Remote-MTA: dns; mx.example.com\r\n"
                       "Diagnostic-Code: smtp; 550 5.1.1 No such user ?\r\n"
                       "Last-Attempt-Date: Thu, 01 Jan 2026 00:00:01 +0000\r\n"
                       "\r\n--=_0000000000011_0\r\n"
                       "Content-Type: text/rfc822-headers\r\n\r\n"
                       "From: me\r\nSubject: hi\r\n"
                       "\r\n--=_0000000000011_0--\r\n");
    assert_lacks(&out, "the body");
    assert_lacks(&out, "8bit");

    struct header_split split;
    assert_int_equal(header_split(buf_slice(&out), &split), RC_OK);
    assert_true(split.body.len > 0);
    buf_release(&out);
}

static void the_full_message_comes_back_on_demand(void **state)
{
    (void)state;
    struct dsn_recipient recipient = failed_one();
    struct dsn dsn = dsn_of(&recipient, 1);
    dsn.full = true;
    dsn.original = SLICE("A: b\r\n\r\n--=_0000000000011_0--\r\nb\xc3\xbc\r\n");
    struct buf out;
    buf_init(&out, 1u << 16);
    assert_int_equal(dsn_build(&dsn, &out), RC_OK);
    assert_clean(&out, true);
    assert_holds(&out, "boundary=\"=_0000000000011_1\"");
    assert_holds(&out, "Content-Type: message/rfc822\r\n"
                       "Content-Transfer-Encoding: 8bit\r\n\r\nA: b\r\n\r\n"
                       "--=_0000000000011_0--\r\nb\xc3\xbc\r\n"
                       "\r\n--=_0000000000011_1--\r\n");
    buf_release(&out);
}

static void our_own_findings_have_no_diagnostic(void **state)
{
    (void)state;
    struct verdict verdict;
    verdict_local(&verdict, (struct enhanced){ 4, 4, 1 }, "no answer");
    struct dsn_recipient recipients[] = { failed_one(), failed_one() };
    recipients[0].action = DSN_DELIVERED;
    recipients[1] = (struct dsn_recipient){
        .action = DSN_DELAYED,
        .final = SLICE("late@example.com"),
        .verdict = &verdict,
        .retry_until_utc_ms = ARRIVAL_UTC_MS,
    };
    struct verdict taken = { .class = VERDICT_DELIVERED, .code = 250 };
    recipients[0].verdict = &taken;
    struct dsn dsn = dsn_of(recipients, ARRAY_LEN(recipients));
    struct buf out;
    buf_init(&out, 1u << 16);
    assert_int_equal(dsn_build(&dsn, &out), RC_OK);
    assert_holds(&out, "Subject: Delayed mail");
    assert_holds(&out, "Action: delivered\r\nStatus: 2.0.0\r\n");
    assert_holds(&out, "Final-Recipient: rfc822; late@example.com\r\n"
                       "Action: delayed\r\nStatus: 4.4.1\r\n"
                       "Will-Retry-Until: Thu, 01 Jan 2026 00:00:00 +0000\r\n");
    assert_holds(&out, "<late@example.com>: delayed\r\n"
                       "    4.4.1 no answer\r\n");
    buf_release(&out);
}

static void utf8_addresses_get_the_global_types(void **state)
{
    (void)state;
    struct dsn_recipient recipient = failed_one();
    recipient.final = SLICE("\xc3\xbc@example.com");
    recipient.orcpt = SLICE("utf-8;\xc3\xbc@example.com");
    struct dsn dsn = dsn_of(&recipient, 1);
    assert_true(dsn_needs_utf8(&dsn));
    struct buf out;
    buf_init(&out, 1u << 16);
    assert_int_equal(dsn_build(&dsn, &out), RC_OK);
    assert_clean(&out, true);
    assert_holds(&out, "report-type=global-delivery-status");
    assert_holds(&out, "Content-Type: message/global-delivery-status\r\n"
                       "Content-Transfer-Encoding: 8bit\r\n");
    assert_holds(&out, "Original-Recipient: utf-8; \xc3\xbc@example.com\r\n"
                       "Final-Recipient: utf-8; \xc3\xbc@example.com\r\n");
    assert_holds(&out, "Content-Type: message/global-headers\r\n");
    buf_release(&out);
}

static void a_small_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    struct dsn_recipient recipient = failed_one();
    struct dsn dsn = dsn_of(&recipient, 1);
    struct buf out;
    for (size_t max = 10; max < 1000; max += 99) {
        buf_init(&out, max);
        assert_true(buf_add_text(&out, "before"));
        assert_int_equal(dsn_build(&dsn, &out), RC_LIMIT);
        assert_true(slice_equal(buf_slice(&out), SLICE("before")));
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_reported_with_the_header),
        cmocka_unit_test(the_full_message_comes_back_on_demand),
        cmocka_unit_test(our_own_findings_have_no_diagnostic),
        cmocka_unit_test(utf8_addresses_get_the_global_types),
        cmocka_unit_test(a_small_buffer_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
