/* worker.c - all that one worker process runs. */
#include "workers/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/addr_watch.h"
#include "common/edge/dns.h"
#include "common/edge/log.h"
#include "common/edge/store.h"
#include "config/loader.h"
#include "workers/lanes/link.h"
#include "workers/limits/gate.h"
#include "workers/sites/sites.h"

#define STORE_TIMEOUT_MS SECONDS_MS(1)
#define SOURCES_WAIT_MS  SECONDS_MS(30) /* between looks for bound addresses */
#define DRAIN_WAIT_MS    SECONDS_MS(20) /* for jobs under way at the end */
#define DRAIN_LEAST_MS   200u /* for frames that cross, and the last to leave */
#define OWN_MAX          (16u << 20)

struct worker {
    const struct worker_options *options;
    struct conf *conf;
    struct loop *loop;
    struct dns *dns;
    struct store *store;
    struct outlet_ground ground;
    struct arena own; /* lists of our own addresses */
    struct sites *sites;
    struct link **links;
    size_t link_count;
    struct timer *look; /* for sources */
    struct addr_watch *addresses;
    struct timer *leave;
    uint64_t leave_at_ms;
    bool is_resting; /* an operator wants it so */
};

static void on_offer(void *context, struct link *link,
                     const struct wire_offer *offer)
{
    struct worker *worker = context;
    sites_offer(worker->sites, link, offer);
}

static void on_job(void *context, struct link *link, const struct wire_job *job,
                   struct slice head, struct slice body)
{
    struct worker *worker = context;
    sites_job(worker->sites, link, job, head, body);
}

static void on_share(void *context, uint32_t rank, uint32_t workers)
{
    struct worker *worker = context;
    gates_set_share(worker->ground.gates, rank, workers);
}

static void on_lost(void *context, struct link *link)
{
    struct worker *worker = context;
    sites_lost(worker->sites, link);
}

static void on_stalled(void *context, struct link *link)
{
    struct worker *worker = context;
    log_line(LOG_WARNING, "stalled", "worker=%s", worker->options->name);
    sites_stalled(worker->sites, link);
}

static void on_renewed(void *context, struct link *link)
{
    struct worker *worker = context;
    sites_renewed(worker->sites, link);
}

static void on_trace(void *context, struct link *link,
                     const struct wire_trace *trace)
{
    struct worker *worker = context;
    sites_trace(worker->sites, link, trace);
}

static void add_held(void *context, struct link *link, uint64_t *leases,
                     uint64_t *messages, size_t *count, size_t max)
{
    struct worker *worker = context;
    sites_add_held(worker->sites, link, leases, messages, count, max);
}

static struct wire_texts sources(void *context)
{
    struct worker *worker = context;
    return sites_sources(worker->sites);
}

static void reload(void *context);

static void rest(struct worker *worker)
{
    for (size_t i = 0; i < worker->link_count; i++)
        link_drain(worker->links[i]);
    sites_drain(worker->sites);
}

static void on_drain(void *context, bool is_over)
{
    struct worker *worker = context;
    if (worker->leave || worker->is_resting != is_over)
        return;
    worker->is_resting = !is_over;
    log_line(LOG_INFO, is_over ? "resumed" : "resting", "worker=%s",
             worker->options->name);
    if (!is_over) {
        rest(worker);
        return;
    }
    sites_resume(worker->sites);
    for (size_t i = 0; i < worker->link_count; i++)
        link_resume(worker->links[i]);
}

static const struct link_handlers handlers = {
    .on_offer = on_offer,
    .on_job = on_job,
    .on_share = on_share,
    .on_drain = on_drain,
    .on_lost = on_lost,
    .on_stalled = on_stalled,
    .on_renewed = on_renewed,
    .on_new_config = reload,
    .on_trace = on_trace,
    .add_held = add_held,
    .sources = sources,
};

static void gates_changed(void *context)
{
    struct worker *worker = context;
    if (worker->sites)
        sites_wake(worker->sites);
}

static void look_for_sources(void *context)
{
    struct worker *worker = context;
    if (sites_find_sources(worker->sites))
        for (size_t i = 0; i < worker->link_count; i++)
            link_greet(worker->links[i]);
    timer_set(worker->look, loop_now_ms(worker->loop) + SOURCES_WAIT_MS);
}

static enum rc open_store(struct worker *worker, struct fault *fault)
{
    const struct conf *conf = worker->conf;
    char url[CONF_REDIS_URL_SIZE];
    const struct store_place place = {
        .url = conf_redis_url(conf, url),
        .user = conf->state.user,
        .password_file = conf->state.password_file,
        .ca_file = conf->state.ca_file,
    };
    worker->store = store_new(worker->loop, &place, STORE_TIMEOUT_MS, fault);
    return worker->store ? RC_OK : RC_IO;
}

static enum rc open_dns(struct worker *worker, struct fault *fault)
{
    const struct conf_resolver *resolver = &worker->conf->resolver;
    struct addr addr;
    if (!addr_of_ip(slice_text(resolver->address.host), resolver->address.port,
                    &addr))
        return fault_set(fault, RC_SYNTAX, 0, "resolver %s is no address",
                         resolver->address.text);
    worker->dns = dns_new(worker->loop, &addr, resolver->timeout_ms,
                          resolver->tries, fault);
    return worker->dns ? RC_OK : RC_IO;
}

/* Where the platform itself listens: mail must not be delivered there. Lists of
 * before stay: connections that are being made look into them. */
static void list_own(struct worker *worker)
{
    const struct conf *conf = worker->conf;
    struct addr *own =
        arena_new(&worker->own, conf->listener_count, sizeof *own);
    size_t count = 0;
    for (size_t i = 0; own && i < conf->listener_count; i++) {
        const struct conf_endpoint *at = &conf->listeners[i].address;
        if (addr_of_ip(slice_text(at->host), at->port, &own[count]))
            count++;
    }
    if (!own) /* OWN_MAX: very many reloads */
        return;
    worker->ground.own = own;
    worker->ground.own_count = count;
}

static enum rc open_ground(struct worker *worker, struct fault *fault)
{
    struct outlet_ground *ground = &worker->ground;
    ground->loop = worker->loop;
    ground->worker = worker->options->name;
    ground->opportunistic = tls_client_context(false, NULL, fault);
    ground->verified = tls_client_context(true, NULL, fault);
    if (!ground->opportunistic || !ground->verified)
        return RC_IO;
    enum rc rc = open_dns(worker, fault);
    if (rc == RC_OK)
        rc = open_store(worker, fault);
    if (rc != RC_OK)
        return rc;
    ground->dns = worker->dns;
    const struct gates_options options = {
        .loop = worker->loop,
        .store = worker->store,
        .prefix = worker->options->conf->state.prefix,
        .worker = worker->options->name,
        .boot = worker->options->boot,
    };
    ground->gates = gates_new(&options, gates_changed, worker);
    list_own(worker);
    return RC_OK;
}

static enum rc join_routers(struct worker *worker, struct fault *fault)
{
    const struct conf *conf = worker->conf;
    worker->links = mem_new(conf->router_count, sizeof(struct link *));
    for (size_t i = 0; i < conf->router_count; i++) {
        const struct link_options options = {
            .loop = worker->loop,
            .conf = conf,
            .router = &conf->routers[i],
            .worker = worker->options->name,
            .boot = worker->options->boot,
            .handlers = &handlers,
            .context = worker,
        };
        worker->links[i] = link_new(&options, fault);
        if (!worker->links[i])
            return RC_IO;
        worker->link_count++;
    }
    return RC_OK;
}

struct conf *worker_load_conf(const char *path)
{
    struct conf_errors errors;
    struct conf *conf = NULL;
    conf_errors_init(&errors);
    if (conf_load_for(path, CONF_FILES_WORKER, &conf, &errors) != RC_OK)
        conf_errors_print(&errors, stderr);
    conf_errors_release(&errors);
    return conf;
}

/* Routers that came, went or moved need a restart of the worker: links are for
 * life. */
static bool has_our_routers(const struct worker *worker,
                            const struct conf *conf)
{
    const struct conf *ours = worker->conf;
    if (conf->router_count != ours->router_count)
        return false;
    for (size_t i = 0; i < conf->router_count; i++)
        if (strcmp(conf->routers[i].name, ours->routers[i].name) != 0
            || strcmp(conf->routers[i].bus, ours->routers[i].bus) != 0)
            return false;
    return true;
}

static void reload(void *context)
{
    struct worker *worker = context;
    struct conf *conf = worker_load_conf(worker->options->config_path);
    if (!conf || !has_our_routers(worker, conf)) {
        log_line(LOG_ERROR, "reload_refused", "config=%s why=%s",
                 worker->options->config_path, conf ? "routers" : "errors");
        conf_release(&conf);
        return;
    }
    struct conf *before = worker->conf;
    worker->conf = conf;
    for (size_t i = 0; i < worker->link_count; i++)
        link_reconf(worker->links[i], conf, &conf->routers[i]);
    list_own(worker);
    sites_reconf(worker->sites, conf);
    for (size_t i = 0; i < worker->link_count; i++)
        link_greet(worker->links[i]);
    conf_release(&before);
    log_line(LOG_INFO, "reloaded", "config=%s", worker->options->config_path);
}

static bool is_done(const struct worker *worker)
{
    if (!sites_is_empty(worker->sites))
        return false;
    for (size_t i = 0; i < worker->link_count; i++)
        if (link_kept(worker->links[i]) > 0)
            return false;
    return true;
}

static void try_to_leave(void *context)
{
    struct worker *worker = context;
    uint64_t now_ms = loop_now_ms(worker->loop);
    if (is_done(worker) || now_ms >= worker->leave_at_ms)
        loop_stop(worker->loop);
    else
        timer_set(worker->leave, now_ms + 20);
}

/* The second time: at once. What is under way is in doubt then. */
static void hear_stop(void *context)
{
    struct worker *worker = context;
    if (worker->leave) {
        loop_stop(worker->loop);
        return;
    }
    log_line(LOG_INFO, "draining", "worker=%s", worker->options->name);
    rest(worker);
    worker->leave_at_ms = loop_now_ms(worker->loop) + DRAIN_WAIT_MS;
    worker->leave = timer_new(worker->loop, try_to_leave, worker);
    timer_set(worker->leave, loop_now_ms(worker->loop) + DRAIN_LEAST_MS);
}

static enum rc open_all(struct worker *worker, struct fault *fault)
{
    enum rc rc = open_ground(worker, fault);
    if (rc != RC_OK)
        return rc;
    worker->sites = sites_new(&worker->ground, worker->conf);
    rc = join_routers(worker, fault);
    if (rc != RC_OK)
        return rc;
    /* Some containers have no netlink: then a move is found by the next look. */
    worker->addresses =
        addr_watch_new(worker->loop, look_for_sources, worker, fault);
    if (!worker->addresses)
        log_fault(LOG_WARNING, "addresses_not_watched", fault);
    worker->look = timer_new(worker->loop, look_for_sources, worker);
    timer_set(worker->look, loop_now_ms(worker->loop) + SOURCES_WAIT_MS);
    loop_on_signal(worker->loop, SIGTERM, hear_stop, worker);
    loop_on_signal(worker->loop, SIGINT, hear_stop, worker);
    loop_on_signal(worker->loop, SIGHUP, reload, worker);
    return RC_OK;
}

static void close_all(struct worker *worker)
{
    for (size_t i = 0; i < worker->link_count; i++)
        link_free(&worker->links[i]);
    mem_free(worker->links);
    sites_free(&worker->sites);
    gates_free(&worker->ground.gates);
    /* The slots given back leave before the link to Redis closes. */
    loop_turn(worker->loop);
    store_free(&worker->store);
    dns_free(&worker->dns);
    tls_context_release(&worker->ground.opportunistic);
    tls_context_release(&worker->ground.verified);
    addr_watch_free(&worker->addresses);
    timer_free(&worker->look);
    timer_free(&worker->leave);
    arena_release(&worker->own);
    loop_free(&worker->loop);
    conf_release(&worker->conf);
}

enum rc worker_run(const struct worker_options *options, struct fault *fault)
{
    struct worker worker = {
        .options = options,
        .conf = conf_hold(options->conf),
        .loop = loop_new(),
    };
    arena_init(&worker.own, OWN_MAX);
    enum rc rc = open_all(&worker, fault);
    if (rc == RC_OK) {
        log_line(LOG_INFO, "running", "worker=%s sources=%zu", options->name,
                 sites_sources(worker.sites).count);
        loop_run(worker.loop);
    }
    close_all(&worker);
    return rc;
}
