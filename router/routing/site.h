/*
 * site.h - which receiver serves a domain: the key that limits go by.
 *
 * Mail for one site waits in one lane per pool. A site is a provider of the
 * config when one knows the domain or its MX hosts, and otherwise the set of
 * hosts itself: two domains with the same MX hosts are one site. Pure; who asks
 * the DNS is mx.h.
 */
#ifndef ROUTER_ROUTING_SITE_H
#define ROUTER_ROUTING_SITE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/slice.h"
#include "config/conf.h"

#define SITE_NAME_MAX  255 /* longer rolls-up are cut and end in a hash */
#define SITE_HOSTS_MAX 16  /* MX hosts that are ever tried */

struct site_host {
    uint16_t preference;
    struct slice name;
};

/* Writes the site's name for these MX hosts (best first, at least one) into
 * `name`, and the provider or NULL into *provider. The name of a provider's
 * site is the provider's; of a domain with one host that host; of several the
 * sorted common roll-up "(mx1|mx2).example.net", or the names joined by "+".
 * For an address literal pass it as the one host. */
void site_of(const struct conf *conf, struct slice domain,
             const struct site_host *hosts, size_t host_count,
             char name[SITE_NAME_MAX + 1],
             const struct conf_provider **provider);

#endif
