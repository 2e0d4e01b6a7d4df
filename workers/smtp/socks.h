/*
 * socks.h - asks a SOCKS5 proxy for a connection; RFC 1928 and 1929. Pure.
 *
 *     METHOD -> [LOGIN] -> CONNECT -> OPEN        any of them -> FAILED
 *
 * What holds: METHOD, our offer was said; LOGIN, name and password were;
 * CONNECT, the address was; OPEN, what comes next is the receiver's. Each waits
 * for the proxy's answer. Addresses go as they are: names are resolved here,
 * where the rules of hosts.h are.
 */
#ifndef WORKERS_SMTP_SOCKS_H
#define WORKERS_SMTP_SOCKS_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/slice.h"
#include "common/edge/addr.h"
#include "common/proto/verdict.h"

#define SOCKS_WORD_MAX 255 /* of a name or password, RFC 1929 */

struct socks_login {
    struct slice name; /* empty: we have none */
    struct slice password;
};

enum socks_state {
    SOCKS_METHOD,
    SOCKS_LOGIN,
    SOCKS_CONNECT,
    SOCKS_OPEN,
    SOCKS_FAILED,
};

struct socks {
    enum socks_state state;
    struct socks_login login; /* borrowed */
    struct addr to;
};

/* Of "NAME:PASSWORD"; a longer word than SOCKS_WORD_MAX is cut. */
struct socks_login socks_login_of(struct slice text);

/* Says the offer. */
void socks_begin(struct socks *socks, const struct socks_login *login,
                 const struct addr *to, struct buf *out);

/* Takes the proxy's answer off `in`, when it is whole, and says what follows.
 * In FAILED *why tells of it: always a finding of our own, and temporary. */
enum socks_state socks_hear(struct socks *socks, struct buf *in,
                            struct buf *out, struct verdict *why);

#endif
