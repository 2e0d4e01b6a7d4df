/* test_parts - leaves of MIME come one after the other, whatever is broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/reading/parts.h"
#include "common/base/buf.h"
#include "common/proto/header.h"

/* The bodies of the leaves, each in brackets. */
static void read_all(const char *message, struct parts *parts, struct buf *out)
{
    struct header_split split;
    struct part part;
    const enum rc rc = header_split(slice_text(message), &split);
    (void)rc;
    parts_init(parts, split.header, split.body);
    while (parts_next(parts, &part)) {
        (void)buf_add_byte(out, '[');
        (void)buf_add(out, slice_trim(part.body));
        (void)buf_add_byte(out, ']');
    }
}

static void expect(const char *message, const char *leaves)
{
    struct parts parts;
    struct buf out;
    buf_init(&out, 65536);
    read_all(message, &parts, &out);
    (void)buf_add_byte(&out, '\0');
    assert_string_equal(buf_slice(&out).ptr, leaves);
    buf_release(&out);
}

#define MIXED "Content-Type: multipart/mixed; boundary=\"a\"\r\n\r\n"

static void leaves_are_found(void **state)
{
    (void)state;
    expect("Subject: x\r\n\r\nhello", "[hello]");
    expect(MIXED "preamble\r\n--a\r\n\r\none\r\n--a\r\n\r\ntwo\r\n--a--\r\n"
                 "epilogue",
           "[one][two]");
    expect(MIXED "--a\r\nContent-Type: multipart/alternative; boundary=b\r\n"
                 "\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n"
                 "\r\n<p>\r\n--b--\r\n--a\r\n\r\nlast\r\n--a--\r\n",
           "[plain][<p>][last]");
    expect(MIXED "--a\r\nContent-Type: message/rfc822\r\n\r\n"
                 "Subject: inner\r\n\r\ninner text\r\n--a--\r\n",
           "[inner text]");
}

/* Wherever it stands, and whatever dashes are before it. */
static void boundaries_are_found_at_any_place(void **state)
{
    (void)state;
    static const char text[] =
        "one- -- text--a\n- of\n-some length, that has\n -- dashes in it, and\n"
        "--b too";
    for (size_t len = 1; len < sizeof text - 1; len++) {
        char message[512];
        char leaves[256];
        (void)snprintf(message, sizeof message,
                       MIXED
                       "--a\r\n\r\nx%.*s\r\n--a\r\n\r\ny%.*s\r\n--a--\r\n",
                       (int)len, text, (int)len, text);
        (void)snprintf(leaves, sizeof leaves, "[x%.*s][y%.*s]", (int)len, text,
                       (int)len, text);
        if (text[len - 1] != ' ' && text[len - 1] != '\n')
            expect(message, leaves);
    }
}

static void what_is_broken_ends_where_readers_end_it(void **state)
{
    (void)state;
    /* The inner one is never closed; the outer boundary ends it. */
    expect(MIXED "--a\r\nContent-Type: multipart/alternative; boundary=ab\r\n"
                 "\r\n--ab\r\n\r\none\r\n--a\r\n\r\ntwo\r\n--a--\r\n",
           "[one][two]");
    /* A boundary that only begins like ours is text. */
    expect(MIXED "--a\r\n\r\none\r\n--abc\r\nmore\r\n--a--\r\n",
           "[one\r\n--abc\r\nmore]");
    expect(MIXED "--a\r\n\r\ncut off", "[cut off]");
    expect(MIXED "no boundary at all", "");
    expect("Content-Type: multipart/mixed\r\n\r\nwithout boundary",
           "[without boundary]");
}

static void a_leaf_says_what_it_is(void **state)
{
    (void)state;
    struct header_split split;
    struct parts parts;
    struct part part;
    static const char message[] =
        MIXED "--a\r\nContent-Type: text/html; charset=\"iso-8859-2\"\r\n"
              "Content-Transfer-Encoding: Quoted-Printable\r\n\r\nx\r\n"
              "--a\r\nContent-Type: image/png\r\nContent-Disposition: "
              "attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n"
              "--a\r\nContent-Type: text/calendar\r\n\r\nx\r\n--a--\r\n";
    assert_int_equal(header_split(slice_text(message), &split), RC_OK);
    parts_init(&parts, split.header, split.body);
    assert_true(parts_next(&parts, &part));
    assert_int_equal(part.kind, PART_HTML);
    assert_int_equal(part.encoding, PART_QUOTED);
    assert_true(slice_equal(part.charset, SLICE("iso-8859-2")));
    assert_false(part.is_attached);
    assert_true(parts_next(&parts, &part));
    assert_int_equal(part.kind, PART_IMAGE);
    assert_int_equal(part.encoding, PART_BASE64);
    assert_true(part.is_attached);
    assert_true(parts_next(&parts, &part));
    assert_int_equal(part.kind, PART_CALENDAR);
    assert_false(parts_next(&parts, &part));
    assert_false(parts.is_cut);
}

static void depth_and_number_are_bounded(void **state)
{
    (void)state;
    struct parts parts;
    struct buf text;
    struct buf out;
    buf_init(&text, 1u << 20);
    buf_init(&out, 1u << 20);
    for (unsigned i = 0; i < PARTS_DEPTH_MAX + 4; i++)
        (void)buf_addf(&text,
                       "%sContent-Type: multipart/mixed; boundary=b%u.\r\n"
                       "\r\n--b%u.\r\n",
                       "", i, i);
    (void)buf_add_text(&text, "\r\ndeep");
    (void)buf_add_byte(&text, '\0');
    read_all(buf_slice(&text).ptr, &parts, &out);
    assert_true(parts.is_cut);

    buf_clear(&text);
    buf_clear(&out);
    (void)buf_add_text(&text, MIXED);
    for (unsigned i = 0; i < PARTS_MAX + 4; i++)
        (void)buf_add_text(&text, "--a\r\n\r\nx\r\n");
    (void)buf_add_byte(&text, '\0');
    read_all(buf_slice(&text).ptr, &parts, &out);
    assert_true(parts.is_cut);
    assert_int_equal(out.len, 3 * PARTS_MAX);
    buf_release(&text);
    buf_release(&out);
}

static void a_report_is_known(void **state)
{
    (void)state;
    struct parts parts;
    struct buf out;
    buf_init(&out, 4096);
    read_all("Content-Type: multipart/report; report-type=delivery-status;\r\n"
             " boundary=a\r\n\r\n--a\r\n\r\nfailed\r\n--a--\r\n",
             &parts, &out);
    assert_true(parts.is_report);
    read_all(MIXED "--a\r\n\r\nx\r\n--a--\r\n", &parts, &out);
    assert_false(parts.is_report);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_are_found),
        cmocka_unit_test(boundaries_are_found_at_any_place),
        cmocka_unit_test(what_is_broken_ends_where_readers_end_it),
        cmocka_unit_test(a_leaf_says_what_it_is),
        cmocka_unit_test(depth_and_number_are_bounded),
        cmocka_unit_test(a_report_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
