/*
 * test_linewise - DATA carries every body unchanged, whatever way the bytes are
 * split, and ends at CRLF "." CRLF alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/proto/linewise.h"

struct decoded {
    struct linewise_findings findings;
    enum rc rc;
    size_t left; /* bytes behind the end */
    struct buf body;
};

/* Decodes the bytes in two calls, cut at `cut`. */
static struct decoded decode(struct slice wire, size_t cut,
                             enum linewise_bare bare, uint64_t bytes_max)
{
    struct decoded result;
    struct linewise_decoder decoder;
    linewise_decoder_init(&decoder, bare, bytes_max);
    buf_init(&result.body, 1u << 20);
    struct cursor first = cursor_of(slice_head(wire, cut));
    struct cursor second = cursor_of(slice_from(wire, cut));
    result.rc = linewise_decode(&decoder, &first, &result.body);
    result.left = cursor_rest(&first).len + cursor_rest(&second).len;
    if (result.rc == RC_MORE) {
        assert_true(cursor_done(&first));
        result.rc = linewise_decode(&decoder, &second, &result.body);
        result.left = cursor_rest(&second).len;
    }
    result.findings = decoder.findings;
    return result;
}

static void encode_cut(struct slice body, size_t cut, struct buf *out)
{
    struct linewise_encoder encoder;
    linewise_encoder_init(&encoder);
    assert_true(linewise_encode(&encoder, slice_head(body, cut), out));
    assert_true(linewise_encode(&encoder, slice_from(body, cut), out));
    assert_true(linewise_encode_end(&encoder, out));
}

static const struct {
    const char *body;
    const char *wire;
} bodies[] = {
    { "", ".\r\n" },
    { "a\r\n", "a\r\n.\r\n" },
    { "no end", "no end\r\n.\r\n" },
    { ".\r\n", "..\r\n.\r\n" },
    { ".", "..\r\n.\r\n" },
    { "..\r\n.\r\n", "...\r\n..\r\n.\r\n" },
    { "a\r\n.b\r\n\r\n.\r\nc.\r\n", "a\r\n..b\r\n\r\n..\r\nc.\r\n.\r\n" },
    { ".\r\n.\r\n.", "..\r\n..\r\n..\r\n.\r\n" },
    { "x\r\n.\xc3\xbc\r\n", "x\r\n..\xc3\xbc\r\n.\r\n" },
    { "cut\r", "cut\r\n.\r\n" },
};

static void a_body_is_stuffed_the_same_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct slice body = slice_text(bodies[i].body);
        for (size_t cut = 0; cut <= body.len; cut++) {
            struct buf out;
            buf_init(&out, 1024);
            encode_cut(body, cut, &out);
            assert_true(
                slice_equal(buf_slice(&out), slice_text(bodies[i].wire)));
            buf_release(&out);
        }
    }
}

static void a_bare_lf_cannot_smuggle_an_end(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    encode_cut(SLICE("a\n.\r\nMAIL"), 0, &out);
    assert_true(slice_equal(buf_slice(&out), SLICE("a\n..\r\nMAIL\r\n.\r\n")));
    buf_release(&out);
}

static void a_full_buffer_takes_nothing(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 10);
    struct linewise_encoder encoder;
    linewise_encoder_init(&encoder);
    assert_true(linewise_encode(&encoder, SLICE("a\r\n"), &out));
    assert_false(linewise_encode(&encoder, SLICE(".23456\r\n"), &out));
    assert_int_equal(out.len, 3);
    assert_true(linewise_encode(&encoder, SLICE(".2345"), &out));
    assert_true(slice_equal(buf_slice(&out), SLICE("a\r\n..2345")));
    buf_release(&out);
}

static void what_was_stuffed_comes_back_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct slice body = slice_text(bodies[i].body);
        struct buf wire;
        buf_init(&wire, 1024);
        encode_cut(body, 0, &wire);
        assert_true(buf_add_text(&wire, "QUIT\r\n"));
        for (size_t cut = 0; cut <= wire.len; cut++) {
            struct decoded got =
                decode(buf_slice(&wire), cut, LINEWISE_KEEP, 1024);
            assert_int_equal(got.rc, RC_OK);
            assert_int_equal(got.left, 6);
            /* The encoder may have completed the last line. */
            assert_true(got.body.len >= body.len
                        && got.body.len <= body.len + 2);
            assert_true(
                slice_equal(slice_head(buf_slice(&got.body), body.len), body));
            assert_int_equal(got.findings.bytes, got.body.len);
            assert_int_equal(got.findings.bare_cr, 0);
            assert_int_equal(got.findings.bare_lf, 0);
            buf_release(&got.body);
        }
        buf_release(&wire);
    }
}

static void only_crlf_dot_crlf_ends(void **state)
{
    (void)state;
    static const struct {
        const char *wire;
        const char *kept;
        const char *normalised;
        uint64_t bare_cr;
        uint64_t bare_lf;
    } cases[] = {
        { "a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", "a\r\n.\r\nb\r\n", 0, 2 },
        { "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "a\r\n.\r\nb\r\n", 0, 1 },
        { "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", "a\r\n.\r\nb\r\n", 2, 0 },
        { "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", "a\r\n.\r\nb\r\n", 1, 0 },
        { "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", "a\r\n\r\nb\r\n", 0, 1 },
        { "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", "a\r\n\r\nb\r\n", 1, 0 },
        { "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n", "a\r\n\r\n\r\nb\r\n", 1,
          0 },
        { "a\r\r\n.\r\n", "a\r\r\n", "a\r\n\r\n", 1, 0 },
        { "a\n\r\n.\r\n", "a\n\r\n", "a\r\n\r\n", 0, 1 },
        { "a\n\r.\r\n.\r\n", "a\n\r.\r\n", "a\r\n\r\n.\r\n", 1, 1 },
        { "curl\n.dot\n\r\n.\r\n", "curl\n.dot\n\r\n", "curl\r\n.dot\r\n\r\n",
          0, 2 },
        { "\n.\n\r\n.\r\n", "\n.\n\r\n", "\r\n.\r\n\r\n", 0, 2 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice wire = slice_text(cases[i].wire);
        for (size_t cut = 0; cut <= wire.len; cut++) {
            struct decoded kept = decode(wire, cut, LINEWISE_KEEP, 1024);
            struct decoded normal = decode(wire, cut, LINEWISE_NORMALISE, 1024);
            assert_int_equal(kept.rc, RC_OK);
            assert_int_equal(normal.rc, RC_OK);
            assert_int_equal(kept.left + normal.left, 0);
            assert_true(
                slice_equal(buf_slice(&kept.body), slice_text(cases[i].kept)));
            assert_true(slice_equal(buf_slice(&normal.body),
                                    slice_text(cases[i].normalised)));
            assert_int_equal(kept.findings.bare_cr, cases[i].bare_cr);
            assert_int_equal(kept.findings.bare_lf, cases[i].bare_lf);
            assert_int_equal(normal.findings.bare_cr, cases[i].bare_cr);
            assert_int_equal(normal.findings.bare_lf, cases[i].bare_lf);
            buf_release(&kept.body);
            buf_release(&normal.body);
        }
    }
}

/* Every text of up to seven of the bytes that matter, in all orders: an end is
 * found where the naive search for it finds one, and nowhere else. */
static void no_order_of_dots_and_line_ends_fools_it(void **state)
{
    (void)state;
    static const char bytes[] = { '\r', '\n', '.', '\0', 'a' };
    const size_t len = 7;
    for (unsigned n = 0; n < 78125; n++) { /* 5 to the 7th */
        char wire[2 + 7] = { '\r', '\n' };
        unsigned rest = n;
        for (size_t i = 0; i < len; i++, rest /= ARRAY_LEN(bytes))
            wire[2 + i] = bytes[rest % ARRAY_LEN(bytes)];
        /* The CRLF in front is that of the DATA command. */
        struct slice seen = slice_of(wire, sizeof wire);
        size_t end = slice_find_slice(seen, SLICE("\r\n.\r\n"));
        struct decoded got =
            decode(slice_from(seen, 2), n % 8, LINEWISE_KEEP, 1024);
        assert_int_equal(got.rc, end < seen.len ? RC_OK : RC_MORE);
        if (got.rc == RC_OK)
            assert_int_equal(got.left, seen.len - end - 5);
        buf_release(&got.body);
    }
}

static void findings_tell_what_was_in_it(void **state)
{
    (void)state;
    static const char wire[] = "12345\r\n..2\r\n\xc3\xbc\0\r\n.\r\n";
    struct slice all = slice_of(wire, sizeof wire - 1);
    for (size_t cut = 0; cut <= all.len; cut++) {
        struct decoded got = decode(all, cut, LINEWISE_KEEP, 1024);
        assert_int_equal(got.rc, RC_OK);
        assert_int_equal(got.findings.line_bytes_max, 5);
        assert_int_equal(got.findings.bytes, 16);
        assert_true(got.findings.has_nul && got.findings.has_8bit);
        assert_false(got.findings.too_large);
        buf_release(&got.body);
    }
}

static void an_over_large_body_is_swallowed_to_its_end(void **state)
{
    (void)state;
    struct slice wire = SLICE("0123456789\r\n0123456789\r\n.\r\nRSET\r\n");
    for (size_t cut = 0; cut <= wire.len; cut++) {
        struct decoded got = decode(wire, cut, LINEWISE_KEEP, 23);
        assert_int_equal(got.rc, RC_OK);
        assert_int_equal(got.left, 6);
        assert_true(got.findings.too_large);
        assert_int_equal(got.findings.bytes, 24);
        assert_true(got.body.len <= 23);
        buf_release(&got.body);
        got = decode(wire, cut, LINEWISE_KEEP, 24);
        assert_false(got.findings.too_large);
        assert_int_equal(got.body.len, 24);
        buf_release(&got.body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_stuffed_the_same_at_every_split),
        cmocka_unit_test(a_bare_lf_cannot_smuggle_an_end),
        cmocka_unit_test(a_full_buffer_takes_nothing),
        cmocka_unit_test(what_was_stuffed_comes_back_at_every_split),
        cmocka_unit_test(only_crlf_dot_crlf_ends),
        cmocka_unit_test(no_order_of_dots_and_line_ends_fools_it),
        cmocka_unit_test(findings_tell_what_was_in_it),
        cmocka_unit_test(an_over_large_body_is_swallowed_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
