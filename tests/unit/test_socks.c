/* test_socks - what a proxy is told, and what its answers mean. */
#include "workers/smtp/proxy.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/attr.h"

#define BYTES_MAX      1024u
#define BYTES(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

#define OFFER       BYTES("\x05\x01\x00")
#define LOGIN_OFFER BYTES("\x05\x02\x00\x02")
#define OPEN_IPV4   BYTES("\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x19")

struct talk {
    struct socks socks;
    struct buf in;
    struct buf out;
    struct verdict why;
};

static void set_up(struct talk *talk, const char *login, const char *ip)
{
    struct addr to;
    const struct socks_login words = socks_login_of(slice_text(login));
    assert_true(addr_of_ip(slice_text(ip), 25, &to));
    buf_init(&talk->in, BYTES_MAX);
    buf_init(&talk->out, BYTES_MAX);
    socks_begin(&talk->socks, &words, &to, &talk->out);
}

static void tear_down(struct talk *talk)
{
    buf_release(&talk->in);
    buf_release(&talk->out);
}

static void assert_said(struct talk *talk, struct slice expected)
{
    assert_int_equal(talk->out.len, expected.len);
    assert_memory_equal(buf_slice(&talk->out).ptr, expected.ptr, expected.len);
    buf_clear(&talk->out);
}

/* Byte by byte. */
static enum socks_state hear(struct talk *talk, struct slice answer)
{
    for (; answer.len > 0; answer = slice_from(answer, 1)) {
        assert_true(buf_add(&talk->in, slice_head(answer, 1)));
        (void)socks_hear(&talk->socks, &talk->in, &talk->out, &talk->why);
    }
    return talk->socks.state;
}

static void a_connection_is_opened(void **state)
{
    (void)state;
    static const struct slice opened[] = {
        { "\x05\x00\x00\x01\x0a\x00\x00\x01\x04\x38", 10 },
        { "\x05\x00\x00\x03\x04host\x04\x38", 11 },
        { "\x05\x00\x00\x03\x00\x04\x38", 7 },
        { "\x05\x00\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x04\x38",
          22 },
    };
    for (size_t i = 0; i < ARRAY_LEN(opened); i++) {
        struct talk talk;
        set_up(&talk, "", "192.0.2.7");
        assert_said(&talk, OFFER);
        assert_int_equal(hear(&talk, BYTES("\x05\x00")), SOCKS_CONNECT);
        assert_said(&talk, OPEN_IPV4);
        const size_t len = opened[i].len;
        assert_int_equal(hear(&talk, slice_head(opened[i], len - 1)),
                         SOCKS_CONNECT);
        assert_true(buf_add(&talk.in, slice_from(opened[i], len - 1)));
        assert_true(buf_add(&talk.in, SLICE("220 mx")));
        assert_int_equal(
            socks_hear(&talk.socks, &talk.in, &talk.out, &talk.why),
            SOCKS_OPEN);
        assert_true(slice_equal(buf_slice(&talk.in), SLICE("220 mx")));
        assert_int_equal(talk.out.len, 0);
        tear_down(&talk);
    }
}

static void name_and_password_are_said_when_asked_for(void **state)
{
    (void)state;
    struct talk talk;
    set_up(&talk, "me:pass:word", "2001:db8::7");
    assert_said(&talk, LOGIN_OFFER);
    assert_int_equal(hear(&talk, BYTES("\x05\x02")), SOCKS_LOGIN);
    assert_said(&talk, BYTES("\x01\x02me\x09pass:word"));
    assert_int_equal(hear(&talk, BYTES("\x01\x00")), SOCKS_CONNECT);
    assert_said(&talk, BYTES("\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0"
                             "\0\0\0\0\x07\x00\x19"));
    tear_down(&talk);
}

static void what_goes_wrong_is_told(void **state)
{
    (void)state;
    static const struct {
        struct slice answer;
        struct enhanced status;
        const char *text;
    } cases[] = {
        { { "\x05\xff", 2 },
          { 4, 3, 5 },
          "the proxy wants a login that we do not have" },
        { { "\x05\x02", 2 },
          { 4, 3, 5 },
          "the proxy wants a login that we do not have" },
        { { "\x05\x01", 2 }, { 4, 4, 1 }, "the proxy does not speak SOCKS5" },
        { { "\x04\x00", 2 }, { 4, 4, 1 }, "the proxy does not speak SOCKS5" },
        { { "HTTP/1.1 400", 12 },
          { 4, 4, 1 },
          "the proxy does not speak SOCKS5" },
        { { "\x05\x00\x05\x01", 4 }, { 4, 4, 1 }, "the proxy failed" },
        { { "\x05\x00\x05\x02", 4 },
          { 4, 3, 5 },
          "the proxy does not permit the connection" },
        { { "\x05\x00\x05\x04", 4 },
          { 4, 4, 1 },
          "the proxy says: host unreachable" },
        { { "\x05\x00\x05\x05", 4 },
          { 4, 4, 1 },
          "the proxy says: connection refused" },
        { { "\x05\x00\x05\x08", 4 },
          { 4, 3, 5 },
          "the proxy does not know this kind of address" },
        { { "\x05\x00\x05\x99", 4 }, { 4, 4, 1 }, "the proxy failed" },
        { { "\x05\x00\x04\x00", 4 },
          { 4, 4, 1 },
          "the proxy does not speak SOCKS5" },
        { { "\x05\x00\x05\x00\x00\x07\x00", 7 },
          { 4, 4, 1 },
          "the proxy does not speak SOCKS5" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct talk talk;
        set_up(&talk, "", "192.0.2.7");
        assert_int_equal(hear(&talk, cases[i].answer), SOCKS_FAILED);
        assert_string_equal(talk.why.text, cases[i].text);
        assert_int_equal(talk.why.class, VERDICT_DEFERRED);
        assert_int_equal(talk.why.code, 0);
        assert_memory_equal(&talk.why.enhanced, &cases[i].status,
                            sizeof cases[i].status);
        tear_down(&talk);
    }
}

static void a_refused_login_is_told(void **state)
{
    (void)state;
    struct talk talk;
    set_up(&talk, "me:wrong", "192.0.2.7");
    assert_int_equal(hear(&talk, BYTES("\x05\x02\x01\x01")), SOCKS_FAILED);
    assert_string_equal(talk.why.text, "the proxy refuses our login");
    tear_down(&talk);
}

static void the_header_names_both_ends(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        struct slice header;
    } cases[] = {
        { "198.51.100.3",
          "192.0.2.7",
          { "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x03\xc0\x00\x02"
            "\x07\x00\x00\x00\x19",
            28 } },
        { "2001:db8::1",
          "2001:db8::2",
          { "\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x24"
            "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
            "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x00\x00\x00\x19",
            52 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addr from;
        struct addr to;
        scoped(buf_release) struct buf out;
        buf_init(&out, BYTES_MAX);
        assert_true(addr_of_ip(slice_text(cases[i].from), 0, &from));
        assert_true(addr_of_ip(slice_text(cases[i].to), 25, &to));
        proxy_add_header(&out, &from, &to);
        assert_int_equal(out.len, cases[i].header.len);
        assert_memory_equal(buf_slice(&out).ptr, cases[i].header.ptr, out.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_opened),
        cmocka_unit_test(name_and_password_are_said_when_asked_for),
        cmocka_unit_test(what_goes_wrong_is_told),
        cmocka_unit_test(a_refused_login_is_told),
        cmocka_unit_test(the_header_names_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
