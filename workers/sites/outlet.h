/*
 * outlet.h - one lane's mail leaving by one source: its connections, its jobs,
 * and the credit that asks the router for more.
 *
 *     credit -> JOB -> queue -> line (a channel) -> RESULT
 *
 * Jobs are asked for only when they can be sent now: for each connection that
 * is open or may be opened one job, and as many as the rate allows. A job goes
 * to a line that speaks with the job's own MX hosts; when there is none, one is
 * opened if the gate permits.
 *
 * A receiver that cannot be reached pauses the outlet, longer each time; the
 * jobs that found out are deferred, all others stay with the router meanwhile.
 */
#ifndef WORKERS_SITES_OUTLET_H
#define WORKERS_SITES_OUTLET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
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
    struct tls_context *opportunistic;
    struct tls_context *verified;
    const struct addr *own; /* where this platform listens */
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

/* Closes the connections at once; jobs not yet told are handed back when
 * `hand_back`, else forgotten. */
void outlet_free(struct outlet **outlet, bool hand_back);

/* The router has this many jobs ready in the lane. */
void outlet_offer(struct outlet *outlet, uint64_t depth);

void outlet_job(struct outlet *outlet, struct delivery *delivery);

/* Looks at everything once: called when a gate changed and every second. */
void outlet_run(struct outlet *outlet);

/* Credit of an earlier time is void: the router greeted us anew. */
void outlet_void_credit(struct outlet *outlet);

/* Hands back what was not begun, takes nothing more. */
void outlet_drain(struct outlet *outlet);

/* Sends what it has and asks for nothing more: its lane is no more. */
void outlet_retire(struct outlet *outlet);

/* Retired, or its source is gone: it can be freed once it is empty. */
bool outlet_is_retired(const struct outlet *outlet);

/* Nothing queued, nothing under way. */
bool outlet_is_empty(const struct outlet *outlet);

/* A reload: the source and the limits are now those of `conf`. False when the
 * source is not in it any more or has another address: then the outlet hands
 * back what it has queued and asks for nothing more. */
bool outlet_reconf(struct outlet *outlet, struct conf *conf);

/* Which outlet it is. */
struct slice outlet_site(const struct outlet *outlet);
uint32_t outlet_lane(const struct outlet *outlet);
const struct link *outlet_router(const struct outlet *outlet);
const struct conf_source *outlet_source(const struct outlet *outlet);

#endif
