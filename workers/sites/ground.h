/*
 * ground.h - what all outlets of a worker stand on.
 *
 * Main fills in its edges, sites.c what the outlets share among themselves
 * (deliveries, berths, waiting, wake, traces, absent). It outlives every outlet.
 */
#ifndef WORKERS_SITES_GROUND_H
#define WORKERS_SITES_GROUND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/list.h"
#include "common/base/table.h"
#include "common/edge/addr.h"
#include "common/edge/dns.h"
#include "common/edge/loop.h"
#include "common/edge/tls.h"
#include "workers/limits/gate.h"
#include "workers/sites/delivery.h"
#include "workers/sites/traces.h"
#include "workers/smtp/absent.h"

struct outlet_ground {
    struct loop *loop;
    const char *worker; /* our name */
    struct dns *dns;
    struct gates *gates;
    struct deliveries *deliveries;
    struct table berths; /* by gate */
    struct list waiting; /* outlets that a change of a gate may help */
    struct defer *wake;  /* runs those */
    struct traces *traces;
    struct absent *absent; /* addresses at which nobody answered */
    struct tls_context *opportunistic;
    struct tls_context *verified;
    const struct addr *own; /* where this platform listens; for ever */
    size_t own_count;
    bool is_draining; /* take nothing new, for now or for good */
};

#endif
