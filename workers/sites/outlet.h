/*
 * outlet.h - one lane's mail leaving by one source: it asks the router for
 * jobs, and has them carried.
 *
 *     offer -> credit -> PULL        JOB -> carrier -> RESULT
 *
 * Jobs are asked for only when they can be sent now (credit.h): one for each
 * connection that is idle, here or with a lane that lends it (loans.h), or may
 * be opened, as many as become free while the router answers (pace.h), and as
 * many as the rate allows. What needs to leave before all else is asked for
 * beyond that, up to one for each connection of the source to the site,
 * whichever lane has it: the next one is for it. What becomes of a job is the
 * carrier's (carrier.h); what is permitted towards the site the passage's
 * (passage.h).
 *
 * While the carrier pauses nothing is asked for, and after that one job to see
 * whether the site is back; all others stay with the router meanwhile.
 */
#ifndef WORKERS_SITES_OUTLET_H
#define WORKERS_SITES_OUTLET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "config/conf.h"
#include "workers/sites/delivery.h"
#include "workers/sites/passage.h"

struct outlet;

struct outlet_options {
    struct passage_options passage;
    struct link *router;
    uint32_t lane;
};

struct outlet *outlet_new(const struct outlet_options *options) must_check;

/* Closes the connections at once and forgets the jobs. */
void outlet_free(struct outlet **outlet);

/* What the router has ready in the lane. */
void outlet_offer(struct outlet *outlet, const struct wire_offer *offer);

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
