/*
 * mx.h - from a recipient domain to its destination, through the DNS.
 *
 * A cache with one query at a time per domain and a bound on all of them; jobs
 * wait in the entry's list until the answer comes. Pure: whoever owns it sends
 * the queries and brings the answers (mx_hear), so tests need no resolver.
 *
 *     MX records            the hosts by preference
 *     0 .                   null MX, RFC 7505: fails, 5.1.10
 *     name without MX       the domain itself, RFC 5321 section 5.1; whether it
 *                           has addresses is for the worker to find
 *     no such name          fails, 5.1.2
 *     SERVFAIL, time-out    the last good answer for MX_STALE_MS more, else
 *                           deferred, 4.4.3
 *     [address literal]     the literal itself, no query
 */
#ifndef ROUTER_DISPATCH_MX_H
#define ROUTER_DISPATCH_MX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/slice.h"
#include "common/edge/dns.h"
#include "common/proto/verdict.h"
#include "config/conf.h"
#include "router/lanes/destination.h"

#define MX_QUERIES_MAX 512u   /* out at a time; the rest wait here */
#define MX_TTL_MIN_MS  5000u  /* shorter answers are kept this long */
#define MX_NEGATIVE_MS 60000u /* no such name, null MX */
#define MX_RETRY_MS    10000u /* after a query that failed */
#define MX_STALE_MS    3600000u
#define MX_KEEP_MS     600000u /* an entry that nobody needs */

struct mx;

enum mx_kind { MX_FOUND, MX_FAILED, MX_DEFERRED };

struct mx_answer {
    enum mx_kind kind;
    struct destination *destination; /* MX_FOUND; borrowed */
    struct enhanced status;          /* of the others */
    const char *text;                /* why; constant */
};

/* Asks for the MX records of a domain; the answer comes by mx_hear(). */
typedef void mx_query_fn(void *context, const char *domain);

/* The answer for one that waited; the link is in no list any more. */
typedef void mx_answer_fn(void *context, struct list *waiter,
                          const struct mx_answer *answer);

struct mx_hooks {
    mx_query_fn *query;
    mx_answer_fn *answer;
    void *context;
};

/* conf must live until the next mx_reconf(). */
struct mx *mx_new(const struct conf *conf,
                  const struct mx_hooks *hooks) must_check;

/* Nobody may wait any more. */
void mx_free(struct mx **mx);

/* Works the sites out anew. */
void mx_reconf(struct mx *mx, const struct conf *conf);

/* The destination that is known of a domain, fresh or not; NULL: none. */
struct destination *mx_known(const struct mx *mx, struct slice domain);

/* `domain` in lower case. True with *answer when it is known now; false: the
 * waiter is in a list until its answer comes, or until it removes itself. */
bool mx_ask(struct mx *mx, struct slice domain, struct list *waiter,
            uint64_t now_ms, struct mx_answer *answer);

/* What the resolver said to a query; `domain` as it was given there. */
void mx_hear(struct mx *mx, struct slice domain,
             const struct dns_mx_answer *heard, uint64_t now_ms);

/* Forgets what was not needed for MX_KEEP_MS; call now and then. */
void mx_sweep(struct mx *mx, uint64_t now_ms);

#endif
