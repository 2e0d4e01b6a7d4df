/*
 * outlet.h - one lane's mail leaving by one source: its connections, its jobs,
 * and the credit that asks the router for more.
 *
 *     credit -> JOB -> queue -> line (a channel) -> RESULT
 *
 * Jobs are asked for only when they can be sent now: one for each connection
 * that is open, so that the next is here when one ends, one for each that may
 * be opened, and as many as the rate allows. A job goes to a line that speaks
 * with the job's own MX hosts; when there is none, one is opened if the gate
 * and the other lanes of the site (berths.h) permit, in place of an idle line
 * to other hosts where need be. A job that finds no line for QUEUE_WAIT_MS goes
 * back to the router: another worker may have one.
 *
 * MX hosts that cannot be reached rest (rests.h), and what is here for them is
 * deferred. When nothing of the site can be reached the outlet pauses, longer
 * each time, and then asks for one job to see; all others stay with the router
 * meanwhile.
 */
#ifndef WORKERS_SITES_OUTLET_H
#define WORKERS_SITES_OUTLET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/table.h"
#include "common/edge/dns.h"
#include "common/edge/loop.h"
#include "common/edge/tls.h"
#include "config/conf.h"
#include "workers/limits/gate.h"
#include "workers/sites/delivery.h"

struct outlet;

/* What all outlets of a worker stand on. */
struct outlet_ground {
    struct loop *loop;
    struct dns *dns;
    struct gates *gates;
    struct deliveries *deliveries;
    struct table berths; /* by gate */
    struct list waiting; /* outlets that a change of a gate may help */
    struct defer *wake;  /* runs those */
    struct tls_context *opportunistic;
    struct tls_context *verified;
    const struct addr *own; /* where this platform listens; for ever */
    size_t own_count;
    bool is_draining; /* take nothing new */
};

struct outlet_options {
    struct outlet_ground *ground;
    struct conf *conf; /* one more reference is taken */
    struct link *router;
    uint32_t lane;
    struct slice site;
    struct slice domain;
    struct slice provider;
    const struct conf_source *source;
};

struct outlet *outlet_new(const struct outlet_options *options) must_check;

/* Closes the connections at once and forgets the jobs. */
void outlet_free(struct outlet **outlet);

/* The router has this many jobs ready in the lane. */
void outlet_offer(struct outlet *outlet, uint64_t depth);

void outlet_job(struct outlet *outlet, struct delivery *delivery);

/* A job came on our credit that could not be taken. */
void outlet_refused(struct outlet *outlet);

/* Looks at everything once: called when a gate changed and every second. */
void outlet_run(struct outlet *outlet);

/* Credit counts from 0 again: the router greeted us anew. */
void outlet_void_credit(struct outlet *outlet);

/* Hands back what was not begun; takes and asks for nothing more. */
void outlet_retire(struct outlet *outlet);

/* No job, no connection. */
bool outlet_is_empty(const struct outlet *outlet);

/* Since when it is empty and the router has nothing for it; 0: it is not. */
uint64_t outlet_quiet_since_ms(const struct outlet *outlet);

/* A reload: the source and the limits are now those of `conf`. False, and
 * nothing is changed, when the source is not in it any more or has another
 * address. */
bool outlet_reconf(struct outlet *outlet, struct conf *conf);

/* The outlet of a link in the ground's `waiting`. */
struct outlet *outlet_waiting(struct list *link);

/* Which outlet it is. */
uint32_t outlet_lane(const struct outlet *outlet);
struct link *outlet_router(const struct outlet *outlet);
const struct conf_source *outlet_source(const struct outlet *outlet);

#endif
