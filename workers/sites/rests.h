/*
 * rests.h - routes on which no connection came about, and how long to leave
 * them alone.
 *
 * A route is the MX host set of a job. One that failed rests, longer each time
 * it fails again after its rest, until a connection succeeds. Bounded: of too
 * many routes the one that failed longest ago is forgotten.
 *
 * Pure; times are milliseconds of the loop's clock.
 */
#ifndef WORKERS_SITES_RESTS_H
#define WORKERS_SITES_RESTS_H

#include <stdint.h>

#include "common/base/list.h"
#include "common/proto/verdict.h"

#define REST_MIN_MS 1000u
#define REST_MAX_MS 300000u
#define RESTS_MAX   64u

struct rests {
    struct list list; /* the latest failure first */
    uint32_t count;
};

void rests_init(struct rests *rests);
void rests_release(struct rests *rests);

/* The route failed. While it rests this changes nothing: connections that were
 * opened together fail together. */
void rests_add(struct rests *rests, uint64_t route_key,
               const struct verdict *why, uint64_t now_ms);

/* Why the route rests; NULL when it does not. Lives until the next change. */
const struct verdict *rests_find(const struct rests *rests, uint64_t route_key,
                                 uint64_t now_ms);

/* A connection of the route succeeded. */
void rests_forget(struct rests *rests, uint64_t route_key);

#endif
