/* test_arf - reports of abuse, as receivers write them.
 *
 * The reports are those that the fuzzer begins with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/proto/arf.h"
#include "common/proto/header.h"

#define ORIGIN "01k4zq8w0r00g 09abcdefghjkm 0c5v5v5v5v5v5 0v5v5v5v5v5v5"

struct row {
    const char *file;
    enum rc rc;
    enum arf_type type;
    bool is_complaint;
    const char *user_agent;
    const char *recipient;
    const char *report_id;
    const char *origin; /* X-Sendyard-Origin of the message; "": none */
};

static const struct row rows[] = {
    { "yahoo", RC_OK, ARF_ABUSE, true, "Yahoo!-Mail-Feedback/2.0",
      "anna.berg@yahoo.test", "<1772445600.1234.feedback@arf.mail.yahoo.com>",
      ORIGIN },
    { "jmrp", RC_OK, ARF_ABUSE, true, "", "tom@outlook.test",
      "<jmrp-8841@hotmail.com>", ORIGIN },
    { "comcast", RC_OK, ARF_ABUSE, true, "ReturnPathFBL/2.0",
      "4f9d3c2b1a@comcast.test", "<20260302.8231@comcastfbl.senderscore.test>",
      "01k4zq8w0r00g 09abcdefghjkm 0c5v5v5v5v5v5\r\n\t0v5v5v5v5v5v5" },
    { "headers", RC_OK, ARF_FRAUD, true, "SomeGenerator/1.0",
      "user@example.test", "", ORIGIN },
    { "not-spam", RC_OK, ARF_NOT_SPAM, false, "Rescue/1.0", "redacted", "",
      "" },
    { "opt-out", RC_OK, ARF_OPT_OUT, false, "", "bob@example.test", "", "" },
    { "dsn", .rc = RC_NONE },
    { "alone", .rc = RC_NONE },
};

static void read_file(const char *name, struct buf *text)
{
    char path[512];
    (void)snprintf(path, sizeof path, REPORTS "/%s", name);
    buf_init(text, 1u << 20);
    assert_true(file_read(path, text));
}

static void assert_text(struct slice got, const char *wanted)
{
    if (!slice_equal(got, slice_text(wanted)))
        fail_msg("got \"%.*s\", not \"%s\"", SLICE_ARG(got), wanted);
}

static void expect_report(const struct row *row, const struct arf *arf)
{
    struct cursor cursor = cursor_of(arf->header);
    struct header_field field;
    assert_int_equal(arf->type, row->type);
    assert_int_equal(arf_is_complaint(arf->type), row->is_complaint);
    assert_text(arf->user_agent, row->user_agent);
    assert_text(arf->recipient, row->recipient);
    assert_text(arf->report_id, row->report_id);
    assert_int_equal(header_find(&cursor, SLICE("X-Sendyard-Origin"), &field),
                     row->origin[0] != '\0');
    if (row->origin[0] != '\0')
        assert_text(slice_trim(field.value), row->origin);
}

static void reports_of_receivers_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text;
        struct arf arf;
        read_file(rows[i].file, &text);
        const enum rc rc = arf_read(buf_slice(&text), &arf);
        if (rc != rows[i].rc)
            fail_msg("%s: %d", rows[i].file, rc);
        if (rc == RC_OK)
            expect_report(&rows[i], &arf);
        buf_release(&text);
    }
}

/* Wherever it is cut off, and in whichever form its lines end. */
static void a_report_that_is_cut_off_is_read_or_refused(void **state)
{
    (void)state;
    struct buf text;
    read_file("yahoo", &text);
    const struct slice whole = buf_slice(&text);
    const size_t enough = slice_find_slice(whole, SLICE("From: App"));
    for (size_t len = 0; len <= whole.len; len++) {
        struct arf arf;
        const enum rc rc = arf_read(slice_head(whole, len), &arf);
        assert_true(rc == RC_OK || rc == RC_NONE);
        if (len >= enough) {
            assert_int_equal(rc, RC_OK);
            assert_true(slice_find_slice(arf.header, SLICE(ORIGIN))
                        < arf.header.len);
        }
    }
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_of_receivers_are_read),
        cmocka_unit_test(a_report_that_is_cut_off_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
