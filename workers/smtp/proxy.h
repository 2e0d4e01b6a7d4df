/*
 * proxy.h - how a source that is elsewhere is reached: the first bytes that a
 * connection to its proxy carries.
 *
 *     PROXY_SOCKS5   socks.h; the proxy sends from an address of its own
 *     PROXY_HAPROXY  the PROXY protocol, version 2: one header says from where
 *                    to where, and the proxy says nothing
 */
#ifndef WORKERS_SMTP_PROXY_H
#define WORKERS_SMTP_PROXY_H

#include "common/base/buf.h"
#include "common/edge/addr.h"
#include "workers/smtp/socks.h"

enum proxy_kind { PROXY_NONE, PROXY_SOCKS5, PROXY_HAPROXY };

struct proxy {
    enum proxy_kind kind;
    struct addr at;
    struct socks_login login; /* borrowed */
};

/* The header of a connection; both of one family, IPv4 or IPv6.
 * https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt section 2.2. */
void proxy_add_header(struct buf *out, const struct addr *from,
                      const struct addr *to);

#endif
