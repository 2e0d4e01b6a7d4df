/*
 * pools.h - which pools have a live source, and where mail goes when one has
 * none.
 *
 * A pool is served while a worker that is not draining holds one of its
 * sources. One that is no longer served is given a lease time of grace; then
 * its mail takes the fallback of its route, or the fallback of that, until one
 * is served. Where none is, mail waits for its own pool. Pure.
 */
#ifndef ROUTER_DISPATCH_POOLS_H
#define ROUTER_DISPATCH_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "router/dispatch/workers.h"

struct pool_view {
    uint32_t *sources; /* numbers (workers->sources), as conf's members */
    bool served;
    bool given_up;    /* not served, and the grace is over */
    uint64_t lost_ms; /* when it was last served, or when we began */
};

struct pools {
    const struct conf *conf;
    struct pool_view *items; /* by the pool's index */
    size_t count;
    uint32_t epoch; /* grows when a pool is given up or comes back */
};

void pools_init(struct pools *pools);
void pools_release(struct pools *pools);

/* A new config; what was served a moment ago has its grace anew. */
void pools_reconf(struct pools *pools, const struct conf *conf,
                  struct workers *workers, uint64_t now_ms);

/* Looks at all workers; call it when one came or went, and now and then. */
void pools_update(struct pools *pools, const struct workers *workers,
                  uint64_t grace_ms, uint64_t now_ms);

/* Has the worker a source in the pool? */
bool pools_serves(const struct pools *pools, const struct conf_pool *pool,
                  const struct worker *worker);

/* Weight of a source in a pool; 0: it is not in it. */
uint32_t pools_weight(const struct pools *pools, const struct conf_pool *pool,
                      uint32_t source);

/* The pool that mail of this route goes to now. */
const struct conf_pool *pools_for_route(const struct pools *pools,
                                        const struct conf_route *route);

#endif
