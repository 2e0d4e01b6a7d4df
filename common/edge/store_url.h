/*
 * store_url.h - where Redis is and who we are there, from a URL. Pure.
 *
 *     unix:///run/redis.sock
 *     redis://[[user]:password@]host[:port][/db]      RFC 3986 authority
 *     rediss://...                                    the same over TLS
 *
 * host is an IP literal (IPv6 in brackets) or "localhost": a name would need a
 * look-up that the store does not do. User and password may be %-encoded.
 */
#ifndef COMMON_EDGE_STORE_URL_H
#define COMMON_EDGE_STORE_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/addr.h"

#define STORE_SECRET_SIZE 256
#define STORE_HOST_SIZE   64

struct store_url {
    struct addr addr;
    bool is_tls;
    char host[STORE_HOST_SIZE];       /* for TLS and logs; no secrets */
    char user[STORE_SECRET_SIZE];     /* empty: the default user */
    char password[STORE_SECRET_SIZE]; /* empty: none */
    uint32_t database;
};

/* RC_SYNTAX with a fault that never shows the password. */
enum rc store_url_parse(const char *text, struct store_url *url,
                        struct fault *fault) must_check;

#endif
