/* verify.c - what single settings cannot show: do they fit together? */
#include "config/verify.h"

#include "common/base/attr.h"
#include "common/base/chars.h"
#include "common/base/slice.h"

/* A Unix socket's path has 107 bytes; the names in run_dir need some. */
#define RUN_DIR_MAX 80

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static bool same_endpoint(const struct conf_endpoint *a,
                          const struct conf_endpoint *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static void verify_complaints(const struct conf *conf,
                              const struct conf_listener *listener,
                              struct conf_errors *errors)
{
    if (listener->complaints.count == 0)
        return;
    for (size_t i = 0; i < listener->complaints.count; i++)
        if (!strchr(listener->complaints.items[i], '@'))
            conf_errors_add(errors, listener->place,
                            "listener '%s': complaints takes addresses, not "
                            "'%s'",
                            listener->name, listener->complaints.items[i]);
    /* They would be taken as mail of the account, and sent to the address. */
    if (!listener->require_auth)
        conf_errors_add(errors, listener->place,
                        "listener '%s': complaints needs require_auth",
                        listener->name);
    /* Without one, whoever has a message of ours writes the fields of others. */
    if (!conf->classifier.feedback.key_file)
        conf_errors_add(errors, listener->place,
                        "listener '%s': complaints needs "
                        "classifier.feedback.key_file",
                        listener->name);
}

static void verify_listener(const struct conf *conf, size_t index,
                            struct conf_errors *errors)
{
    const struct conf_listener *listener = &conf->listeners[index];
    if (listener->tls != LISTENER_PLAIN && !conf->tls.certificate_file)
        conf_errors_add(errors, listener->place,
                        "listener '%s' offers TLS but tls.certificate is "
                        "missing",
                        listener->name);
    if (listener->tls == LISTENER_PLAIN && listener->require_auth
        && !listener->allow_auth_without_tls)
        conf_errors_add(errors, listener->place,
                        "listener '%s' has no TLS, so nobody could log in; "
                        "set tls, or allow_auth_without_tls = true",
                        listener->name);
    if (!listener->require_auth && !listener->account)
        conf_errors_add(errors, listener->place,
                        "listener '%s' takes mail without AUTH and needs an "
                        "account for it",
                        listener->name);
    if (listener->max_message_size > conf->max_incoming_memory)
        conf_errors_add(errors, listener->place,
                        "listener '%s': a message of max_message_size does "
                        "not fit max_incoming_memory",
                        listener->name);
    verify_complaints(conf, listener, errors);
    for (size_t i = 0; i < index; i++)
        if (same_endpoint(&listener->address, &conf->listeners[i].address))
            conf_errors_add(errors, listener->place,
                            "listener '%s' has the address of '%s'",
                            listener->name, conf->listeners[i].name);
}

static void verify_tls(const struct conf *conf, struct conf_errors *errors)
{
    const struct conf_tls *tls = &conf->tls;
    if (!tls->certificate_file != !tls->key_file)
        conf_errors_add(errors, tls->place,
                        "tls needs certificate and key, not one of them");
    for (size_t i = 0; i < conf->listener_count; i++)
        verify_listener(conf, i, errors);
}

static void verify_accounts(const struct conf *conf, struct conf_errors *errors)
{
    for (size_t i = 0; i < conf->account_count; i++)
        if (conf->accounts[i].from_domains.count == 0)
            conf_errors_add(errors, conf->accounts[i].place,
                            "account '%s' has no from_domains: it could not "
                            "send",
                            conf->accounts[i].name);
    for (size_t i = 0; i < conf->account_count; i++)
        if (conf->accounts[i].max_message_size > conf->max_incoming_memory)
            conf_errors_add(errors, conf->accounts[i].place,
                            "account '%s': a message of max_message_size does "
                            "not fit max_incoming_memory",
                            conf->accounts[i].name);
}

/* What Gmail takes as the sender's part of a Feedback-ID. */
static bool is_feedback_id(struct slice text)
{
    bool is_good = text.len >= 5 && text.len <= 15;
    for (size_t i = 0; i < text.len; i++)
        is_good &= char_is(text.ptr[i], CHAR_LDH)
                   || slice_find(SLICE("._"), text.ptr[i]) < 2;
    return is_good;
}

static void verify_feedback_ids(const struct conf *conf,
                                struct conf_errors *errors)
{
    for (size_t i = 0; i < conf->account_count; i++) {
        const struct conf_account *account = &conf->accounts[i];
        if (account->feedback_id
            && !is_feedback_id(slice_text(account->feedback_id)))
            conf_errors_add(errors, account->place,
                            "account '%s': feedback_id takes 5 to 15 letters, "
                            "digits, . _ or -",
                            account->name);
    }
}

/* Follows the fallbacks; a walk longer than the list of routes is a cycle. It
 * is told at each route that lies on it. */
static void verify_fallback(const struct conf *conf,
                            const struct conf_route *route,
                            struct conf_errors *errors)
{
    const struct conf_route *at = route->fallback;
    for (size_t i = 0; at && at != route && i < conf->route_count; i++)
        at = at->fallback;
    if (at == route)
        conf_errors_add(errors, route->place,
                        "the fallbacks of route '%s' lead back to it",
                        route->name);
}

static void verify_routes(const struct conf *conf, struct conf_errors *errors)
{
    for (size_t i = 0; i < conf->route_count; i++) {
        const struct conf_route *route = &conf->routes[i];
        verify_fallback(conf, route, errors);
        for (size_t j = 0; j < route->match_count; j++) {
            const struct conf_match *match = &route->matches[j];
            if (!match->stream && !match->account && !match->tenant
                && !match->sender_domain && !match->recipient_domain
                && !match->header)
                conf_errors_add(errors, match->place,
                                "a match of route '%s' has no condition and "
                                "would take all mail",
                                route->name);
        }
    }
}

static void verify_pool(const struct conf_pool *pool,
                        struct conf_errors *errors)
{
    if (pool->member_count == 0)
        conf_errors_add(errors, pool->place, "pool '%s' has no sources",
                        pool->name);
    for (size_t i = 0; i < pool->member_count; i++)
        for (size_t j = 0; j < i; j++)
            if (pool->members[i].source == pool->members[j].source)
                conf_errors_add(errors, pool->place,
                                "pool '%s' has the source '%s' twice",
                                pool->name, pool->members[i].source->name);
}

static void verify_proxy(const struct conf_source *source,
                         struct conf_errors *errors)
{
    if (source->proxy_login_file && source->proxy.kind != CONF_PROXY_SOCKS5)
        conf_errors_add(errors, source->place,
                        "source '%s': proxy_login_file is for a proxy "
                        "\"socks5://...\"",
                        source->name);
    if (source->proxy_workers.count > 0
        && source->proxy.kind == CONF_PROXY_NONE)
        conf_errors_add(errors, source->place,
                        "source '%s': proxy_workers without proxy",
                        source->name);
}

static void verify_families(const struct conf_source *source,
                            struct conf_errors *errors)
{
    if (source->address6
        && (!strchr(source->address6, ':') || strchr(source->address, ':')))
        conf_errors_add(errors, source->place,
                        "source '%s': with address6 that is IPv6, and address "
                        "IPv4",
                        source->name);
}

/* The address that both have, or NULL. */
static const char *same_address(const struct conf_source *one,
                                const struct conf_source *other)
{
    const char *const ones[] = { one->address, one->address6 };
    const char *const others[] = { other->address, other->address6 };
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++)
            if (ones[i] && others[j] && strcmp(ones[i], others[j]) == 0)
                return ones[i];
    return NULL;
}

static void verify_distinct(const struct conf_source *source,
                            const struct conf_source *earlier,
                            struct conf_errors *errors)
{
    const char *address = same_address(source, earlier);
    if (address)
        conf_errors_add(errors, source->place,
                        "source '%s' has the address of '%s', %s", source->name,
                        earlier->name, address);
}

static void verify_sources(const struct conf *conf, struct conf_errors *errors)
{
    if (conf->source_count == 0)
        conf_errors_add(errors, (struct conf_place){ "sources", 0 },
                        "the list is empty: mail has nowhere to leave from");
    for (size_t i = 0; i < conf->source_count; i++)
        for (size_t j = 0; j < i; j++)
            verify_distinct(&conf->sources[i], &conf->sources[j], errors);
    for (size_t i = 0; i < conf->source_count; i++) {
        verify_proxy(&conf->sources[i], errors);
        verify_families(&conf->sources[i], errors);
    }
    for (size_t i = 0; i < conf->pool_count; i++)
        verify_pool(&conf->pools[i], errors);
}

static void verify_receivers(const struct conf *conf,
                             struct conf_errors *errors)
{
    for (size_t i = 0; i < conf->provider_count; i++)
        if (conf->providers[i].mx.count + conf->providers[i].domains.count == 0)
            conf_errors_add(errors, conf->providers[i].place,
                            "provider '%s' needs mx or domains",
                            conf->providers[i].name);
    for (size_t i = 0; i < conf->limits_count; i++) {
        const struct conf_limits *entry = &conf->limits[i];
        if (entry->domain && entry->provider)
            conf_errors_add(errors, entry->place,
                            "an entry of limits is about a domain or a "
                            "provider, not both");
        for (size_t j = 0; j < i; j++)
            if (entry->scope == conf->limits[j].scope
                && strcmp(entry->name, conf->limits[j].name) == 0)
                conf_errors_add(errors, entry->place,
                                "limits for '%s' are there twice, first at "
                                "%s:%u",
                                entry->name, conf->limits[j].place.file,
                                conf->limits[j].place.line);
    }
}

/* What is unsure, bulk, personal or of systems must not be sent where only
 * proven mail goes; where there is but one stream there is no other. */
static void verify_mapping(const struct conf *conf, struct conf_errors *errors)
{
    const struct conf_classifier *classifier = &conf->classifier;
    const struct {
        const char *name;
        const struct conf_stream *stream;
    } rows[] = {
        { "neutral", classifier->streams[CLASS_NEUTRAL] },
        { "bulk", classifier->streams[CLASS_BULK] },
        { "personal", classifier->personal },
        { "system", classifier->system },
    };
    bool has_other = false;
    for (size_t i = 0; i < conf->stream_count; i++)
        has_other |= conf->streams[i].class != CLASS_TRANSACTIONAL;
    for (size_t i = 0; has_other && i < ARRAY_LEN(rows); i++)
        if (rows[i].stream && rows[i].stream->class == CLASS_TRANSACTIONAL)
            conf_errors_add(errors, classifier->place,
                            "%s mail would go to stream '%s', whose class is "
                            "transactional: it would be protected unproven",
                            rows[i].name, rows[i].stream->name);
}

static void verify_rules(const struct conf *conf, struct conf_errors *errors)
{
    verify_mapping(conf, errors);
    if (conf->stream_count == 0)
        conf_errors_add(errors, conf->classifier.place,
                        "streams is empty: mail could not be classified");
    for (size_t i = 0; i < conf->classifier.rule_count; i++) {
        const struct conf_rule *rule = &conf->classifier.rules[i];
        if (!rule->account && !rule->header && !rule->sender)
            conf_errors_add(errors, rule->place,
                            "rule '%s' has no condition and would declare "
                            "all mail",
                            rule->name);
    }
}

static void verify_guard(const struct conf *conf, struct conf_errors *errors)
{
    const struct conf_classifier *classifier = &conf->classifier;
    if (classifier->probation.tenant < classifier->probation.recipients)
        conf_errors_add(errors, classifier->place,
                        "probation.tenant is less than probation.recipients: "
                        "no template could use its own budget");
    if (classifier->trip.recipients < classifier->probation.recipients)
        conf_errors_add(errors, classifier->place,
                        "trip.recipients is less than probation.recipients: "
                        "templates would trip within their budget");
    if (classifier->feedback.complaints == 0
        || classifier->feedback.hard_bounces == 0)
        conf_errors_add(errors, classifier->place,
                        "feedback of 0%% would end the trust of every "
                        "template");
}

/* tcp://IP:PORT; a name or '*' could be anywhere. */
static bool leaves_host(const char *bus)
{
    return strncmp(bus, "ipc://", 6) != 0 && strncmp(bus, "tcp://127.", 10) != 0
           && strncmp(bus, "tcp://[::1]:", 12) != 0;
}

static void verify_bus(const struct conf *conf,
                       const struct conf_router *router,
                       struct conf_errors *errors)
{
    if (strncmp(router->bus, "ipc://", 6) != 0
        && strncmp(router->bus, "tcp://", 6) != 0) {
        conf_errors_add(errors, router->place,
                        "router '%s': the bus '%s' is neither ipc://PATH nor "
                        "tcp://IP:PORT",
                        router->name, router->bus);
        return;
    }
    if (!leaves_host(router->bus))
        return;
    const struct conf_bus *bus = &conf->bus;
    if (!bus->key_file || !bus->router_key || bus->workers.count == 0)
        conf_errors_add(errors, router->place,
                        "router '%s': the bus '%s' leaves this host and needs "
                        "bus.key_file, bus.router_key and bus.workers",
                        router->name, router->bus);
}

static void verify_routers(const struct conf *conf, struct conf_errors *errors)
{
    if (conf->router_count == 0)
        conf_errors_add(errors, (struct conf_place){ "routers", 0 },
                        "the list is empty");
    for (size_t i = 0; i < conf->router_count; i++) {
        const struct conf_router *router = &conf->routers[i];
        verify_bus(conf, router, errors);
        if (router->control.host && !is_loopback(router->control.host))
            conf_errors_add(errors, router->place,
                            "router '%s': control must be a loopback address; "
                            "put a TLS proxy before it",
                            router->name);
        for (size_t j = 0; j < i; j++) {
            const struct conf_router *other = &conf->routers[j];
            if (router->number == other->number)
                conf_errors_add(errors, router->place,
                                "router '%s' has the number of '%s'",
                                router->name, other->name);
            if (strcmp(router->bus, other->bus) == 0)
                conf_errors_add(errors, router->place,
                                "router '%s' has the bus of '%s'", router->name,
                                other->name);
        }
    }
    if (conf->bus.lease_ms < 3 * conf->bus.beat_ms)
        conf_errors_add(errors, conf->bus.place,
                        "bus.lease must be three times bus.beat at least");
}

static void verify_state(const struct conf *conf, struct conf_errors *errors)
{
    static const char *const schemes[] = { "redis://", "rediss://", "unix://",
                                           "sentinel://", "sentinels://" };
    struct slice redis = slice_text(conf->state.redis);
    bool is_known = slice_equal(redis, SLICE("private"));
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        is_known |= slice_starts_nocase(redis, slice_text(schemes[i]))
                    && redis.len > strlen(schemes[i]);
    if (!is_known)
        conf_errors_add(errors, conf->state.place,
                        "state.redis is neither \"private\" nor a URL: "
                        "redis://, rediss://, unix://, sentinel://, "
                        "sentinels://");
    if (slice_find(redis, '@') < redis.len)
        conf_errors_add(errors, conf->state.place,
                        "state.redis: user and password belong into "
                        "state.user and state.password_file, not into the "
                        "URL");
    if (conf->state.user && !conf->state.password_file)
        conf_errors_add(errors, conf->state.place,
                        "state.user needs state.password_file");
    if (strlen(conf->run_dir) > RUN_DIR_MAX)
        conf_errors_add(errors, (struct conf_place){ "run_dir", 0 },
                        "'%s' is longer than %d bytes, too long for Unix "
                        "sockets",
                        conf->run_dir, RUN_DIR_MAX);
}

static void verify_spool(const struct conf *conf, struct conf_errors *errors)
{
    const struct conf_spool *spool = &conf->spool;
    if (spool->hard_free > spool->min_free)
        conf_errors_add(errors, spool->place,
                        "spool.hard_free is above spool.min_free");
    if (spool->hard_free_inodes > spool->min_free_inodes)
        conf_errors_add(errors, spool->place,
                        "spool.hard_free_inodes is above "
                        "spool.min_free_inodes");
}

void verify_all(const struct conf *conf, struct conf_errors *errors)
{
    verify_tls(conf, errors);
    verify_accounts(conf, errors);
    verify_feedback_ids(conf, errors);
    verify_routes(conf, errors);
    verify_sources(conf, errors);
    verify_receivers(conf, errors);
    verify_rules(conf, errors);
    verify_guard(conf, errors);
    verify_routers(conf, errors);
    verify_state(conf, errors);
    verify_spool(conf, errors);
}
