/*
 * manners.h - the limits and waits of the config that are in force towards one
 * site, looked up once.
 */
#ifndef WORKERS_SITES_MANNERS_H
#define WORKERS_SITES_MANNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"
#include "config/conf.h"
#include "workers/limits/gate.h"
#include "workers/smtp/dialog.h"
#include "workers/smtp/fit.h"
#include "workers/smtp/hosts.h"

struct manners {
    struct gate_limits limits;
    struct dialog_waits waits;
    struct hosts_rules rules; /* point into the conf */
    enum dialog_tls tls;
    bool chunking;
    bool prefers_ipv4; /* of a host with both kinds of addresses */
    enum fit_rule convert;
    uint32_t in_flight_max; /* messages on one connection */
    uint16_t port;
    uint32_t max_per_connection; /* 0: no limit */
    uint64_t connect_ms;
    uint64_t idle_ms;
};

void manners_read(const struct conf *conf, struct slice domain,
                  struct slice provider, struct manners *manners);

#endif
