/* socks.c - asks a SOCKS5 proxy for a connection. */
#include "workers/smtp/socks.h"

#include "common/base/attr.h"
#include "common/base/check.h"

#define VERSION       0x05
#define LOGIN_VERSION 0x01
#define COMMAND_OPEN  0x01
#define METHOD_NONE   0x00 /* no login */
#define METHOD_LOGIN  0x02
#define METHOD_REFUSE 0xff
#define IPV4          0x01
#define NAME          0x03
#define IPV6          0x04

#define IPV4_AT    12 /* in the form of iprange.h */
#define IPV6_BYTES 16
#define REPLY_HEAD 5 /* VER REP RSV ATYP, and the first byte of the address */

/* REP of RFC 1928 section 6; what is the proxy's own fault or ours is 4.3.5. */
static const struct {
    struct enhanced status;
    const char *text;
} replies[] = {
    { { 4, 4, 1 }, "" },
    { { 4, 4, 1 }, "the proxy failed" },
    { { 4, 3, 5 }, "the proxy does not permit the connection" },
    { { 4, 4, 1 }, "the proxy says: network unreachable" },
    { { 4, 4, 1 }, "the proxy says: host unreachable" },
    { { 4, 4, 1 }, "the proxy says: connection refused" },
    { { 4, 4, 1 }, "the proxy says: TTL expired" },
    { { 4, 3, 5 }, "the proxy does not open connections" },
    { { 4, 3, 5 }, "the proxy does not know this kind of address" },
};

struct socks_login socks_login_of(struct slice text)
{
    const size_t colon = slice_find(text, ':');
    return (struct socks_login){
        .name = slice_head(slice_head(text, colon), SOCKS_WORD_MAX),
        .password = slice_head(slice_from(text, colon + 1), SOCKS_WORD_MAX),
    };
}

static void say(struct buf *out, unsigned byte)
{
    (void)buf_add_byte(out, (char)byte);
}

static unsigned byte_at(const struct buf *in, size_t at)
{
    const char *bytes = buf_slice(in).ptr;
    CHECK(bytes && at < in->len);
    return (unsigned char)bytes[at];
}

static enum socks_state fail(struct socks *socks, struct enhanced status,
                             const char *text, struct verdict *why)
{
    verdict_local(why, status, "%s", text);
    return socks->state = SOCKS_FAILED;
}

static enum socks_state fail_odd(struct socks *socks, struct verdict *why)
{
    return fail(socks, (struct enhanced){ 4, 4, 1 },
                "the proxy does not speak SOCKS5", why);
}

void socks_begin(struct socks *socks, const struct socks_login *login,
                 const struct addr *to, struct buf *out)
{
    *socks = (struct socks){ .login = *login, .to = *to };
    const bool has_login = !slice_is_empty(login->name);
    say(out, VERSION);
    say(out, has_login ? 2 : 1);
    say(out, METHOD_NONE);
    if (has_login)
        say(out, METHOD_LOGIN);
}

static enum socks_state say_login(struct socks *socks, struct buf *out)
{
    const struct socks_login *login = &socks->login;
    say(out, LOGIN_VERSION);
    say(out, (unsigned)login->name.len);
    (void)buf_add(out, login->name);
    say(out, (unsigned)login->password.len);
    (void)buf_add(out, login->password);
    return socks->state = SOCKS_LOGIN;
}

static enum socks_state say_connect(struct socks *socks, struct buf *out)
{
    uint8_t ip[IPRANGE_BYTES];
    const bool has_ip = addr_ip_bytes(&socks->to, ip);
    CHECK(has_ip); /* hosts.h gives no others */
    const bool is_ipv6 = addr_is_ipv6(&socks->to);
    const size_t from = is_ipv6 ? 0 : IPV4_AT;
    const unsigned port = addr_port(&socks->to);
    say(out, VERSION);
    say(out, COMMAND_OPEN);
    say(out, 0);
    say(out, is_ipv6 ? IPV6 : IPV4);
    (void)buf_add(out, slice_of((const char *)ip + from, sizeof ip - from));
    say(out, port >> 8);
    say(out, port & 0xff);
    return socks->state = SOCKS_CONNECT;
}

static enum socks_state hear_method(struct socks *socks, struct buf *in,
                                    struct buf *out, struct verdict *why)
{
    if (in->len < 2)
        return socks->state;
    const unsigned version = byte_at(in, 0);
    const unsigned method = byte_at(in, 1);
    buf_take(in, 2);
    if (version != VERSION)
        return fail_odd(socks, why);
    if (method == METHOD_NONE)
        return say_connect(socks, out);
    if (method == METHOD_LOGIN && !slice_is_empty(socks->login.name))
        return say_login(socks, out);
    if (method == METHOD_REFUSE || method == METHOD_LOGIN)
        return fail(socks, (struct enhanced){ 4, 3, 5 },
                    "the proxy wants a login that we do not have", why);
    return fail_odd(socks, why);
}

static enum socks_state hear_login(struct socks *socks, struct buf *in,
                                   struct buf *out, struct verdict *why)
{
    if (in->len < 2)
        return socks->state;
    const unsigned status = byte_at(in, 1);
    buf_take(in, 2);
    if (status == 0)
        return say_connect(socks, out);
    return fail(socks, (struct enhanced){ 4, 3, 5 },
                "the proxy refuses our login", why);
}

/* Bytes of the whole reply; 0: it cannot be told. */
static size_t reply_len(const struct buf *in)
{
    const size_t port = 2;
    switch (byte_at(in, 3)) {
    case IPV4:
        return REPLY_HEAD - 1 + 4 + port;
    case NAME:
        return REPLY_HEAD + byte_at(in, REPLY_HEAD - 1) + port;
    case IPV6:
        return REPLY_HEAD - 1 + IPV6_BYTES + port;
    default:
        return 0;
    }
}

/* A proxy that refuses may say no more than REP, and close. */
static enum socks_state hear_connect(struct socks *socks, struct buf *in,
                                     struct verdict *why)
{
    if (in->len < 2)
        return socks->state;
    const unsigned reply = byte_at(in, 1);
    if (byte_at(in, 0) != VERSION)
        return fail_odd(socks, why);
    if (reply != 0) {
        const size_t known = reply < ARRAY_LEN(replies) ? reply : 1;
        return fail(socks, replies[known].status, replies[known].text, why);
    }
    if (in->len < REPLY_HEAD)
        return socks->state;
    const size_t len = reply_len(in);
    if (len == 0)
        return fail_odd(socks, why);
    if (in->len < len)
        return socks->state;
    buf_take(in, len);
    return socks->state = SOCKS_OPEN;
}

enum socks_state socks_hear(struct socks *socks, struct buf *in,
                            struct buf *out, struct verdict *why)
{
    switch (socks->state) {
    case SOCKS_METHOD:
        return hear_method(socks, in, out, why);
    case SOCKS_LOGIN:
        return hear_login(socks, in, out, why);
    case SOCKS_CONNECT:
        return hear_connect(socks, in, why);
    case SOCKS_OPEN:
    case SOCKS_FAILED:
        break;
    }
    return socks->state;
}
