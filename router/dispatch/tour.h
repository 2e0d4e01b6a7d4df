/*
 * tour.h - the ids of queued messages, to go through them in many turns.
 *
 * A tour is over the ids that there were when it began. Messages may end
 * meanwhile, and others come: an id that is not found any more is passed over.
 * The order is none that means anything.
 */
#ifndef ROUTER_DISPATCH_TOUR_H
#define ROUTER_DISPATCH_TOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "router/actions/filter.h"
#include "router/lanes/lanes.h"

struct tour {
    uint64_t *ids;
    size_t count;
    size_t size;
    size_t at; /* the next one */
};

/* Messages made until `last_utc_ms` that the filter may mean: those it names,
 * or all. */
void tour_begin(struct tour *tour, const struct lanes *lanes,
                const struct filter *filter, uint64_t last_utc_ms);
void tour_release(struct tour *tour);

void tour_add(struct tour *tour, uint64_t id);

/* False at the end. */
bool tour_next(struct tour *tour, uint64_t *id);

#endif
