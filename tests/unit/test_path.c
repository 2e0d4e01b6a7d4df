/* test_path - envelope addresses: what RFC 5321 allows, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/proto/path.h"

static void valid_paths_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *local;
        const char *domain;
        const char *rest;
        bool is_literal;
        bool needs_utf8;
    } cases[] = {
        { "<a@b.example> SIZE=1", "a", "b.example", " SIZE=1", false, false },
        { "<first.last+tag@x>", "first.last+tag", "x", "", false, false },
        { "<\"a b\\\"c@d\"@e.f>", "\"a b\\\"c@d\"", "e.f", "", false, false },
        { "<\"\"@e.f>", "\"\"", "e.f", "", false, false },
        { "<@r.a,@r.b:u@h.i>", "u", "h.i", "", false, false },
        { "<u@[192.0.2.1]>", "u", "[192.0.2.1]", "", true, false },
        { "<u@[IPv6:2001:db8::1]>", "u", "[IPv6:2001:db8::1]", "", true,
          false },
        { "<postmaster@x.y>", "postmaster", "x.y", "", false, false },
        { "<\xc3\xbc@b\xc3\xbc.de>", "\xc3\xbc", "b\xc3\xbc.de", "", false,
          true },
        { "<u@xn--bcher-kva.example>", "u", "xn--bcher-kva.example", "", false,
          false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (enum path_kind kind = PATH_REVERSE; kind <= PATH_FORWARD; kind++) {
            struct cursor cursor = cursor_of(slice_text(cases[i].bytes));
            struct path path;
            assert_int_equal(path_take(&cursor, kind, &path), RC_OK);
            assert_true(slice_equal(path.local, slice_text(cases[i].local)));
            assert_true(slice_equal(path.domain, slice_text(cases[i].domain)));
            assert_int_equal(path.whole.len,
                             path.local.len + 1 + path.domain.len);
            assert_true(
                slice_equal(cursor_rest(&cursor), slice_text(cases[i].rest)));
            assert_int_equal(path.is_literal, cases[i].is_literal);
            assert_int_equal(path.needs_utf8, cases[i].needs_utf8);
            assert_false(path.is_null);
        }
    }
}

static void invalid_paths_are_refused_and_take_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "<",
        "a@b",
        "<a>",
        "<@b>",
        "<a@>",
        "<a@b",
        "<a@b c>",
        "<a@b.>",
        "<a@.b>",
        "<a@b..c>",
        "<a@-b>",
        "<a@b->",
        "<a@b_c>",
        "<.a@b>",
        "<a.@b>",
        "<a..b@c>",
        "<a b@c>",
        "<\"a@b>",
        "<\"a\nb\"@c>",
        "<\"a\\\"@c>",
        "<a@[1.2.3]>",
        "<a@[1.2.3.4>",
        "<a@[1.2.3.256]>",
        "<a@[IPv6:1::2::3]>",
        "<a@[IPv6:]>",
        "<a@[tag:x]>",
        "<a@b@c>",
        "<@r:>",
        "<@r,u@h>",
        "<@r u@h>",
        "<a@\xff>",
        "<\xc3@b>",
        "<a\r\n@b>",
        "<a@b\r\n>",
        "< a@b>",
        "<a@b >",
        "<a(c)@b>",
        "<\"a\\\xc3\xbc\"@b>",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct cursor cursor = cursor_of(slice_text(bad[i]));
        struct path path;
        assert_int_equal(path_take(&cursor, PATH_FORWARD, &path), RC_SYNTAX);
        assert_int_equal(path_take(&cursor, PATH_REVERSE, &path), RC_SYNTAX);
        assert_ptr_equal(cursor.at, bad[i]);
    }
}

static void null_and_postmaster_have_their_places(void **state)
{
    (void)state;
    struct path path;
    struct cursor cursor = cursor_of(SLICE("<>"));
    assert_int_equal(path_take(&cursor, PATH_FORWARD, &path), RC_SYNTAX);
    assert_int_equal(path_take(&cursor, PATH_REVERSE, &path), RC_OK);
    assert_true(path.is_null && cursor_done(&cursor));
    assert_int_equal(path.whole.len, 0);

    cursor = cursor_of(SLICE("<PostMaster>"));
    assert_int_equal(path_take(&cursor, PATH_REVERSE, &path), RC_SYNTAX);
    assert_int_equal(path_take(&cursor, PATH_FORWARD, &path), RC_OK);
    assert_true(slice_equal(path.whole, SLICE("PostMaster")));
    assert_int_equal(path.domain.len, 0);
}

/* A mailbox of the given sizes: domain labels of at most 63. */
static enum rc take_sized(size_t local, size_t domain)
{
    struct buf buf;
    buf_init(&buf, 1024);
    assert_true(buf_add_byte(&buf, '<'));
    for (size_t i = 0; i < local; i++)
        assert_true(buf_add_byte(&buf, 'l'));
    assert_true(buf_add_byte(&buf, '@'));
    for (size_t i = 0; i < domain; i++)
        assert_true(buf_add_byte(&buf, i % 64 == 63 ? '.' : 'd'));
    assert_true(buf_add_byte(&buf, '>'));
    struct cursor cursor = cursor_of(buf_slice(&buf));
    struct path path;
    enum rc rc = path_take(&cursor, PATH_FORWARD, &path);
    buf_release(&buf);
    return rc;
}

static void sizes_end_where_the_rfc_says(void **state)
{
    (void)state;
    assert_int_equal(take_sized(64, 189), RC_OK); /* 254 with the "@" */
    assert_int_equal(take_sized(64, 190), RC_LIMIT);
    assert_int_equal(take_sized(65, 10), RC_LIMIT);
    assert_int_equal(take_sized(1, 252), RC_OK);
    assert_int_equal(take_sized(1, 253), RC_LIMIT);
    struct path path;
    char text[] =
        "a@lllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
        "llllx.de";
    assert_int_equal(path_from_text(slice_text(text), &path), RC_SYNTAX);
    assert_int_equal(path_from_text(SLICE("a@b "), &path), RC_SYNTAX);
    assert_int_equal(path_from_text(SLICE("a@b"), &path), RC_OK);
}

static void domains_and_literals_are_told_apart(void **state)
{
    (void)state;
    assert_true(path_is_domain(SLICE("a-b.example"), false));
    assert_false(path_is_domain(SLICE("a.example."), false));
    assert_false(path_is_domain(SLICE("a_b.example"), false));
    assert_false(path_is_domain(SLICE(""), false));
    assert_false(path_is_domain(SLICE("b\xc3\xbc.de"), false));
    assert_true(path_is_domain(SLICE("b\xc3\xbc.de"), true));
    assert_false(path_is_domain(SLICE("b\xc3.de"), true));
    assert_true(path_is_literal(SLICE("[127.0.0.1]")));
    assert_true(path_is_literal(SLICE("[IPv6:::1]")));
    assert_false(path_is_literal(SLICE("[::1]")));
    assert_false(path_is_literal(SLICE("127.0.0.1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_paths_are_taken_apart),
        cmocka_unit_test(invalid_paths_are_refused_and_take_nothing),
        cmocka_unit_test(null_and_postmaster_have_their_places),
        cmocka_unit_test(sizes_end_where_the_rfc_says),
        cmocka_unit_test(domains_and_literals_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
