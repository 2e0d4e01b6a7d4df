/*
 * delivery.h - one job from its JOB frame to its RESULT.
 *
 * A frame lives only while its handler runs, so a delivery copies it, and the
 * body, into an arena of its own. Deliveries are used again: a small job costs
 * no allocation once the worker is warm.
 */
#ifndef WORKERS_SITES_DELIVERY_H
#define WORKERS_SITES_DELIVERY_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/list.h"
#include "common/base/slice.h"
#include "common/proto/wire.h"
#include "workers/lanes/link.h"
#include "workers/smtp/dialog.h"
#include "workers/smtp/fit.h"

struct delivery {
    struct list link;
    struct list held; /* in the list of all deliveries of its router */
    struct link *router;
    struct wire_job job; /* slices into the arena */
    struct slice body;   /* likewise; as it was taken */
    struct transaction dialog;
    struct fitted
        fitted;         /* what is said in their place, where they do not fit */
    struct buf text;    /* for it; else empty */
    uint64_t route_key; /* of its MX hosts: who can share a connection */
    uint64_t queued_ms; /* loop's clock */
    uint64_t started_utc_ms;
    struct arena arena;
};

struct deliveries; /* those that wait to be used again */

struct deliveries *deliveries_new(void) must_check;
void deliveries_free(struct deliveries **deliveries);

/* NULL when the frame is too large for us, does not decode twice, or has no
 * recipient or not the body that it tells of. */
struct delivery *delivery_take(struct deliveries *deliveries, struct slice head,
                               struct slice body) must_check;

/* Makes the transaction one that the server can take. False: it never can, and
 * then it is over, with the outcomes that say so. To be called anew for each
 * server that the job is given to. */
bool delivery_fit(struct delivery *delivery, const struct ehlo *peer,
                  enum fit_rule rule) must_check;

/* Back to the others; it must be in no list. */
void delivery_put(struct deliveries *deliveries, struct delivery *delivery);

/* One key for each list of hosts. */
uint64_t delivery_route_key(const struct wire_job *job);

#endif
