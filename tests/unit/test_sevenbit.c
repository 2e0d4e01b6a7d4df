/* test_sevenbit - messages without bytes over 127 that say what they said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/proto/sevenbit.h"

#define UE   "\xc3\xbc" /* u with two dots, UTF-8 */
#define MIME "MIME-Version: 1.0\r\n"
#define TEXT "Content-Type: text/plain; charset=utf-8\r\n"
#define CTE  "Content-Transfer-Encoding: "

struct example {
    const char *name;
    const char *message;
    const char *wanted; /* NULL: refused */
};

static void check(const struct example *example, enum sevenbit_what what)
{
    const struct slice message = slice_text(example->message);
    struct buf out;
    buf_init(&out, SEVENBIT_MAX(message.len));
    assert_true(buf_add(&out, SLICE("before")));
    const enum rc rc = sevenbit_convert(message, what, &out);
    const struct slice got = slice_from(buf_slice(&out), 6);
    if (!example->wanted) {
        if (rc != RC_SYNTAX || got.len > 0)
            fail_msg("%s: was taken: \"%.*s\"", example->name, SLICE_ARG(got));
    } else if (rc != RC_OK || !slice_equal(got, slice_text(example->wanted))) {
        fail_msg("%s: rc %d \"%.*s\"", example->name, (int)rc, SLICE_ARG(got));
    }
    buf_release(&out);
}

static void check_all(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(&examples[i], SEVENBIT_ALL);
}

static void leaves_are_encoded(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "nothing to do", "A: b\r\n\r\nc = d\r\n", "A: b\r\n\r\nc = d\r\n" },
        { "text",
          MIME TEXT CTE "8bit\r\nA: b\r\n\r\nGr" UE "n = 1, green, yes\r\n",
          MIME TEXT CTE
          "quoted-printable\r\nA: b\r\n\r\nGr=C3=BCn =3D 1, green, yes\r\n" },
        { "mostly not ASCII", MIME TEXT CTE "8BIT\r\n\r\n" UE UE UE,
          MIME TEXT CTE "base64\r\n\r\nw7zDvMO8" },
        { "no encoding said", MIME TEXT "\r\nGr" UE "n, green\r\n",
          MIME TEXT CTE "quoted-printable\r\n\r\nGr=C3=BCn, green\r\n" },
        { "no MIME", "A: b\r\n\r\nGr" UE "n, green\r\n",
          "A: b\r\n" MIME TEXT CTE "quoted-printable\r\n\r\n"
          "Gr=C3=BCn, green\r\n" },
        { "no MIME, no UTF-8", "A: b\r\n\r\nGr\xfcn, green\r\n",
          "A: b\r\n" MIME
          "Content-Type: text/plain; charset=unknown-8bit\r\n" CTE
          "quoted-printable\r\n\r\nGr=FCn, green\r\n" },
        { "data", MIME "Content-Type: application/x\r\n\r\nabcdefghijk\xff",
          MIME "Content-Type: application/x\r\n" CTE "base64\r\n\r\n"
               "YWJjZGVmZ2hpamv/" },
        { "binary", MIME TEXT CTE "binary\r\n\r\nabcdefghijk\xff",
          MIME TEXT CTE "base64\r\n\r\nYWJjZGVmZ2hpamv/" },
        { "encoded and not", MIME TEXT CTE "base64\r\n\r\nw7z\xff", NULL },
        { "unknown", MIME TEXT CTE "x-uuencode\r\n\r\n\xff", NULL },
        { "encoding twice", MIME TEXT CTE "8bit\r\n" CTE "8bit\r\n\r\n\xff",
          NULL },
        { "type twice", MIME TEXT TEXT "\r\n\xff", NULL },
        { "bare LF", MIME TEXT "\r\na\n\xff\r\n", NULL },
        { "bare CR", MIME TEXT "\r\na\r\xff\r\n", NULL },
        { "no header", "no header\r\n\xff\r\n", NULL },
    };
    check_all(examples, ARRAY_LEN(examples));
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n"

static void trees_are_walked(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "parts, relabelled; the others as they were",
          MIME MIXED CTE "8bit\r\n\r\npre " UE "\r\n--b\r\n" CTE "8bit\r\n\r\n"
                         "ascii = 1\r\n--b  \r\n" TEXT CTE "8bit\r\n\r\nGr" UE
                         "n, green\r\n"
                         "--b--\r\npost " UE "\r\n",
          MIME MIXED CTE "7bit\r\n\r\npre ??\r\n--b\r\n" CTE "8bit\r\n\r\n"
                         "ascii = 1\r\n--b  \r\n" TEXT CTE
                         "quoted-printable\r\n\r\n"
                         "Gr=C3=BCn, green\r\n--b--\r\npost ??\r\n" },
        { "a message in it",
          MIME MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
                     "Subject: " UE "\r\n" MIME TEXT "\r\nGr" UE
                     "n, green\r\n--b--\r\n",
          MIME MIXED CTE
          "7bit\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n" CTE
          "7bit\r\n\r\nSubject: =?utf-8?B?w7w=?=\r\n" MIME TEXT CTE
          "quoted-printable\r\n\r\nGr=C3=BCn, green\r\n--b--\r\n" },
        { "a digest's parts are messages",
          MIME "Content-Type: multipart/digest; boundary=\"b\"\r\n\r\n--b\r\n"
               "\r\nSubject: " UE "\r\n\r\nhi\r\n--b--\r\n",
          MIME "Content-Type: multipart/digest; boundary=\"b\"\r\n" CTE
               "7bit\r\n\r\n--b\r\n" CTE "7bit\r\n\r\n"
               "Subject: =?utf-8?B?w7w=?=\r\n\r\nhi\r\n--b--\r\n" },
        { "the end is missing",
          MIME MIXED "\r\n--b\r\n" TEXT "\r\nGr" UE "n, green",
          MIME MIXED CTE "7bit\r\n\r\n--b\r\n" TEXT CTE
                         "quoted-printable\r\n\r\nGr=C3=BCn, green" },
        { "the inner end is missing, and its boundary begins like the outer",
          MIME MIXED "\r\n--b\r\nContent-Type: multipart/x; boundary=b1\r\n\r\n"
                     "--b1\r\n" TEXT "\r\nGr" UE "n, green\r\n--b--\r\n",
          MIME MIXED CTE
          "7bit\r\n\r\n--b\r\n"
          "Content-Type: multipart/x; boundary=b1\r\n" CTE "7bit\r\n\r\n"
          "--b1\r\n" TEXT CTE "quoted-printable\r\n\r\nGr=C3=BCn, green\r\n"
          "--b--\r\n" },
        { "the line end before a boundary is not encoded",
          MIME MIXED "\r\n--b\r\n" TEXT "\r\n" UE "\r\n--b--\r\n",
          MIME MIXED CTE "7bit\r\n\r\n--b\r\n" TEXT CTE
                         "base64\r\n\r\nw7w=\r\n--b--\r\n" },
        { "empty parts", MIME MIXED "\r\n--b\r\n--b\r\n\r\n--b--\r\n" UE,
          MIME MIXED CTE "7bit\r\n\r\n--b\r\n--b\r\n\r\n--b--\r\n??" },
        { "no boundary", MIME "Content-Type: multipart/mixed\r\n\r\n" UE,
          NULL },
        { "an encoded boundary",
          MIME "Content-Type: multipart/mixed; boundary*=b\r\n\r\n--b\r\n" UE,
          NULL },
        { "two boundaries",
          MIME "Content-Type: multipart/mixed; boundary=b; boundary=c\r\n\r\n"
               "--b\r\n\r\n" UE "\r\n--b--\r\n",
          NULL },
        { "no delimiter", MIME MIXED "\r\n" UE, NULL },
        { "the outer boundary again",
          MIME MIXED "\r\n--b\r\n" MIXED "\r\n" UE "\r\n--b\r\n\r\n" UE
                     "\r\n--b--\r\n",
          NULL },
        { "nearly a delimiter",
          MIME MIXED "\r\n--b\r\n" TEXT "\r\nx\r\n--bc\r\nGr" UE
                     "n\r\n--b--\r\n",
          NULL },
        { "an encoded multipart",
          MIME MIXED CTE "base64\r\n\r\n--b\r\n\r\n" UE "\r\n--b--\r\n", NULL },
        { "signed",
          MIME "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" TEXT
               "\r\n" UE "\r\n--b\r\n\r\nx\r\n--b--\r\n",
          NULL },
        { "signed, and nothing in it has to change",
          MIME MIXED "\r\n--b\r\nContent-Type: multipart/signed; boundary=c\r\n"
                     "\r\n--c\r\n\r\nx\r\n--c--\r\n\r\n--b\r\n" TEXT "\r\nGr" UE
                     "n, green\r\n--b--\r\n",
          MIME MIXED CTE
          "7bit\r\n\r\n--b\r\n"
          "Content-Type: multipart/signed; boundary=c\r\n"
          "\r\n--c\r\n\r\nx\r\n--c--\r\n\r\n--b\r\n" TEXT CTE
          "quoted-printable\r\n\r\nGr=C3=BCn, green\r\n--b--\r\n" },
        { "must not be encoded",
          MIME "Content-Type: message/partial\r\n\r\n" UE, NULL },
    };
    check_all(examples, ARRAY_LEN(examples));
}

#define E "=?utf-8?B?w7w=?="

static void fields_are_encoded_where_they_may_be(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "words and all between them", "Subject: Re: " UE " b " UE " c\r\n",
          "Subject: Re: =?utf-8?B?w7wgYiDDvA==?= c\r\n" },
        { "no blank", "Subject:" UE "\r\n", "Subject: " E "\r\n" },
        { "a fold in them", "X-A: a\r\n b" UE "\r\n " UE "\r\n c\r\n",
          "X-A: a =?utf-8?B?YsO8IMO8?=\r\n c\r\n" },
        { "not UTF-8", "Subject: \xfc\r\n",
          "Subject: =?unknown-8bit?B?/A==?=\r\n" },
        { "an encoded word already", "Subject: " E " " UE "\r\n", NULL },
        { "names", "From: " UE " <a@b>, \"x \\\"" UE "\"<c@d>, e@f\r\n",
          "From: " E " <a@b>, =?utf-8?B?eCAiw7w=?= <c@d>, e@f\r\n" },
        { "an address", "To: <" UE "@b>\r\n", NULL },
        { "a domain", "To: a@" UE ".de\r\n", NULL },
        { "a comment", "To: a@b (" UE ")\r\n", NULL },
        { "not addresses", "Cc: " UE ", x <a@b>\r\n", NULL },
        { "a date", "Date: " UE "\r\n", NULL },
        { "an id", "Message-ID: <" UE "@b>\r\n", NULL },
        { "a URL", "List-Unsubscribe: <https://a/" UE ">\r\n", NULL },
        { "a trace", "Received: from a for <a@" UE ">\r\n",
          "Received: from a for <a@?"
          "?>\r\n" },
        { "a file name",
          "Content-Disposition: attachment; filename=\"a " UE ".pdf\"; x=y\r\n",
          "Content-Disposition: attachment;\r\n"
          "\tfilename*=utf-8''a%20%C3%BC.pdf; x=y\r\n" },
        { "a parameter's name", "Content-Type: a/b; " UE "=x\r\n", NULL },
        { "a type", "Content-Type: a/" UE "\r\n", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(examples); i++)
        check(&examples[i], SEVENBIT_HEADER);
    check_all(examples, ARRAY_LEN(examples));
}

static void the_body_is_left_where_only_the_header_matters(void **state)
{
    (void)state;
    const struct example example = {
        "header", "Subject: " UE "\r\n" TEXT "\r\n" UE "\r\n",
        "Subject: " E "\r\n" TEXT "\r\n" UE "\r\n"
    };
    check(&example, SEVENBIT_HEADER);
}

/* A message of `depth` multiparts, each in the one before. */
static void build_nested(unsigned depth, struct buf *out)
{
    for (unsigned i = 0; i < depth; i++)
        assert_true(buf_addf(out,
                             "Content-Type: multipart/mixed; boundary=x%ux"
                             "\r\n\r\n--x%ux\r\n",
                             i, i));
    assert_true(buf_add_text(out, TEXT "\r\nGr" UE "n, green\r\n"));
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    for (unsigned depth = 14; depth < 100; depth++) {
        struct buf in;
        struct buf out;
        buf_init(&in, 1u << 20);
        build_nested(depth, &in);
        buf_init(&out, SEVENBIT_MAX(in.len));
        assert_int_equal(sevenbit_convert(buf_slice(&in), SEVENBIT_ALL, &out),
                         depth <= SEVENBIT_DEPTH_MAX ? RC_OK : RC_SYNTAX);
        buf_release(&in);
        buf_release(&out);
    }
}

static void a_multitude_of_parts_is_refused(void **state)
{
    (void)state;
    struct buf in;
    struct buf out;
    buf_init(&in, 1u << 20);
    assert_true(buf_add_text(&in, MIXED "\r\n"));
    for (unsigned i = 0; i < 10000; i++)
        assert_true(buf_add_text(&in, "--b\r\n\r\n\xff\r\n"));
    buf_init(&out, SEVENBIT_MAX(in.len));
    assert_int_equal(sevenbit_convert(buf_slice(&in), SEVENBIT_ALL, &out),
                     RC_LIMIT);
    assert_int_equal(out.len, 0);
    buf_release(&in);
    buf_release(&out);
}

static void signatures_are_seen(void **state)
{
    (void)state;
    assert_true(sevenbit_is_signed(SLICE("A: b\r\ndkim-signature: x\r\n\r\n")));
    assert_true(sevenbit_is_signed(SLICE("ARC-Message-Signature: x\r\n\r\n")));
    assert_false(
        sevenbit_is_signed(SLICE("A: b\r\n\r\nDKIM-Signature: x\r\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_are_encoded),
        cmocka_unit_test(trees_are_walked),
        cmocka_unit_test(fields_are_encoded_where_they_may_be),
        cmocka_unit_test(the_body_is_left_where_only_the_header_matters),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(a_multitude_of_parts_is_refused),
        cmocka_unit_test(signatures_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
