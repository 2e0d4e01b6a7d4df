/* test_codec - base64 and xtext there and back, and nothing sloppy accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/proto/codec.h"

static void base64_goes_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xff\xef\xbf", "/++/" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 64);
        assert_true(base64_encode(slice_text(cases[i].bytes), &out));
        assert_true(slice_equal(buf_slice(&out), slice_text(cases[i].text)));
        buf_clear(&out);
        assert_int_equal(base64_decode(slice_text(cases[i].text), &out), RC_OK);
        assert_true(slice_equal(buf_slice(&out), slice_text(cases[i].bytes)));
        buf_release(&out);
    }
}

static void sloppy_base64_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",        "Zg",   "Zg=",  "Zh==",     "Zm9=",
        "Zg==Zg==", "=",    "====", "Z===",     "Zm8=\n",
        "Zm 9",     "Zm-_", "Z=g=", "Zm9vYg=a", "\xc3\xbc==",
    };
    struct buf out;
    buf_init(&out, 64);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(base64_decode(slice_text(bad[i]), &out), RC_SYNTAX);
        assert_int_equal(out.len, 0);
    }
    buf_release(&out);
}

static void a_full_buffer_stays_as_it_was(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 3);
    assert_false(base64_encode(SLICE("f"), &out));
    assert_int_equal(base64_decode(SLICE("Zm9vYmFy"), &out), RC_LIMIT);
    assert_false(xtext_encode(SLICE("a=b"), &out));
    assert_int_equal(xtext_decode(SLICE("abcd"), &out), RC_LIMIT);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

static void xtext_goes_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        { "", "" },
        { "plain!~", "plain!~" },
        { "a+b=c", "a+2Bb+3Dc" },
        { "two words", "two+20words" },
        { "\r\n\x7f\xff", "+0D+0A+7F+FF" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 64);
        assert_true(xtext_encode(slice_text(cases[i].bytes), &out));
        assert_true(slice_equal(buf_slice(&out), slice_text(cases[i].text)));
        buf_clear(&out);
        assert_int_equal(xtext_decode(slice_text(cases[i].text), &out), RC_OK);
        assert_true(slice_equal(buf_slice(&out), slice_text(cases[i].bytes)));
        buf_release(&out);
    }
    static const char *const bad[] = { "+",   "+2",   "+2G",      "a b",
                                       "a=b", "\x7f", "\xc3\xbc", "a+" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(xtext_is_valid(slice_text(bad[i])));
    assert_true(xtext_is_valid(SLICE("+2b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_goes_there_and_back),
        cmocka_unit_test(sloppy_base64_is_refused),
        cmocka_unit_test(a_full_buffer_stays_as_it_was),
        cmocka_unit_test(xtext_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
