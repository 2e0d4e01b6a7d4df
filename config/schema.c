/* schema.c - the top level of a config, and looking things up in the tables. */
#include "config/schema.h"

#include "common/base/attr.h"
#include "common/base/check.h"
#include "config/suggest.h"

#define LIST(member, counter)                                                  \
    .type = TYPE_LIST, .offset = offsetof(struct conf, member),                \
    .count_offset = offsetof(struct conf, counter)
#define GROUP(member)                                                          \
    .type = TYPE_GROUP, .offset = offsetof(struct conf, member)

static const char *const double_bounces[] = { "drop", "postmaster", NULL };

/* clang-format off */
static const struct schema_key root_keys[] = {
    { "host_name", TYPE_DOMAIN, AT(conf, host_name), .is_required = true,
      .foreign = "myhostname",
      .help = "Name of this platform: in Received, Message-ID and EHLO." },
    { "postmaster", TYPE_TEXT, AT(conf, postmaster),
      .otherwise = "postmaster@ and the host_name",
      .help = "Address that operators read." },
    { "double_bounce", TYPE_CHOICE, AT(conf, double_bounce),
      .initial = "drop", .choices = double_bounces,
      .foreign = "notify_classes",
      .help = "A report of ours that fails: drop it, with a line in the event "
              "log, or send it to the postmaster." },
    { "user", TYPE_TEXT, AT(conf, user), .otherwise = "stay who we are",
      .foreign = "run_as_user",
      .help = "System user to run as once the ports are bound." },
    { "run_dir", TYPE_PATH, AT(conf, run_dir), .initial = "/run/sendyard",
      .help = "Folder of the sockets, and of what a process leaves for its "
              "next life; best on a tmpfs." },
    { "workers", TYPE_COUNT, AT(conf, workers), .initial = "2", .min = 1,
      .max = 256, .help = "Worker processes that `sendyard serve` starts." },
    { "submission_threads", TYPE_COUNT, AT(conf, submission_threads),
      .initial = "2", .min = 1, .max = 256,
      .help = "Threads of the router that take mail in." },
    { "max_incoming_memory", TYPE_SIZE, AT(conf, max_incoming_memory),
      .initial = "512MB", .min = 1 << 20,
      .help = "Memory for messages that are coming in, all sessions together; "
              "beyond it they get 452." },
    { "retry", TYPE_SCHEDULE, AT(conf, retry),
      .initial = "5m,15m,30m,1h,2h,4h", .foreign = "retry_after",
      .help = "Waits before the second, third ... attempt; the last one "
              "repeats. The first of stream, route, limits (domain, provider, "
              "all) and this that gives one counts." },
    { "tls", GROUP(tls), .section = &schema_tls,
      .help = "Certificate of the listeners." },
    { "listeners", LIST(listeners, listener_count),
      .section = &schema_listeners, .foreign = "smtp_listener",
      .help = "Where mail is submitted." },
    { "tenants", LIST(tenants, tenant_count), .section = &schema_tenants,
      .help = "Customers; they share a lane fairly." },
    { "accounts", LIST(accounts, account_count), .section = &schema_accounts,
      .foreign = "smtp_user", .help = "Who may submit mail." },
    { "streams", LIST(streams, stream_count), .section = &schema_streams,
      .help = "Kinds of traffic." },
    { "routes", LIST(routes, route_count), .section = &schema_routes,
      .foreign = "virtual_mta", .help = "Where mail leaves." },
    { "pools", LIST(pools, pool_count), .section = &schema_pools,
      .foreign = "virtual_mta_pool", .help = "Weighted sets of sources." },
    { "sources", LIST(sources, source_count), .section = &schema_sources,
      .is_required = true, .foreign = "smtp_source_host",
      .help = "IP addresses that mail leaves from." },
    { "providers", LIST(providers, provider_count),
      .section = &schema_providers, .foreign = "mx_rollup_list",
      .help = "Receivers known by their MX hosts." },
    { "limits", LIST(limits, limits_count), .section = &schema_limits,
      .foreign = "domain", .help = "Limits and manners towards receivers." },
    { "classifier", GROUP(classifier), .section = &schema_classifier,
      .help = "How mail without a declared stream finds one." },
    { "spool", GROUP(spool), .section = &schema_spool,
      .help = "Where accepted mail is kept." },
    { "resolver", GROUP(resolver), .section = &schema_resolver,
      .foreign = "name_server", .help = "The DNS resolver." },
    { "state", GROUP(state), .section = &schema_state, .foreign = "redis",
      .help = "Redis, where workers share limits and backoff." },
    { "routers", LIST(routers, router_count), .section = &schema_routers,
      .help = "The routers of the cluster." },
    { "bus", GROUP(bus), .section = &schema_bus,
      .help = "How routers and workers talk." },
    { "log", GROUP(log), .section = &schema_log, .foreign = "log_file",
      .help = "The log and the event log." },
};
/* clang-format on */

const struct schema_section schema_root = {
    .name = "top level",
    .noun = "setting",
    .help = "Settings of the whole platform.",
    .size = sizeof(struct conf),
    .keys = root_keys,
    .key_count = ARRAY_LEN(root_keys),
};

const struct schema_key *schema_key(const struct schema_section *section,
                                    struct slice name)
{
    for (size_t i = 0; i < section->key_count; i++)
        if (slice_equal(name, slice_text(section->keys[i].name)))
            return &section->keys[i];
    return NULL;
}

const struct schema_key *schema_nearest(const struct schema_section *section,
                                        struct slice name)
{
    const struct schema_key *best = NULL;
    size_t nearest = SUGGEST_FAR;
    for (size_t i = 0; i < section->key_count; i++) {
        const struct schema_key *key = &section->keys[i];
        if (suggest_is_nearer(name, slice_text(key->name), &nearest)
            || (key->foreign
                && suggest_is_nearer(name, slice_text(key->foreign), &nearest)))
            best = key;
    }
    return best;
}

const char *schema_name_of(const struct schema_section *section,
                           const void *object)
{
    const struct schema_key *key = schema_key(section, SLICE("name"));
    CHECK(key);
    const char *name = NULL;
    memcpy(&name, (const char *)object + key->offset, sizeof name);
    return name;
}

static const struct schema_key *key_of_section(
    const struct schema_section *section)
{
    for (size_t i = 0; i < schema_root.key_count; i++)
        if (schema_root.keys[i].section == section)
            return &schema_root.keys[i];
    return NULL;
}

const void *schema_objects(const struct schema_section *section,
                           const struct conf *conf, size_t *count)
{
    const struct schema_key *list = key_of_section(section);
    CHECK(list && list->type == TYPE_LIST);
    const void *objects = NULL;
    memcpy(&objects, (const char *)conf + list->offset, sizeof objects);
    memcpy(count, (const char *)conf + list->count_offset, sizeof *count);
    return objects;
}

const void *schema_object(const struct schema_section *section,
                          const struct conf *conf, struct slice name)
{
    size_t count = 0;
    const char *object = schema_objects(section, conf, &count);
    for (size_t i = 0; i < count; i++, object += section->size) {
        const char *other = schema_name_of(section, object);
        if (other && slice_equal(name, slice_text(other)))
            return object;
    }
    return NULL;
}

const char *schema_type_name(enum schema_type type)
{
    static const char *const names[] = {
        [TYPE_TEXT] = "text",
        [TYPE_NAME] = "name",
        [TYPE_FLAG] = "true or false",
        [TYPE_COUNT] = "number",
        [TYPE_DURATION] = "duration",
        [TYPE_SIZE] = "size",
        [TYPE_RATE] = "rate",
        [TYPE_SHARE] = "per cent",
        [TYPE_SCHEDULE] = "schedule",
        [TYPE_CHOICE] = "choice",
        [TYPE_PATH] = "path",
        [TYPE_ADDRESS] = "IP address",
        [TYPE_ENDPOINT] = "address and port",
        [TYPE_PROXY] = "proxy URL",
        [TYPE_DOMAIN] = "domain",
        [TYPE_PATTERN] = "domain pattern",
        [TYPE_DOMAINS] = "list of domains",
        [TYPE_TEXTS] = "list of texts",
        [TYPE_RANGES] = "list of address ranges",
        [TYPE_HEADER] = "header pattern",
        [TYPE_HASH] = "password hash",
        [TYPE_REFERENCE] = "reference",
        [TYPE_NAMED] = "reference",
        [TYPE_GROUP] = "group",
        [TYPE_LIST] = "list of groups",
    };
    return names[type];
}
