/*
 * hosts.h - the addresses at which a receiver may be reached, one by one.
 *
 * Hosts go by preference, those of equal preference in random order (RFC 5321
 * section 5.1). Each is resolved only when it is its turn. Those addresses of a
 * host go by turns of family, the preferred one first (RFC 8305 section 4),
 * where the source has both. Else only addresses of its own family count: an
 * IPv4 source reaches IPv4 hosts. When there is none, and there are sources of the other family, that is asked for, too: a
 * receiver who has such addresses has not failed, but is for one of those
 * (hosts_is_elsewhere()). Hosts and
 * addresses that the rules forbid are passed over, as are those at which the
 * platform itself listens, so that mail cannot loop through a misguided MX. When
 * nothing else is left the receiver has failed for good. Addresses at which
 * nobody answered lately are given last, whatever their preference (absent.h).
 * At most HOSTS_ADDRESSES_MAX addresses are given.
 */
#ifndef WORKERS_SMTP_HOSTS_H
#define WORKERS_SMTP_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/iprange.h"
#include "common/edge/addr.h"
#include "common/edge/dns.h"
#include "common/proto/verdict.h"
#include "common/proto/wire.h"
#include "workers/smtp/absent.h"

#define HOSTS_ADDRESSES_MAX 16

struct hosts;

/* Where mail may not go; borrowed for as long as the hosts live. */
struct hosts_rules {
    const char *const *denied; /* patterns of host names, glob.h */
    size_t denied_count;
    const struct iprange *prohibited;
    size_t prohibited_count;
};

struct hosts_options {
    struct dns *dns;
    int family; /* AF_INET or AF_INET6: the source's, or where it
                            * has both the one to begin with */
    bool has_both;
    bool has_other_family; /* other sources may be of the other one */
    uint16_t port;
    const struct addr *own; /* with ports; copied: a reload changes them */
    size_t own_count;
    struct hosts_rules rules;
    struct loop *loop;
    struct absent *absent; /* NULL: nothing is remembered */
};

/* Exactly one of the two: an address to try, with its host's name, or NULL and
 * the verdict that tells why there is no further one. */
typedef void hosts_fn(void *context, const struct addr *addr, const char *host,
                      const struct verdict *why);

/* Copies the list. `seed` shuffles hosts of equal preference. */
struct hosts *hosts_new(const struct hosts_options *options,
                        const struct wire_host *list, size_t count,
                        uint64_t seed) must_check;
void hosts_free(struct hosts **hosts);

/* Whether the last word was that the receiver has addresses, of the family that
 * the source does not have. */
bool hosts_is_elsewhere(const struct verdict *why);

/* Whether, of the host whose address was given last, an address of the other
 * family is still to come. */
bool hosts_have_other_family(const struct hosts *hosts,
                             const struct addr *addr) must_check;

/* The address given last shall be given once more when all others were. */
void hosts_put_off(struct hosts *hosts, const struct addr *addr);

/* Asks for the next address; fn is called once, perhaps before this returns. */
void hosts_next(struct hosts *hosts, hosts_fn *fn, void *context);

#endif
