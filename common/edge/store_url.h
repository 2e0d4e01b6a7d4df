/*
 * store_url.h - where Redis is and who we are there, from a URL. Pure.
 *
 *     unix:///run/redis.sock
 *     redis://[[user]:password@]host[:port][/db]      RFC 3986 authority
 *     rediss://...                                    the same over TLS
 *     sentinel://[[user]:password@]host[:port],host...,host/MASTER[/db]
 *     sentinels://...                                 the same over TLS
 *
 * Of the last two the hosts are sentinels (port 26379), who know where the master
 * of that name is; the login is for that, not for them.
 *
 * host is a name, or an IP literal (IPv6 in brackets). User and password may be
 * %-encoded.
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
#define STORE_HOST_SIZE   256

#define STORE_SENTINELS_MAX 8

struct store_host {
    char name[STORE_HOST_SIZE]; /* or an IP literal, without brackets */
    uint16_t port;
};

struct store_url {
    bool is_unix;
    struct addr socket;     /* when is_unix */
    struct store_host host; /* else; empty while only sentinels know it */
    bool is_tls;
    struct store_host sentinels[STORE_SENTINELS_MAX];
    size_t sentinel_count;            /* 0: none */
    char master[STORE_HOST_SIZE];     /* its name among the sentinels */
    char user[STORE_SECRET_SIZE];     /* empty: the default user */
    char password[STORE_SECRET_SIZE]; /* empty: none */
    uint32_t database;
};

/* RC_SYNTAX with a fault that never shows the password. */
enum rc store_url_parse(const char *text, struct store_url *url,
                        struct fault *fault) must_check;

#endif
