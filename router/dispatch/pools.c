/* pools.c - which pools have a live source. */
#include "router/dispatch/pools.h"

#include "common/base/mem.h"

void pools_init(struct pools *pools)
{
    *pools = (struct pools){ 0 };
}

void pools_release(struct pools *pools)
{
    for (size_t i = 0; i < pools->count; i++)
        mem_free(pools->items[i].sources);
    mem_free(pools->items);
    pools_init(pools);
}

void pools_reconf(struct pools *pools, const struct conf *conf,
                  struct workers *workers, uint64_t now_ms)
{
    const uint32_t epoch = pools->epoch;
    pools_release(pools);
    pools->conf = conf;
    pools->epoch = epoch + 1;
    pools->count = conf->pool_count;
    pools->items = mem_new(conf->pool_count + 1, sizeof *pools->items);
    for (size_t i = 0; i < conf->pool_count; i++) {
        const struct conf_pool *pool = &conf->pools[i];
        struct pool_view *view = &pools->items[i];
        view->lost_ms = now_ms;
        view->sources = mem_new(pool->member_count, sizeof *view->sources);
        for (size_t j = 0; j < pool->member_count; j++)
            view->sources[j] = names_number(
                &workers->sources, slice_text(pool->members[j].source->name));
    }
}

bool pools_serves(const struct pools *pools, const struct conf_pool *pool,
                  const struct worker *worker)
{
    const struct pool_view *view = &pools->items[pool->index];
    for (size_t i = 0; i < pool->member_count; i++)
        if (worker_has_source(worker, view->sources[i]))
            return true;
    return false;
}

static bool is_served(const struct pools *pools, const struct conf_pool *pool,
                      const struct workers *workers)
{
    list_each (link, &workers->all) {
        const struct worker *worker = container_of(link, struct worker, link);
        if (!worker->draining && pools_serves(pools, pool, worker))
            return true;
    }
    return false;
}

void pools_update(struct pools *pools, const struct workers *workers,
                  uint64_t grace_ms, uint64_t now_ms)
{
    for (size_t i = 0; i < pools->count; i++) {
        struct pool_view *view = &pools->items[i];
        view->served = is_served(pools, &pools->conf->pools[i], workers);
        if (view->served)
            view->lost_ms = now_ms;
        const bool given_up =
            !view->served && now_ms >= view->lost_ms + grace_ms;
        if (given_up != view->given_up)
            pools->epoch++;
        view->given_up = given_up;
    }
}

uint32_t pools_weight(const struct pools *pools, const struct conf_pool *pool,
                      uint32_t source)
{
    const struct pool_view *view = &pools->items[pool->index];
    for (size_t i = 0; i < pool->member_count; i++)
        if (view->sources[i] == source)
            return pool->members[i].weight > 0 ? pool->members[i].weight : 1;
    return 0;
}

const struct conf_pool *pools_for_route(const struct pools *pools,
                                        const struct conf_route *route)
{
    for (const struct conf_route *at = route; at; at = at->fallback)
        if (!pools->items[at->pool->index].given_up)
            return at->pool;
    return route->pool;
}
