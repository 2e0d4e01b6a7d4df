/*
 * destination.h - where the mail of one recipient domain goes: its MX hosts.
 *
 * Made once per DNS answer and never changed; jobs of the domain share it by
 * counted references (one thread). Hosts are in the order to try them.
 */
#ifndef ROUTER_LANES_DESTINATION_H
#define ROUTER_LANES_DESTINATION_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "common/proto/wire.h"
#include "config/conf.h"
#include "router/routing/site.h"

struct destination {
    unsigned refs;
    struct slice domain;   /* lower case; or an address literal */
    struct slice site;     /* site.h */
    struct slice provider; /* name, or empty */
    size_t host_count;     /* at least 1 */
    const struct wire_host *hosts;
};

/* Copies everything; works out site and provider by `conf`. One reference.
 * 1 to SITE_HOSTS_MAX hosts. */
struct destination *destination_new(const struct conf *conf,
                                    struct slice domain,
                                    const struct site_host *hosts,
                                    size_t host_count) must_check;

struct destination *destination_hold(struct destination *destination);
void destination_release(struct destination **destination); /* accepts NULL */

#endif
