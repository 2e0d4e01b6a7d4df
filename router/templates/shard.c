/* shard.c - the templates of some tenants, without a lock. */
#include "router/templates/shard.h"

#include <string.h>

#include "common/base/mem.h"

#define CHUNK    64u
#define LOOK_AT  64u /* templates, for one to drop */
#define LOOK_MAX 4096u

static struct guard_template *at_place(const struct shard *shard,
                                       uint32_t place)
{
    return &shard->chunks[place / CHUNK][place % CHUNK];
}

static uint32_t key_of_id(uint64_t id)
{
    return (uint32_t)(id >> 32);
}

static uint32_t id_key(const void *array, uint32_t place)
{
    return key_of_id(at_place(array, place)->id);
}

static uint32_t band_key(const void *array, uint32_t place)
{
    return at_place(array, place / GUARD_BANDS)->bands[place % GUARD_BANDS];
}

void shard_init(struct shard *shard)
{
    *shard = (struct shard){ .free = FINDER_NONE };
    finder_init(&shard->ids, id_key, shard);
    finder_init(&shard->bands, band_key, shard);
    aliases_init(&shard->aliases);
    table_init(&shard->tenants_by_name);
}

void shard_release(struct shard *shard)
{
    uint32_t at = 0;
    for (struct guard_template *template; (template = shard_next(shard, &at));)
        guard_release(template);
    for (uint32_t i = 0; i < shard->chunk_count; i++)
        mem_free(shard->chunks[i]);
    for (uint32_t i = 0; i < shard->tenant_count; i++) {
        mem_free(shard->tenants[i]->name);
        mem_free(shard->tenants[i]);
    }
    mem_free(shard->chunks);
    mem_free(shard->tenants);
    finder_release(&shard->ids);
    finder_release(&shard->bands);
    aliases_release(&shard->aliases);
    table_release(&shard->tenants_by_name);
}

static uint32_t place_by_id(const struct shard *shard, uint64_t id)
{
    uint32_t at = finder_start(&shard->ids, key_of_id(id));
    for (uint32_t place;
         (place = finder_next(&shard->ids, &at)) != FINDER_NONE;)
        if (at_place(shard, place)->id == id)
            return place;
    return FINDER_NONE;
}

uint64_t shard_resolve(const struct shard *shard, uint64_t id)
{
    for (unsigned i = 0; i < ALIASES_HOPS; i++) {
        const struct alias *alias = place_by_id(shard, id) == FINDER_NONE
                                        ? aliases_find(&shard->aliases, id)
                                        : NULL;
        if (!alias)
            break;
        id = alias->now;
    }
    return id;
}

struct guard_template *shard_by_id(const struct shard *shard, uint64_t id)
{
    uint32_t place = place_by_id(shard, id);
    if (place == FINDER_NONE)
        place = place_by_id(shard, shard_resolve(shard, id));
    return place == FINDER_NONE ? NULL : at_place(shard, place);
}

struct guard_template *shard_find(const struct shard *shard,
                                  const struct guard_key *key)
{
    struct guard_template *best = shard_by_id(shard, key->id);
    unsigned most = 0;
    for (unsigned band = 0; !best && band < GUARD_BANDS; band++) {
        uint32_t at = finder_start(&shard->bands, key->bands[band]);
        uint32_t place;
        while ((place = finder_next(&shard->bands, &at)) != FINDER_NONE) {
            struct guard_template *template =
                at_place(shard, place / GUARD_BANDS);
            if (place % GUARD_BANDS != band
                || template->bands[band] != key->bands[band])
                continue;
            const unsigned likeness = guard_likeness(template, key);
            if (likeness > most) {
                most = likeness;
                best = template;
            }
        }
        if (most > 0)
            break; /* the first band that is shared tells enough */
    }
    return best;
}

static uint32_t count_of_band(const struct shard *shard, uint32_t key)
{
    uint32_t count = 0;
    uint32_t at = finder_start(&shard->bands, key);
    for (uint32_t place;
         (place = finder_next(&shard->bands, &at)) != FINDER_NONE;)
        count += band_key(shard, place) == key;
    return count;
}

static uint32_t new_place(struct shard *shard)
{
    if (shard->free != FINDER_NONE) {
        const uint32_t place = shard->free;
        shard->free = at_place(shard, place)->first_utc_s;
        return place;
    }
    if (shard->used == shard->chunk_count * CHUNK) {
        shard->chunks = mem_resize(shard->chunks, shard->chunk_count + 1,
                                   sizeof(struct guard_template *));
        shard->chunks[shard->chunk_count++] =
            mem_new(CHUNK, sizeof(struct guard_template));
    }
    return shard->used++;
}

struct guard_template *shard_add(struct shard *shard,
                                 const struct guard_key *key)
{
    const uint32_t place = new_place(shard);
    struct guard_template *template = at_place(shard, place);
    *template =
        (struct guard_template){ .id = key->id, .skeleton = key->skeleton };
    finder_add(&shard->ids, place);
    for (uint32_t i = 0; i < GUARD_BANDS; i++) {
        template->bands[i] = key->bands[i];
        if (count_of_band(shard, key->bands[i]) < SHARD_BAND_MAX)
            finder_add(&shard->bands, place * GUARD_BANDS + i);
    }
    shard->count++;
    return template;
}

void shard_drop(struct shard *shard, struct guard_template *template)
{
    const uint32_t place = place_by_id(shard, template->id);
    shard->watch_bytes -= guard_bytes(template);
    guard_release(template);
    finder_remove(&shard->ids, place);
    for (uint32_t i = 0; i < GUARD_BANDS; i++)
        finder_remove(&shard->bands, place * GUARD_BANDS + i);
    *template = (struct guard_template){ .first_utc_s = shard->free };
    shard->free = place;
    shard->count--;
}

/* Of two, which one goes first? */
static bool goes_before(const struct guard_template *a,
                        const struct guard_template *b)
{
    enum judge_kind kind;
    const bool keeps_a =
        guard_state(a) >= TEMPLATE_TRUSTED || guard_is_taught(a, &kind);
    const bool keeps_b =
        guard_state(b) >= TEMPLATE_TRUSTED || guard_is_taught(b, &kind);
    return keeps_a == keeps_b ? a->last_utc_s < b->last_utc_s : keeps_b;
}

struct guard_template *shard_least(struct shard *shard)
{
    struct guard_template *least = NULL;
    unsigned found = 0;
    for (uint32_t i = 0; i < LOOK_MAX && i < shard->used && found < LOOK_AT;
         i++) {
        shard->hand = (shard->hand + 1) % shard->used;
        struct guard_template *template = at_place(shard, shard->hand);
        if (template->id == 0)
            continue;
        found++;
        if (!least || goes_before(template, least))
            least = template;
    }
    return least;
}

void shard_rename(struct shard *shard, struct guard_template *template,
                  uint64_t id)
{
    const uint32_t place = place_by_id(shard, template->id);
    finder_remove(&shard->ids, place);
    template->id = id;
    finder_add(&shard->ids, place);
}

struct guard_template *shard_next(const struct shard *shard, uint32_t *at)
{
    while (*at < shard->used) {
        struct guard_template *template = at_place(shard, (*at)++);
        if (template->id != 0)
            return template;
    }
    return NULL;
}

static bool is_called(const void *value, struct slice text)
{
    const struct tenant *tenant = value;
    return slice_equal(slice_text(tenant->name), text);
}

struct tenant *shard_tenant(const struct shard *shard, struct slice name)
{
    return table_get_text(&shard->tenants_by_name, name, is_called);
}

struct tenant *shard_tenant_of(struct shard *shard, struct slice name)
{
    struct tenant *tenant = shard_tenant(shard, name);
    if (tenant || shard->tenant_count == SHARD_TENANTS_MAX)
        return tenant;
    tenant = NEW(struct tenant);
    tenant->name = mem_copy_text(name.ptr, name.len);
    tenant->number = (uint16_t)shard->tenant_count;
    shard->tenants = mem_resize(shard->tenants, (size_t)shard->tenant_count + 1,
                                sizeof(struct tenant *));
    shard->tenants[shard->tenant_count++] = tenant;
    table_put_text(&shard->tenants_by_name, name, tenant);
    return tenant;
}

size_t shard_bytes(const struct shard *shard)
{
    return (size_t)shard->chunk_count
               * (sizeof(struct guard_template *)
                  + CHUNK * sizeof(struct guard_template))
           + ((size_t)shard->ids.size + shard->bands.size) * sizeof(uint32_t)
           + shard->aliases.count * sizeof *shard->aliases.items
           + shard->watch_bytes;
}
