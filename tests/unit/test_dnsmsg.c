/* test_dnsmsg - DNS answers are read as they are meant, or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/proto/dnsmsg.h"

#define HEADER(flags, answers, authorities)                                    \
    SLICE("\x12\x34" flags "\0\1" answers authorities "\0\0")
#define QUESTION_MX SLICE("\1a\4test\0\0\x0f\0\1")
#define QUESTION_A  SLICE("\1a\4test\0\0\1\0\1")

/* Of the name at the question, class IN, TTL 256 + n. */
#define RECORD(type, ttl, data) "\xc0\x0c" type "\0\1\0\0\1" ttl data

struct message {
    struct buf buf;
    struct dnsmsg msg;
};

/* Header, question and the rest in a buffer of its own, and reads them. */
static enum rc read_message(struct message *message, struct slice header,
                            struct slice question, struct slice rest)
{
    buf_init(&message->buf, 70000);
    (void)buf_add(&message->buf, header);
    (void)buf_add(&message->buf, question);
    (void)buf_add(&message->buf, rest);
    return dnsmsg_open(&message->msg, buf_slice(&message->buf));
}

static void mail_hosts_are_read_one_by_one(void **state)
{
    (void)state;
    struct message m;
    struct slice rest =
        SLICE(RECORD("\0\x0f", "\5", "\0\6\0\x0a\1X\xc0\x0c")
                  RECORD("\0\x0f", "\3", "\0\3\0\0\0")
                      RECORD("\0\x10", "\1", "\0\2\1x")
                          RECORD("\0\x0f", "\4", "\0\6\0\x14\1_\xc0\x0c")
                              RECORD("\0\x0f", "\2", "\0\6\0\x14\1-\xc0\x0c"));
    uint16_t preference = 0;
    char host[DNSMSG_NAME_SIZE];
    assert_int_equal(
        read_message(&m, HEADER("\x81\x80", "\0\5", "\0\0"), QUESTION_MX, rest),
        RC_OK);
    assert_int_equal(m.msg.rcode, DNSMSG_NOERROR);
    assert_false(m.msg.truncated);
    assert_int_equal(m.msg.type, DNSMSG_MX);
    assert_string_equal(m.msg.name, "a.test");
    assert_int_equal(dnsmsg_next_mx(&m.msg, &preference, host), RC_OK);
    assert_string_equal(host, "x.a.test");
    assert_int_equal(preference, 10);
    assert_int_equal(dnsmsg_next_mx(&m.msg, &preference, host), RC_OK);
    assert_string_equal(host, "");
    assert_int_equal(preference, 0);
    assert_int_equal(dnsmsg_next_mx(&m.msg, &preference, host), RC_NONE);
    assert_int_equal(m.msg.ttl_s, 256 + 3); /* of those that were used */
    assert_int_equal(m.msg.voids, 2);
    buf_release(&m.buf);
}

static void addresses_are_found_behind_aliases(void **state)
{
    (void)state;
    struct message m;
    /* b.test A (at 24), a.test CNAME b.test, and one of somebody else. */
    struct slice rest =
        SLICE("\1b\xc0\x0e\0\1\0\1\0\0\1\7\0\4\300\0\2\1" RECORD(
            "\0\5", "\2",
            "\0\2\xc0\x18") "\1c\xc0\x0e\0\1\0\1\0\0\1\1\0\4\300\0\2\2");
    struct slice ip;
    assert_int_equal(
        read_message(&m, HEADER("\x81\x80", "\0\3", "\0\0"), QUESTION_A, rest),
        RC_OK);
    assert_string_equal(m.msg.name, "b.test");
    assert_int_equal(dnsmsg_next_address(&m.msg, &ip), RC_OK);
    assert_true(slice_equal(ip, SLICE("\300\0\2\1")));
    assert_int_equal(dnsmsg_next_address(&m.msg, &ip), RC_NONE);
    assert_int_equal(m.msg.ttl_s, 256 + 2);
    buf_release(&m.buf);
}

static void an_alias_of_itself_ends(void **state)
{
    (void)state;
    struct message m;
    struct slice ip;
    struct slice rest = SLICE(RECORD("\0\5", "\2", "\0\2\xc0\x0c"));
    assert_int_equal(
        read_message(&m, HEADER("\x81\x80", "\0\1", "\0\0"), QUESTION_A, rest),
        RC_OK);
    assert_int_equal(dnsmsg_next_address(&m.msg, &ip), RC_NONE);
    buf_release(&m.buf);
}

static void absence_has_a_ttl(void **state)
{
    (void)state;
    struct message m;
    struct slice soa = SLICE(RECORD(
        "\0\6", "\2", "\0\x16\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x3c"));
    assert_int_equal(
        read_message(&m, HEADER("\x81\x83", "\0\0", "\0\1"), QUESTION_A, soa),
        RC_OK);
    assert_int_equal(m.msg.rcode, DNSMSG_NXDOMAIN);
    assert_int_equal(dnsmsg_negative_ttl(&m.msg), 60);
    buf_release(&m.buf);
    assert_int_equal(read_message(&m, HEADER("\x83\x82", "\0\0", "\0\0"),
                                  QUESTION_A, SLICE("")),
                     RC_OK);
    assert_int_equal(m.msg.rcode, 2);
    assert_true(m.msg.truncated);
    assert_int_equal(dnsmsg_negative_ttl(&m.msg), 0);
    buf_release(&m.buf);
}

static void messages_that_are_no_answers_are_refused(void **state)
{
    (void)state;
    const struct {
        struct slice header;
        struct slice question;
        struct slice rest;
    } bad[] = {
        { { "", 0 }, { "", 0 }, { "", 0 } },
        { HEADER("\x01\x80", "\0\0", "\0\0"), QUESTION_A, { "", 0 } },
        { HEADER("\x91\x80", "\0\0", "\0\0"), QUESTION_A, { "", 0 } },
        { SLICE("\0\0\x81\x80\0\2\0\0\0\0\0\0"), QUESTION_A, { "", 0 } },
        { HEADER("\x81\x80", "\0\0", "\0\0"), SLICE("\1a\0\0\1"), { "", 0 } },
        { HEADER("\x81\x80", "\0\0", "\0\0"), SLICE("\2a"), { "", 0 } },
        /* A name that leads to itself, ahead, or has an unknown label kind. */
        { HEADER("\x81\x80", "\0\0", "\0\0"),
          SLICE("\xc0\x0c\0\1\0\1"),
          { "", 0 } },
        { HEADER("\x81\x80", "\0\0", "\0\0"),
          SLICE("\xc0\x20\0\1\0\1"),
          { "", 0 } },
        { HEADER("\x81\x80", "\0\0", "\0\0"),
          SLICE("\x41"
                "a\0\0\1\0\1"),
          { "", 0 } },
        /* A record that is announced and missing, or cut. */
        { HEADER("\x81\x80", "\0\1", "\0\0"), QUESTION_A, { "", 0 } },
        { HEADER("\x81\x80", "\0\1", "\0\0"), QUESTION_A,
          SLICE(RECORD("\0\1", "\1", "\0\5\1\2\3\4")) },
        /* A CNAME longer than its record. */
        { HEADER("\x81\x80", "\0\1", "\0\0"), QUESTION_A,
          SLICE(RECORD("\0\5", "\1", "\0\1\xc0\x0c")) },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct message m;
        assert_int_equal(
            read_message(&m, bad[i].header, bad[i].question, bad[i].rest),
            RC_SYNTAX);
        buf_release(&m.buf);
    }
}

static void records_of_a_wrong_size_are_refused(void **state)
{
    (void)state;
    struct message m;
    struct slice ip;
    uint16_t preference = 0;
    char host[DNSMSG_NAME_SIZE];
    assert_int_equal(read_message(&m, HEADER("\x81\x80", "\0\1", "\0\0"),
                                  QUESTION_A,
                                  SLICE(RECORD("\0\1", "\1", "\0\3\1\2\3"))),
                     RC_OK);
    assert_int_equal(dnsmsg_next_address(&m.msg, &ip), RC_SYNTAX);
    buf_release(&m.buf);
    assert_int_equal(
        read_message(&m, HEADER("\x81\x80", "\0\1", "\0\0"), QUESTION_MX,
                     SLICE(RECORD("\0\x0f", "\1", "\0\4\0\1\0\0"))),
        RC_OK);
    assert_int_equal(dnsmsg_next_mx(&m.msg, &preference, host), RC_SYNTAX);
    buf_release(&m.buf);
}

static void names_have_at_most_255_bytes(void **state)
{
    (void)state;
    for (int last = 61; last <= 62; last++) {
        struct buf question;
        struct message m;
        buf_init(&question, 400);
        for (int label = 0; label < 4; label++) {
            int len = label < 3 ? 63 : last;
            (void)buf_add_byte(&question, (char)len);
            for (int i = 0; i < len; i++)
                (void)buf_add_byte(&question, 'a');
        }
        (void)buf_add(&question, SLICE("\0\0\1\0\1"));
        assert_int_equal(read_message(&m, HEADER("\x81\x80", "\0\0", "\0\0"),
                                      buf_slice(&question), SLICE("")),
                         last == 61 ? RC_OK : RC_SYNTAX);
        buf_release(&m.buf);
        buf_release(&question);
    }
}

static void hosts_are_letters_digits_and_hyphens(void **state)
{
    (void)state;
    assert_true(dnsmsg_is_host(SLICE("mx1.example-x.com")));
    assert_true(dnsmsg_is_host(SLICE("localhost")));
    assert_true(dnsmsg_is_host(SLICE("xn--bcher-kva.example")));
    static const char *const bad[] = { "",     ".",    "a.",    ".a",
                                       "a..b", "-a.b", "a-.b",  "a_b",
                                       "a b",  "a\n",  "a.b\"", "ä.b" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(dnsmsg_is_host(slice_text(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_hosts_are_read_one_by_one),
        cmocka_unit_test(addresses_are_found_behind_aliases),
        cmocka_unit_test(an_alias_of_itself_ends),
        cmocka_unit_test(absence_has_a_ttl),
        cmocka_unit_test(messages_that_are_no_answers_are_refused),
        cmocka_unit_test(records_of_a_wrong_size_are_refused),
        cmocka_unit_test(names_have_at_most_255_bytes),
        cmocka_unit_test(hosts_are_letters_digits_and_hyphens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
