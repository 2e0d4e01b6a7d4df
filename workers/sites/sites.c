/* sites.c - all that a worker sends, by lane and source. */
#include "workers/sites/sites.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "workers/sites/carrier.h"
#include "workers/sites/outlet.h"

#define TICK_MS    SECONDS_MS(1)
#define QUIET_MS   MINUTES_MS(10) /* an outlet is kept for so long */
#define QUIET_MANY 256u           /* that are worth to count credit anew */

struct retired {
    struct list link;
    struct outlet *outlet;
};

struct sites {
    struct outlet_ground *ground;
    struct conf *conf;
    struct table outlets;  /* by key_of() */
    struct list retired;   /* in no table */
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

static uint64_t key_of_outlet(const struct outlet *outlet)
{
    return key_of(outlet_router(outlet), outlet_lane(outlet),
                  outlet_source(outlet));
}

static struct outlet *find(const struct sites *sites, const struct link *router,
                           uint32_t lane, const struct conf_source *source)
{
    return table_get(&sites->outlets, key_of(router, lane, source));
}

/* A source behind a proxy is held by all who may use that. */
static bool may_use_proxy(const struct conf_texts *workers, const char *name)
{
    for (size_t i = 0; i < workers->count; i++)
        if (strcmp(workers->items[i], name) == 0)
            return true;
    return workers->count == 0;
}

static bool is_held(const struct sites *sites, const struct conf_source *source)
{
    if (source->proxy.kind != CONF_PROXY_NONE)
        return may_use_proxy(&source->proxy_workers, sites->ground->worker);
    struct addr addr;
    return addr_of_ip(slice_text(source->address), 0, &addr)
           && addr_is_local(&addr);
}

static bool have_source(const struct sites *sites, const char *name)
{
    for (size_t i = 0; i < sites->source_count; i++)
        if (slice_equal(sites->sources[i], slice_text(name)))
            return true;
    return false;
}

static void free_retired(struct retired *retired)
{
    list_remove(&retired->link);
    outlet_free(&retired->outlet);
    mem_free(retired);
}

static void retire(struct sites *sites, struct outlet *outlet)
{
    struct retired *retired = NEW(struct retired);
    retired->outlet = outlet;
    list_push_back(&sites->retired, &retired->link);
    outlet_retire(outlet);
}

typedef bool keep_fn(void *context, struct outlet *outlet);

/* Retires the outlets that need not be kept; the others get their key anew. */
static void sift(struct sites *sites, keep_fn *keep, void *context)
{
    struct table before = sites->outlets;
    table_init(&sites->outlets);
    size_t at = 0;
    for (struct outlet *outlet; (outlet = table_next(&before, &at));) {
        if (keep(context, outlet))
            table_put(&sites->outlets, key_of_outlet(outlet), outlet);
        else
            retire(sites, outlet);
    }
    table_release(&before);
}

static bool is_source_here(void *context, struct outlet *outlet)
{
    return have_source(context, outlet_source(outlet)->name);
}

static bool find_sources(struct sites *sites)
{
    const struct conf *conf = sites->conf;
    struct slice *found = mem_new(conf->source_count, sizeof *found);
    size_t count = 0;
    for (size_t i = 0; i < conf->source_count; i++)
        if (is_held(sites, &conf->sources[i]))
            found[count++] = slice_text(conf->sources[i].name);

    bool is_same = count == sites->source_count;
    for (size_t i = 0; is_same && i < count; i++)
        is_same = slice_equal(found[i], sites->sources[i]);
    mem_free(sites->sources);
    sites->sources = found;
    sites->source_count = count;
    return !is_same;
}

bool sites_find_sources(struct sites *sites)
{
    if (!find_sources(sites))
        return false;
    sift(sites, is_source_here, sites);
    return true;
}

struct wire_texts sites_sources(const struct sites *sites)
{
    return (struct wire_texts){ sites->sources, sites->source_count };
}

static bool is_quiet(const struct sites *sites, const struct outlet *outlet)
{
    uint64_t since_ms = outlet_quiet_since_ms(outlet);
    return since_ms > 0
           && loop_now_ms(sites->ground->loop) - since_ms >= QUIET_MS;
}

static bool is_needed(void *context, struct outlet *outlet)
{
    if (!is_quiet(context, outlet))
        return true;
    link_greet(outlet_router(outlet));
    return false;
}

static void run_all(struct sites *sites)
{
    size_t at = 0;
    size_t quiet = 0;
    for (struct outlet *outlet; (outlet = table_next(&sites->outlets, &at));) {
        outlet_run(outlet);
        quiet += is_quiet(sites, outlet);
    }
    if (quiet >= QUIET_MANY)
        sift(sites, is_needed, sites);
}

static void run_retired(struct sites *sites)
{
    list_each (at, &sites->retired) {
        struct retired *retired = container_of(at, struct retired, link);
        outlet_run(retired->outlet);
        if (outlet_is_empty(retired->outlet))
            free_retired(retired);
    }
}

static void tick(void *context)
{
    struct sites *sites = context;
    run_all(sites);
    run_retired(sites);
    timer_set(sites->tick, loop_now_ms(sites->ground->loop) + TICK_MS);
}

/* Each puts itself back when it still waits, behind those of this round. */
static void wake(void *context)
{
    struct list *waiting = &((struct outlet_ground *)context)->waiting;
    struct list round;
    list_init(&round);
    for (struct list *at; (at = list_take(waiting));)
        list_push_back(&round, at);
    for (struct list *at; (at = list_take(&round));)
        outlet_run(outlet_waiting(at));
}

void sites_wake(struct sites *sites)
{
    defer_set(sites->ground->wake);
}

struct sites *sites_new(struct outlet_ground *ground, struct conf *conf)
{
    struct sites *sites = NEW(struct sites);
    sites->ground = ground;
    sites->conf = conf_hold(conf);
    table_init(&sites->outlets);
    list_init(&sites->retired);
    list_init(&sites->held);
    ground->deliveries = deliveries_new();
    table_init(&ground->berths);
    list_init(&ground->waiting);
    ground->traces = traces_new(ground->loop);
    ground->absent = absent_new();
    ground->wake = defer_new(ground->loop, wake, ground);
    (void)find_sources(sites);
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
        outlet_free(&outlet);
    table_release(&held->outlets);
    list_each (link, &held->retired)
        free_retired(container_of(link, struct retired, link));
    defer_free(&held->ground->wake);
    traces_free(&held->ground->traces);
    absent_free(&held->ground->absent);
    table_release(&held->ground->berths);
    deliveries_free(&held->ground->deliveries);
    timer_free(&held->tick);
    mem_free(held->sources);
    conf_release(&held->conf);
    mem_free(held);
}

static struct outlet *find_or_open(struct sites *sites, struct link *router,
                                   const struct wire_offer *offer,
                                   const struct conf_source *source)
{
    struct outlet *outlet = find(sites, router, offer->lane, source);
    if (outlet)
        return outlet;
    outlet = outlet_new(&(struct outlet_options){
        .passage = {
            .ground = sites->ground,
            .conf = sites->conf,
            .source = source,
            .pool = offer->pool,
            .site = offer->site,
            .domain = offer->domain,
            .provider = offer->provider,
        },
        .router = router,
        .lane = offer->lane,
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
                offer);
}

void sites_job(struct sites *sites, struct link *router,
               const struct wire_job *job, struct slice head, struct slice body)
{
    const struct conf_source *source = conf_source(sites->conf, job->source);
    struct outlet *outlet =
        source ? find(sites, router, job->lane, source) : NULL;
    struct delivery *delivery = NULL;
    if (outlet && !link_is_full(router))
        delivery = delivery_take(sites->ground->deliveries, head, body);
    if (delivery) {
        delivery->router = router;
        list_push_back(&sites->held, &delivery->held);
        outlet_job(outlet, delivery);
        return;
    }
    log_line(LOG_WARNING, "job_refused", "lease=%" PRIu64, job->lease);
    link_handback(router, job->lease, "unknown");
    if (outlet)
        outlet_refused(outlet);
}

void sites_trace(struct sites *sites, struct link *router,
                 const struct wire_trace *trace)
{
    traces_hear(sites->ground->traces, router, trace);
}

static bool is_of_another(void *context, struct outlet *outlet)
{
    return outlet_router(outlet) != context;
}

void sites_lost(struct sites *sites, struct link *router)
{
    sift(sites, is_of_another, router);
}

void sites_stalled(struct sites *sites, struct link *router)
{
    list_each (at, &sites->held) {
        struct delivery *delivery = container_of(at, struct delivery, held);
        if (delivery->router == router)
            carrier_let_go(delivery);
    }
}

void sites_renewed(struct sites *sites, struct link *router)
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

static bool takes_conf(void *context, struct outlet *outlet)
{
    return outlet_reconf(outlet, context);
}

void sites_reconf(struct sites *sites, struct conf *conf)
{
    struct conf *before = sites->conf;
    sites->conf = conf_hold(conf);
    sift(sites, takes_conf, conf);
    (void)sites_find_sources(sites); /* they still point into the old one */
    conf_release(&before);
}

static bool none_is_kept(void *context, struct outlet *outlet)
{
    (void)context;
    (void)outlet;
    return false;
}

void sites_drain(struct sites *sites)
{
    sites->ground->is_draining = true;
    sift(sites, none_is_kept, NULL);
}

void sites_resume(struct sites *sites)
{
    sites->ground->is_draining = false;
}

bool sites_is_empty(const struct sites *sites)
{
    return list_is_empty(&sites->held);
}
