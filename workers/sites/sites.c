/* sites.c - all that a worker sends, by lane and source. */
#include "workers/sites/sites.h"

#include <inttypes.h>

#include "common/base/mem.h"
#include "common/base/table.h"
#include "common/base/time.h"
#include "common/edge/log.h"

#define TICK_MS SECONDS_MS(1)

/* An outlet, and the lane's number of a router's boot that it stands for. */
struct sites {
    struct outlet_ground *ground;
    struct conf *conf;
    struct table outlets;  /* by key_of() */
    struct list held;      /* all deliveries, of all routers */
    struct slice *sources; /* names of those bound here */
    size_t source_count;
    struct timer *tick;
};

/* Routers are few and told apart by address; a lane's number is its router's. */
static uint64_t key_of(const struct link *router, uint32_t lane,
                       const struct conf_source *source)
{
    uint64_t key = (uint64_t)(uintptr_t)router * 0x9e3779b97f4a7c15u;
    return key ^ ((uint64_t)source->index << 32) ^ lane;
}

static struct outlet *find(const struct sites *sites, const struct link *router,
                           uint32_t lane, const struct conf_source *source)
{
    return table_get(&sites->outlets, key_of(router, lane, source));
}

/* The key of a retired outlet: one that no source of the config has. */
static uint64_t key_aside(const struct outlet *outlet)
{
    return (uint64_t)(uintptr_t)outlet;
}

static bool is_bound(const struct conf_source *source)
{
    struct addr addr;
    return addr_of_ip(slice_text(source->address), 0, &addr)
           && addr_is_local(&addr);
}

bool sites_find_sources(struct sites *sites)
{
    const struct conf *conf = sites->conf;
    struct slice *found = mem_new(conf->source_count, sizeof *found);
    size_t count = 0;
    for (size_t i = 0; i < conf->source_count; i++)
        if (is_bound(&conf->sources[i]))
            found[count++] = slice_text(conf->sources[i].name);

    bool is_same = count == sites->source_count;
    for (size_t i = 0; is_same && i < count; i++)
        is_same = slice_equal(found[i], sites->sources[i]);
    mem_free(sites->sources);
    sites->sources = found;
    sites->source_count = count;
    return !is_same;
}

struct wire_texts sites_sources(const struct sites *sites)
{
    return (struct wire_texts){ sites->sources, sites->source_count };
}

/* Here alone outlets end: nobody is in the middle of one. */
static struct outlet *find_ended(const struct sites *sites)
{
    size_t at = 0;
    for (struct outlet *outlet; (outlet = table_next(&sites->outlets, &at));)
        if (outlet_is_retired(outlet) && outlet_is_empty(outlet))
            return outlet;
    return NULL;
}

static void tick(void *context)
{
    struct sites *sites = context;
    sites_run(sites);
    for (struct outlet *ended; (ended = find_ended(sites));) {
        (void)table_take(&sites->outlets, key_aside(ended));
        outlet_free(&ended, false);
    }
    timer_set(sites->tick, loop_now_ms(sites->ground->loop) + TICK_MS);
}

struct sites *sites_new(struct outlet_ground *ground, struct conf *conf)
{
    struct sites *sites = NEW(struct sites);
    sites->ground = ground;
    sites->conf = conf_hold(conf);
    table_init(&sites->outlets);
    list_init(&sites->held);
    ground->deliveries = deliveries_new();
    (void)sites_find_sources(sites);
    sites->tick = timer_new(ground->loop, tick, sites);
    timer_set(sites->tick, loop_now_ms(ground->loop) + TICK_MS);
    return sites;
}

void sites_free(struct sites **sites)
{
    struct sites *held = steal(*sites);
    if (!held)
        return;
    size_t at = 0;
    for (struct outlet *outlet; (outlet = table_next(&held->outlets, &at));)
        outlet_free(&outlet, false);
    table_release(&held->outlets);
    deliveries_free(&held->ground->deliveries);
    timer_free(&held->tick);
    mem_free(held->sources);
    conf_release(&held->conf);
    mem_free(held);
}

static bool have_source(const struct sites *sites, const char *name)
{
    for (size_t i = 0; i < sites->source_count; i++)
        if (slice_equal(sites->sources[i], slice_text(name)))
            return true;
    return false;
}

/* A restarted router counts its lanes anew: the number now means another. */
static void set_aside(struct sites *sites, struct outlet *outlet)
{
    (void)table_take(&sites->outlets,
                     key_of(outlet_router(outlet), outlet_lane(outlet),
                            outlet_source(outlet)));
    table_put(&sites->outlets, key_aside(outlet), outlet);
    outlet_retire(outlet);
}

static struct outlet *find_or_open(struct sites *sites, struct link *router,
                                   const struct wire_offer *offer,
                                   const struct conf_source *source)
{
    struct outlet *outlet = find(sites, router, offer->lane, source);
    if (outlet && slice_equal(outlet_site(outlet), offer->site))
        return outlet;
    if (outlet)
        set_aside(sites, outlet);
    outlet = outlet_new(&(struct outlet_options){
        .ground = sites->ground,
        .conf = sites->conf,
        .router = router,
        .lane = offer->lane,
        .site = offer->site,
        .domain = offer->domain,
        .provider = offer->provider,
        .source = source,
    });
    table_put(&sites->outlets, key_of(router, offer->lane, source), outlet);
    return outlet;
}

void sites_offer(struct sites *sites, struct link *router,
                 const struct wire_offer *offer)
{
    const struct conf_pool *pool = conf_pool(sites->conf, offer->pool);
    if (!pool) {
        struct log_quoted name = log_quote(offer->pool.ptr, offer->pool.len);
        log_line(LOG_WARNING, "pool_unknown", "pool=%s", name.text);
        return;
    }
    for (size_t i = 0; i < pool->member_count; i++)
        if (have_source(sites, pool->members[i].source->name))
            outlet_offer(
                find_or_open(sites, router, offer, pool->members[i].source),
                offer->depth);
}

void sites_job(struct sites *sites, struct link *router,
               const struct wire_job *job, struct slice head, struct slice body)
{
    const struct conf_source *source = conf_source(sites->conf, job->source);
    struct outlet *outlet =
        source ? find(sites, router, job->lane, source) : NULL;
    struct delivery *delivery =
        outlet ? delivery_take(sites->ground->deliveries, head, body) : NULL;
    if (!delivery) {
        log_line(LOG_WARNING, "job_refused", "lease=%" PRIu64, job->lease);
        link_handback(router, job->lease, "unknown");
        return;
    }
    delivery->router = router;
    list_push_back(&sites->held, &delivery->held);
    outlet_job(outlet, delivery);
}

void sites_lost(struct sites *sites, struct link *router)
{
    size_t at = 0;
    for (struct outlet *outlet; (outlet = table_next(&sites->outlets, &at));)
        if (outlet_router(outlet) == router)
            outlet_void_credit(outlet);
}

void sites_add_held(struct sites *sites, struct link *router, uint64_t *leases,
                    uint64_t *messages, size_t *count, size_t max)
{
    list_each (at, &sites->held) {
        const struct delivery *delivery =
            container_of(at, struct delivery, held);
        if (delivery->router != router || *count == max)
            continue;
        leases[*count] = delivery->job.lease;
        messages[(*count)++] = delivery->job.message;
    }
}

void sites_run(struct sites *sites)
{
    size_t at = 0;
    for (struct outlet *outlet; (outlet = table_next(&sites->outlets, &at));)
        outlet_run(outlet);
}

/* Indices of sources have changed: every outlet gets its new key. */
void sites_reconf(struct sites *sites, struct conf *conf)
{
    struct table outlets;
    table_init(&outlets);
    size_t at = 0;
    for (struct outlet *outlet; (outlet = table_next(&sites->outlets, &at));) {
        bool is_kept = outlet_reconf(outlet, conf);
        if (!is_kept && outlet_is_empty(outlet)) {
            outlet_free(&outlet, false);
            continue;
        }
        uint64_t key = is_kept
                           ? key_of(outlet_router(outlet), outlet_lane(outlet),
                                    outlet_source(outlet))
                           : key_aside(outlet);
        table_put(&outlets, key, outlet);
    }
    table_release(&sites->outlets);
    sites->outlets = outlets;
    struct conf *before = sites->conf;
    sites->conf = conf_hold(conf);
    conf_release(&before);
    (void)sites_find_sources(sites);
}

void sites_drain(struct sites *sites)
{
    sites->ground->is_draining = true;
    size_t at = 0;
    for (struct outlet *outlet; (outlet = table_next(&sites->outlets, &at));)
        outlet_drain(outlet);
}

bool sites_is_empty(const struct sites *sites)
{
    return list_is_empty(&sites->held);
}
