/*
 * dns.h - asking the resolver: MX and addresses, never blocking. The only file
 * (with dns.c) that knows c-ares.
 *
 * One resolver address, from the config. Answers are parsed by our own bounded
 * parser (common/proto/dnsmsg.h); a host name in an answer that is not a host
 * name (RFC 1123 LDH) makes that record void, so that no byte of DNS reaches a
 * log or a command unescaped. Where all records are void the query has failed.
 * CNAMEs are followed as far as the answer carries them.
 *
 * A query ends in exactly one callback, in the loop's thread, never before
 * dns_query_*() has returned. Nothing is cached here.
 */
#ifndef COMMON_EDGE_DNS_H
#define COMMON_EDGE_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/addr.h"
#include "common/edge/loop.h"

#define DNS_NAME_MAX      255
#define DNS_MX_MAX        64 /* hosts of one answer that we keep */
#define DNS_ADDRESSES_MAX 32

enum dns_status {
    DNS_OK,       /* at least one record */
    DNS_NODATA,   /* the name exists, without such a record */
    DNS_NXDOMAIN, /* the name does not exist */
    DNS_FAILED,   /* SERVFAIL, REFUSED, nonsense: try again later */
    DNS_TIMEOUT,  /* the resolver did not answer */
};

struct dns_mx_host {
    uint16_t preference;
    char name[DNS_NAME_MAX + 1]; /* lower case, no final dot; "" for MX 0 . */
};

struct dns_mx_answer {
    enum dns_status status;
    uint32_t ttl_s; /* also of NODATA and NXDOMAIN, by RFC 2308; else 0 */
    size_t count;
    const struct dns_mx_host *hosts; /* by preference, ties by name */
};

struct dns_address_answer {
    enum dns_status status;
    uint32_t ttl_s;
    size_t count;
    const struct addr *addresses; /* port 0 */
};

struct dns;
typedef void dns_mx_fn(void *context, const struct dns_mx_answer *answer);
typedef void dns_address_fn(void *context,
                            const struct dns_address_answer *answer);

/* NULL with *fault when the resolver cannot be used. */
struct dns *dns_new(struct loop *loop, const struct addr *resolver,
                    uint64_t timeout_ms, unsigned tries,
                    struct fault *fault) must_check;

/* Callbacks of queries under way are not called any more. Never from inside a
 * callback. */
void dns_free(struct dns **dns);

void dns_query_mx(struct dns *dns, const char *domain, dns_mx_fn *fn,
                  void *context);

/* family AF_INET or AF_INET6. */
void dns_query_addresses(struct dns *dns, const char *host, int family,
                         dns_address_fn *fn, void *context);

#endif
