/* test_header - fields are found where they are, and junk is said to be junk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/proto/header.h"

static const char message[] = "Received: from a\r\n by b;\r\n\tnow\r\n"
                              "Subject :  hello\r\n"
                              "X-Empty:\r\n"
                              "received: again\r\n"
                              "\r\n"
                              "Subject: of the body\r\n";

static void fields_come_with_their_folds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *value;
        const char *whole;
    } fields[] = {
        { "Received", " from a\r\n by b;\r\n\tnow",
          "Received: from a\r\n by b;\r\n\tnow\r\n" },
        { "Subject", "  hello", "Subject :  hello\r\n" },
        { "X-Empty", "", "X-Empty:\r\n" },
        { "received", " again", "received: again\r\n" },
    };
    struct cursor cursor = cursor_of(slice_text(message));
    struct header_field field;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        assert_int_equal(header_next(&cursor, &field), RC_OK);
        assert_true(slice_equal(field.name, slice_text(fields[i].name)));
        assert_true(slice_equal(field.value, slice_text(fields[i].value)));
        assert_true(slice_equal(field.whole, slice_text(fields[i].whole)));
    }
    assert_int_equal(header_next(&cursor, &field), RC_NONE);
    assert_true(
        slice_equal(cursor_rest(&cursor), SLICE("Subject: of the body\r\n")));
}

/* Names of all lengths, and every byte at every place of one: only what may stand
 * in a name is taken for one. */
static void names_are_read_whole(void **state)
{
    (void)state;
    char text[64];
    struct header_field field;
    for (size_t len = 1; len <= 40; len++)
        for (unsigned byte = 0; byte < 256; byte++)
            for (size_t at = 0; at < len; at++) {
                memset(text, 'a', len);
                text[at] = (char)byte;
                memcpy(text + len, ": b\r\n", 5);
                struct cursor cursor = cursor_of(slice_of(text, len + 5));
                const enum rc rc = header_next(&cursor, &field);
                const bool is_name = byte > ' ' && byte < 0x7F && byte != ':';
                if (is_name)
                    assert_true(rc == RC_OK && field.name.len == len);
                else
                    assert_true(rc != RC_OK || field.name.len == at);
            }
}

static void find_walks_the_header_only(void **state)
{
    (void)state;
    struct cursor cursor = cursor_of(slice_text(message));
    struct header_field field;
    assert_true(header_find(&cursor, SLICE("RECEIVED"), &field));
    assert_true(header_find(&cursor, SLICE("RECEIVED"), &field));
    assert_true(slice_equal(field.value, SLICE(" again")));
    assert_false(header_find(&cursor, SLICE("RECEIVED"), &field));
    cursor = cursor_of(slice_text(message));
    assert_true(header_find(&cursor, SLICE("subject"), &field));
    assert_false(header_find(&cursor, SLICE("subject"), &field));
}

static void a_message_is_cut_at_the_end_of_its_header(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *header;
        const char *body;
        enum rc rc;
    } cases[] = {
        { "A: 1\r\nB: 2\r\n\r\nbody", "A: 1\r\nB: 2\r\n", "body", RC_OK },
        { "A: 1\nB: 2\n\nbody", "A: 1\nB: 2\n", "body", RC_OK },
        { "A: 1\r\n", "A: 1\r\n", "", RC_OK },
        { "A: 1", "A: 1", "", RC_OK },
        { "\r\nbody", "", "body", RC_OK },
        { "", "", "", RC_OK },
        { "A: 1\r\njunk here\r\n", "A: 1\r\n", "junk here\r\n", RC_SYNTAX },
        { "From me Mon\r\nA: 1\r\n", "", "From me Mon\r\nA: 1\r\n", RC_SYNTAX },
        { " fold first\r\n", "", " fold first\r\n", RC_SYNTAX },
        { ": no name\r\n", "", ": no name\r\n", RC_SYNTAX },
        { "\rA: 1\r\n", "", "\rA: 1\r\n", RC_SYNTAX },
        { "N\xc3\xbc: 1\r\n", "", "N\xc3\xbc: 1\r\n", RC_SYNTAX },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct header_split split;
        assert_int_equal(header_split(slice_text(cases[i].bytes), &split),
                         cases[i].rc);
        assert_true(slice_equal(split.header, slice_text(cases[i].header)));
        assert_true(slice_equal(split.body, slice_text(cases[i].body)));
    }
}

static void too_long_a_field_meets_the_limit(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1u << 20);
    assert_true(buf_add_text(&buf, "A:"));
    while (buf.len < HEADER_FIELD_MAX)
        assert_true(buf_add_byte(&buf, 'x'));
    struct cursor cursor = cursor_of(buf_slice(&buf));
    struct header_field field;
    assert_int_equal(header_next(&cursor, &field), RC_OK);
    assert_true(buf_add_byte(&buf, 'x'));
    cursor = cursor_of(buf_slice(&buf));
    assert_int_equal(header_next(&cursor, &field), RC_LIMIT);
    assert_int_equal(cursor_rest(&cursor).len, buf.len);

    buf_clear(&buf);
    for (size_t i = 0; i <= HEADER_NAME_MAX; i++)
        assert_true(buf_add_byte(&buf, 'n'));
    assert_true(buf_add_text(&buf, ": x\r\n"));
    cursor = cursor_of(buf_slice(&buf));
    assert_int_equal(header_next(&cursor, &field), RC_LIMIT);
    buf_release(&buf);
}

static void folds_are_taken_out(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *line;
    } cases[] = {
        { " a\r\n b\r\n\tc ", "a b\tc" },
        { "\r\n x", "x" },
        { " \r\n ", "" },
        { "bare\rcr\nlf", "barecrlf" },
    };
    struct buf out;
    buf_init(&out, 8);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&out);
        assert_true(header_unfold(slice_text(cases[i].value), &out));
        assert_true(slice_equal(buf_slice(&out), slice_text(cases[i].line)));
    }
    buf_clear(&out);
    assert_false(header_unfold(SLICE("12345\r\n 78901"), &out));
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

static void message_ids_are_checked_and_made(void **state)
{
    (void)state;
    static const char *const valid[] = {
        " <a.b@c.d>\r\n ",
        "<1$2@[192.0.2.1]>",
        "<\xc3\xbc@x>",
        "<a@b>",
    };
    static const char *const invalid[] = {
        "",         "<>",       "a@b",         "<a>",     "<a@>",
        "<@b>",     "<a b@c>",  "<a@b> <c@d>", "<a@b> x", "<a.@b>",
        "<a@b..c>", "<a@[x]y>", "<\"a\"@b>",   "<a@b",
    };
    for (size_t i = 0; i < ARRAY_LEN(valid); i++)
        assert_true(header_is_msg_id(slice_text(valid[i])));
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++)
        assert_false(header_is_msg_id(slice_text(invalid[i])));
    struct buf out;
    buf_init(&out, 256);
    assert_true(header_add_msg_id(33, SLICE("mx.example"), &out));
    assert_true(
        slice_equal(buf_slice(&out), SLICE("<0000000000011@mx.example>")));
    assert_true(header_is_msg_id(buf_slice(&out)));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_with_their_folds),
        cmocka_unit_test(names_are_read_whole),
        cmocka_unit_test(find_walks_the_header_only),
        cmocka_unit_test(a_message_is_cut_at_the_end_of_its_header),
        cmocka_unit_test(too_long_a_field_meets_the_limit),
        cmocka_unit_test(folds_are_taken_out),
        cmocka_unit_test(message_ids_are_checked_and_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
