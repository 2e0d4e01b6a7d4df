/* conf.c - holding a config and looking things up in it. */
#include "config/conf.h"

#include <stdio.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/glob.h"
#include "common/base/mem.h"
#include "config/holder.h"

/* Far above what READER_TEXT_MAX bytes of text can grow to. */
#define ARENA_MAX ((size_t)64 << 30)

struct holder *holder_new(void)
{
    struct holder *holder = NEW(struct holder);
    arena_init(&holder->arena, ARENA_MAX);
    atomic_init(&holder->references, 1);
    return holder;
}

const struct holder *holder_of(const struct conf *conf)
{
    _Static_assert(offsetof(struct holder, conf) == 0, "conf comes first");
    return (const struct holder *)(const void *)conf;
}

struct conf *conf_hold(struct conf *conf)
{
    struct holder *holder = container_of(conf, struct holder, conf);
    (void)atomic_fetch_add_explicit(&holder->references, 1,
                                    memory_order_relaxed);
    return conf;
}

void conf_release(struct conf **conf)
{
    struct conf *given = steal(*conf);
    if (!given)
        return;
    struct holder *holder = container_of(given, struct holder, conf);
    if (atomic_fetch_sub_explicit(&holder->references, 1, memory_order_acq_rel)
        > 1)
        return;
    arena_release(&holder->arena);
    mem_free(holder->notes);
    mem_free(holder->account_slots);
    mem_free(holder);
}

void holder_note(struct holder *holder, struct holder_note note)
{
    if (holder->note_count == holder->note_room) {
        holder->note_room = holder->note_room ? 2 * holder->note_room : 256;
        holder->notes =
            mem_resize(holder->notes, holder->note_room, sizeof *holder->notes);
    }
    holder->notes[holder->note_count++] = note;
}

void *holder_new_items(struct holder *holder, size_t count, size_t size)
{
    void *items = arena_new(&holder->arena, count, size);
    CHECK(items);
    return items;
}

const char *holder_text(struct holder *holder, struct slice text)
{
    const char *copy = arena_text(&holder->arena, text);
    CHECK(copy);
    return copy;
}

/* FNV-1a. */
static size_t hash_of(struct slice name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
    return (size_t)hash;
}

void holder_index_accounts(struct holder *holder)
{
    size_t count = holder->conf.account_count;
    size_t slots = 8;
    while (slots < 2 * count)
        slots *= 2;
    holder->account_slots = mem_new(slots, sizeof *holder->account_slots);
    holder->account_slot_count = slots;
    for (size_t i = 0; i < count; i++) {
        const char *name = holder->conf.accounts[i].name;
        size_t at = hash_of(slice_text(name)) & (slots - 1);
        while (holder->account_slots[at] != 0)
            at = (at + 1) & (slots - 1);
        holder->account_slots[at] = (uint32_t)i + 1;
    }
}

const struct conf_account *conf_account(const struct conf *conf,
                                        struct slice name)
{
    const struct holder *holder = holder_of(conf);
    size_t mask = holder->account_slot_count - 1;
    for (size_t at = hash_of(name) & mask; holder->account_slots[at] != 0;
         at = (at + 1) & mask) {
        const struct conf_account *account =
            &conf->accounts[holder->account_slots[at] - 1];
        if (slice_equal(name, slice_text(account->name)))
            return account;
    }
    return NULL;
}

const struct conf_stream *conf_stream(const struct conf *conf,
                                      struct slice name)
{
    return schema_object(&schema_streams, conf, name);
}

const struct conf_route *conf_route(const struct conf *conf, struct slice name)
{
    return schema_object(&schema_routes, conf, name);
}

const struct conf_pool *conf_pool(const struct conf *conf, struct slice name)
{
    return schema_object(&schema_pools, conf, name);
}

const struct conf_source *conf_source(const struct conf *conf,
                                      struct slice name)
{
    return schema_object(&schema_sources, conf, name);
}

const struct conf_tenant *conf_tenant(const struct conf *conf,
                                      struct slice name)
{
    return schema_object(&schema_tenants, conf, name);
}

const struct conf_router *conf_router(const struct conf *conf,
                                      struct slice name)
{
    return schema_object(&schema_routers, conf, name);
}

/* DNS names come with and without their final dot. */
static struct slice without_dot(struct slice name)
{
    bool has_dot = name.len > 0 && name.ptr[name.len - 1] == '.';
    return slice_head(name, name.len - has_dot);
}

static bool names_domain(const struct conf_texts *domains, struct slice domain)
{
    for (size_t i = 0; i < domains->count; i++) {
        struct slice item = slice_text(domains->items[i]);
        if (item.ptr[0] == '.' ? slice_ends_nocase(domain, item)
                               : slice_equal_nocase(domain, item))
            return true;
    }
    return false;
}

static bool has_mx(const struct conf_texts *globs, struct slice host)
{
    for (size_t i = 0; i < globs->count; i++)
        if (glob_match(slice_text(globs->items[i]), host))
            return true;
    return false;
}

static bool has_all_mx(const struct conf_provider *provider,
                       const struct slice *mx_hosts, size_t mx_count)
{
    for (size_t i = 0; i < mx_count; i++)
        if (!has_mx(&provider->mx, without_dot(mx_hosts[i])))
            return false;
    return mx_count > 0;
}

const struct conf_provider *conf_provider_of(const struct conf *conf,
                                             struct slice domain,
                                             const struct slice *mx_hosts,
                                             size_t mx_count)
{
    domain = without_dot(domain);
    for (size_t i = 0; i < conf->provider_count; i++)
        if (names_domain(&conf->providers[i].domains, domain))
            return &conf->providers[i];
    for (size_t i = 0; i < conf->provider_count; i++)
        if (has_all_mx(&conf->providers[i], mx_hosts, mx_count))
            return &conf->providers[i];
    return NULL;
}

const struct conf_limit *conf_limit(const struct conf *conf,
                                    enum conf_limit_kind kind,
                                    struct slice domain,
                                    const struct conf_provider *provider)
{
    const struct conf_limit *best = &conf->limits[0].values[kind];
    domain = without_dot(domain);
    for (size_t i = 1; i < conf->limits_count; i++) {
        const struct conf_limits *entry = &conf->limits[i];
        if (!entry->values[kind].is_set)
            continue;
        if (entry->scope == SCOPE_PROVIDER && entry->provider == provider)
            best = &entry->values[kind];
        if (entry->scope == SCOPE_DOMAIN
            && slice_equal_nocase(domain, slice_text(entry->domain)))
            return &entry->values[kind];
    }
    return best;
}

struct conf_retry conf_retry(const struct conf *conf,
                             const struct conf_stream *stream,
                             const struct conf_route *route,
                             struct slice domain,
                             const struct conf_provider *provider)
{
    if (stream->retry)
        return (struct conf_retry){ stream->retry, "stream", stream->name };
    if (route->retry)
        return (struct conf_retry){ route->retry, "route", route->name };
    const struct conf_limit *limit =
        conf_limit(conf, LIMIT_RETRY_AFTER, domain, provider);
    if (limit->schedule == &conf->retry)
        return (struct conf_retry){ &conf->retry, "platform", NULL };
    return (struct conf_retry){ limit->schedule, "limits", NULL };
}

const char *conf_limit_name(enum conf_limit_kind kind)
{
    size_t offset = offsetof(struct conf_limits, values)
                    + (size_t)kind * sizeof(struct conf_limit);
    for (size_t i = 0; i < schema_limits.key_count; i++) {
        const struct schema_key *key = &schema_limits.keys[i];
        if (key->is_limit && key->offset == offset)
            return key->name;
    }
    return "?";
}

const char *conf_redis_url(const struct conf *conf,
                           char url[CONF_REDIS_URL_SIZE])
{
    if (strcmp(conf->state.redis, "private") != 0)
        return conf->state.redis;
    (void)snprintf(url, CONF_REDIS_URL_SIZE, "unix://%s/redis.sock",
                   conf->run_dir);
    return url;
}
