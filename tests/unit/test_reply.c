/* test_reply - replies of servers, good, odd and hostile; and what EHLO says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/proto/ehlo.h"
#include "common/proto/reply.h"

struct good {
    const char *bytes;
    uint16_t code;
    const char *enhanced;
    const char *text;
    size_t left; /* bytes behind the reply */
};

static const struct good good[] = {
    { "220 mx.example.com ESMTP\r\n", 220, "", "mx.example.com ESMTP", 0 },
    { "250\r\n", 250, "", "", 0 },
    { "250 \r\n", 250, "", "", 0 },
    { "250 2.1.0 ok\r\n", 250, "2.1.0", "ok", 0 },
    { "250 lone LF\n", 250, "", "lone LF", 0 },
    { "571 5.7.1 odd digit\r\n", 571, "5.7.1", "odd digit", 0 },
    { "550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n", 550, "5.7.1",
      "one two three", 0 },
    { "550-one\r\n550 5.1.1 two\r\n", 550, "5.1.1", "one two", 0 },
    { "550 4.1.1 classes differ\r\n", 550, "", "4.1.1 classes differ", 0 },
    { "250-a\r\n250-\r\n250 b\r\n", 250, "", "a b", 0 },
    { "250 first\r\n354 second\r\n", 250, "", "first", 12 },
    { "421 \x1b]0;x\x07 \xff\r\n", 421, "", "\\x1b]0;x\\x07 \\xff", 0 },
    { "550 bare\rCR\r\n", 550, "", "bare\\x0dCR", 0 },
};

static void good_replies_are_taken_one_at_a_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct cursor cursor = cursor_of(slice_text(good[i].bytes));
        struct reply reply;
        char enhanced[ENHANCED_TEXT_SIZE];
        assert_int_equal(reply_take(&cursor, &reply), RC_OK);
        assert_int_equal(reply.code, good[i].code);
        assert_string_equal(enhanced_format(reply.enhanced, enhanced),
                            good[i].enhanced);
        assert_string_equal(reply.text, good[i].text);
        assert_int_equal(cursor_rest(&cursor).len, good[i].left);
        assert_int_equal(reply_class(&reply), good[i].code / 100);
    }
}

static void every_cut_of_a_reply_asks_for_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        size_t whole = strlen(good[i].bytes) - good[i].left;
        for (size_t len = 0; len < whole; len++) {
            struct cursor cursor = cursor_of(slice_of(good[i].bytes, len));
            struct reply reply;
            assert_int_equal(reply_take(&cursor, &reply), RC_MORE);
            assert_ptr_equal(cursor.at, good[i].bytes);
        }
    }
}

static void what_is_no_reply_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\r\n",
        "25\r\n",
        "2500 x\r\n",
        "250x\r\n",
        "ok\r\n",
        "199 x\r\n",
        "600 x\r\n",
        " 250 x\r\n",
        "+50 x\r\n",
        "250\tx\r\n",
        "HTTP/1.1 400 Bad Request\r\n",
        "250-a\r\n251 b\r\n",
        "250-a\r\nb\r\n",
        "250-a\r\n\r\n250 b\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct cursor cursor = cursor_of(slice_text(bad[i]));
        struct reply reply;
        assert_int_equal(reply_take(&cursor, &reply), RC_SYNTAX);
        assert_ptr_equal(cursor.at, bad[i]);
    }
}

static enum rc take_from(const struct buf *buf)
{
    struct cursor cursor = cursor_of(buf_slice(buf));
    struct reply reply;
    return reply_take(&cursor, &reply);
}

static void a_reply_without_end_meets_a_limit(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1u << 20);
    for (unsigned i = 1; i < REPLY_LINES_MAX; i++)
        assert_true(buf_add_text(&buf, "250-x\r\n"));
    assert_int_equal(take_from(&buf), RC_MORE);
    assert_true(buf_add_text(&buf, "250-x\r\n"));
    assert_int_equal(take_from(&buf), RC_LIMIT);

    buf_clear(&buf);
    assert_true(buf_add_text(&buf, "250 "));
    while (buf.len < REPLY_LINE_MAX - 1)
        assert_true(buf_add_byte(&buf, 'x'));
    assert_int_equal(take_from(&buf), RC_MORE);
    assert_true(buf_add_byte(&buf, '\n'));
    assert_int_equal(take_from(&buf), RC_OK);
    buf_cut(&buf, REPLY_LINE_MAX - 1);
    assert_true(buf_add_text(&buf, "x\n"));
    assert_int_equal(take_from(&buf), RC_LIMIT);

    buf_clear(&buf);
    while (buf.len <= REPLY_BYTES_MAX)
        assert_true(buf_addf(&buf, "250-%0*d\r\n", 4000, 1));
    assert_true(buf_add_text(&buf, "250 end\r\n"));
    assert_int_equal(take_from(&buf), RC_LIMIT);
    buf_release(&buf);
}

static struct ehlo ehlo_of(const char *bytes)
{
    struct cursor cursor = cursor_of(slice_text(bytes));
    struct reply reply;
    struct ehlo ehlo;
    assert_int_equal(reply_take(&cursor, &reply), RC_OK);
    ehlo_read(&reply, &ehlo);
    return ehlo;
}

static void a_full_offer_is_understood(void **state)
{
    (void)state;
    struct ehlo ehlo = ehlo_of("250-mx.example.com at your service\r\n"
                               "250-SIZE 35882577\r\n250-8bitmime\r\n"
                               "250-StartTLS\r\n250-ENHANCEDSTATUSCODES\r\n"
                               "250-PIPELINING\r\n250-CHUNKING\r\n250-DSN\r\n"
                               "250-REQUIRETLS\r\n250-AUTH PLAIN login X-Y\r\n"
                               "250-LIMITS RCPTMAX=50 MAILMAX=7 X=1\r\n"
                               "250 SMTPUTF8\r\n");
    assert_true(slice_equal(ehlo.domain, SLICE("mx.example.com")));
    assert_true(ehlo.size && ehlo.eight_bit_mime && ehlo.starttls);
    assert_int_equal(ehlo.size_max, 35882577);
    assert_true(ehlo.enhanced_codes && ehlo.pipelining && ehlo.chunking);
    assert_true(ehlo.dsn && ehlo.requiretls && ehlo.smtputf8);
    assert_int_equal(ehlo.auth,
                     EHLO_AUTH_PLAIN | EHLO_AUTH_LOGIN | EHLO_AUTH_OTHER);
    assert_int_equal(ehlo.recipients_max, 50);
    assert_int_equal(ehlo.mails_max, 7);
}

static void an_odd_offer_offers_nothing_by_mistake(void **state)
{
    (void)state;
    struct ehlo ehlo = ehlo_of("250-STARTTLS\r\n250-SIZE banana\r\n"
                               "250-PIPELINING-X\r\n250-\r\n250-  DSNX\r\n"
                               "250-AUTH=CRAM-MD5\r\n250 LIMITS RCPTMAX=x\r\n");
    assert_false(ehlo.starttls); /* the first line is the server's name */
    assert_true(ehlo.size);
    assert_int_equal(ehlo.size_max, 0);
    assert_false(ehlo.pipelining);
    assert_false(ehlo.dsn);
    assert_int_equal(ehlo.auth, EHLO_AUTH_CRAM_MD5);
    assert_int_equal(ehlo.recipients_max, 0);
    assert_int_equal(ehlo_of("250\r\n").domain.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_replies_are_taken_one_at_a_time),
        cmocka_unit_test(every_cut_of_a_reply_asks_for_more),
        cmocka_unit_test(what_is_no_reply_is_refused),
        cmocka_unit_test(a_reply_without_end_meets_a_limit),
        cmocka_unit_test(a_full_offer_is_understood),
        cmocka_unit_test(an_odd_offer_offers_nothing_by_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
