/* test_transfer - quoted-printable and base64, line by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/proto/transfer.h"

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

typedef bool encode_fn(struct slice bytes, struct buf *out);

static void gives(encode_fn *encode, const char *bytes, const char *wanted)
{
    struct buf out;
    buf_init(&out, 1024);
    assert_true(encode(slice_text(bytes), &out));
    if (!slice_equal(buf_slice(&out), slice_text(wanted)))
        fail_msg("\"%s\" gave \"%.*s\"", bytes, SLICE_ARG(buf_slice(&out)));
    buf_release(&out);
}

static void what_must_be_is_quoted_and_no_more(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        { "", "" },
        { "plain, text\r\n", "plain, text\r\n" },
        { "a=b \xc3\xbc\r\n", "a=3Db =C3=BC\r\n" },
        { "\r\n\r\n", "\r\n\r\n" },
        { "a\tb\x01\x7f", "a\tb=01=7F" },
        /* blanks at the end of a line, and of all */
        { "a \r\nb\t\r\nc ", "a=20\r\nb=09\r\nc=20" },
        /* what could be a boundary */
        { "--a\r\n---\r\n-a\r\n-", "=2D-a\r\n=2D--\r\n-a\r\n-" },
        { "a--a", "a--a" },
        { ".\r\n", ".\r\n" },
        /* an end of line that is none */
        { "a\rb\nc\r", "a=0Db=0Ac=0D" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        gives(transfer_quote, cases[i].bytes, cases[i].text);
}

static void long_lines_go_on_behind_a_soft_break(void **state)
{
    (void)state;
    gives(transfer_quote, X70 "12345", X70 "12345");
    gives(transfer_quote, X70 "123456", X70 "12345=\r\n6");
    gives(transfer_quote,
          X70 "12\xff"
              "4",
          X70 "12=FF=\r\n4");
    gives(transfer_quote, X70 "123\xff", X70 "123=\r\n=FF");
    gives(transfer_quote, X70 "12345\r\n", X70 "12345\r\n");
    gives(transfer_quote, X70 "1234 \r\n", X70 "1234=\r\n=20\r\n");
    /* a boundary that only the break would make */
    gives(transfer_quote, X70 "12345--b\r\n", X70 "12345=\r\n=2D-b\r\n");
}

static void base64_has_lines(void **state)
{
    (void)state;
    gives(transfer_base64, "", "");
    gives(transfer_base64, "\xff", "/w==");
    gives(transfer_base64,
          "123456789012345678901234567890123456789012345678901234567",
          "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4"
          "OTAxMjM0NTY3");
    gives(transfer_base64,
          "1234567890123456789012345678901234567890123456789012345678",
          "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4"
          "OTAxMjM0NTY3\r\nOA==");
}

static void the_shorter_one_is_preferred(void **state)
{
    (void)state;
    assert_true(transfer_is_quotable(SLICE("")));
    assert_true(transfer_is_quotable(SLICE("Gr\xfc\xdf"
                                           "e aus Ulm")));
    assert_true(transfer_is_quotable(SLICE("\r\n\r\n\r\n\r\n")));
    assert_true(transfer_is_quotable(SLICE("12345\xff")));
    assert_false(transfer_is_quotable(SLICE("1234\xff")));
    assert_false(transfer_is_quotable(SLICE("\xd0\x9f\xd1\x80\xd0\xb8")));
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    for (size_t max = 0; max < 8; max++) {
        struct buf out;
        buf_init(&out, max);
        assert_false(transfer_quote(SLICE("\xff\xff\xff"), &out));
        buf_clear(&out);
        assert_false(transfer_base64(SLICE("123456"), &out) && max < 8);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_be_is_quoted_and_no_more),
        cmocka_unit_test(long_lines_go_on_behind_a_soft_break),
        cmocka_unit_test(base64_has_lines),
        cmocka_unit_test(the_shorter_one_is_preferred),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
