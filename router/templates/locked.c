/* locked.c - some templates under their lock. */
#include "router/templates/locked.h"

#include "common/base/check.h"

uint64_t tenant_hash(struct slice name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * UINT64_C(1099511628211);
    return guard_mix(hash);
}

struct locked *locked_enter(struct templates *templates, uint64_t id)
{
    struct locked *locked = &templates->shards[id % TEMPLATES_SHARDS];
    CHECK(pthread_mutex_lock(&locked->lock) == 0);
    return locked;
}

void locked_leave(struct locked *locked)
{
    CHECK(pthread_mutex_unlock(&locked->lock) == 0);
}

void locked_weigh(struct templates *templates, struct shard *shard,
                  size_t before, const struct guard_template *template)
{
    const size_t after = guard_bytes(template);
    shard->watch_bytes += after - before; /* modulo 2^64, like the next */
    atomic_fetch_add_explicit(&templates->watch_bytes, after - before,
                              memory_order_relaxed);
}

void locked_drop(struct templates *templates, struct locked *locked,
                 struct guard_template *template)
{
    atomic_fetch_sub_explicit(&templates->count, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&templates->watch_bytes, guard_bytes(template),
                              memory_order_relaxed);
    shard_drop(&locked->shard, template);
}

/* The bounds are for all shards; who reaches them makes room in his own. */
struct guard_template *locked_add(struct templates *templates,
                                  struct locked *locked,
                                  const struct guard_key *key)
{
    const size_t count =
        atomic_load_explicit(&templates->count, memory_order_relaxed);
    const size_t watched =
        atomic_load_explicit(&templates->watch_bytes, memory_order_relaxed);
    struct guard_template *least = NULL;
    if (count >= locked->max || watched >= locked->watch_max)
        least = shard_least(&locked->shard);
    if (least) {
        locked_drop(templates, locked, least);
        locked->dropped++;
    }
    atomic_fetch_add_explicit(&templates->count, 1, memory_order_relaxed);
    return shard_add(&locked->shard, key);
}

struct template_record locked_record(const struct shard *shard,
                                     const struct guard_template *template)
{
    struct template_record record = {
        .template = *template,
        .tenant = slice_text(shard->tenants[template->tenant]->name),
        .taken = *guard_taken(template),
    };
    record.template.watch = NULL;
    return record;
}

void locked_tell(struct templates *templates, struct locked *locked,
                 const struct guard_template *template, enum guard_change why)
{
    struct template_record record = locked_record(&locked->shard, template);
    witnesses_of(&locked->shard.witnesses, template->id, record.witnesses);
    if (templates->hooks.changed)
        templates->hooks.changed(templates->hooks.context, &record, why);
}
