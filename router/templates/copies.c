/* copies.c - templates as the other routers and the files know them. */
#include <string.h>

#include "router/templates/locked.h"

/* Takes over what the record says, but not its history, which is another
 * router's. */
static void obey(struct templates *templates, struct locked *locked,
                 struct guard_template *template,
                 const struct guard_template *other)
{
    const struct guard_word word = guard_word_of(other);
    const size_t before = guard_bytes(template);
    guard_restore(template, &word);
    template->since_utc_s = other->since_utc_s;
    template->mean = other->mean;
    template->drift = other->mean;
    locked_weigh(templates, &locked->shard, before, template);
}

/* By these it is told how long the blame lasts. */
static void hear_complaints(struct guard_template *template,
                            const struct guard_template *other)
{
    if (!guard_is_blamed(other))
        return;
    template->delivered = other->delivered;
    template->complained = other->complained;
}

static void adopt_new(struct templates *templates, struct locked *locked,
                      const struct template_record *record)
{
    struct guard_key key = { .id = shard_resolve(&locked->shard,
                                                 record->template.id),
                             .skeleton = record->template.skeleton };
    struct tenant *tenant = shard_tenant_of(&locked->shard, record->tenant);
    if (!tenant)
        return;
    memcpy(key.bands, record->template.bands, sizeof key.bands);
    struct guard_template *template = locked_add(templates, locked, &key);
    *template = record->template;
    template->id = key.id;
    template->watch = NULL;
    template->tenant = tenant->number;
}

void templates_grant(struct templates *templates,
                     const struct templates_wish *wish, uint32_t count)
{
    struct locked *locked = locked_enter(templates, wish->key.id);
    struct tenant *tenant =
        shard_tenant(&locked->shard, slice_of(wish->tenant, wish->tenant_len));
    struct guard_template *template =
        shard_by_id(&locked->shard, wish->template);
    if (wish->template == 0 && tenant) {
        allowance_grant(&tenant->pot, &wish->rule, count);
        tenant->asked_utc_s = count > 0 ? 0 : tenant->asked_utc_s;
    } else if (template && template->watch) {
        struct guard_watch *watch = template->watch;
        allowance_grant(&watch->allowance, &wish->rule, count);
        watch->asked_utc_s = count > 0 ? 0 : watch->asked_utc_s;
    }
    locked_leave(locked);
}

/* ---- other ids --------------------------------------------------------- */

/* True: that is news. */
static bool put_alias(struct locked *locked, uint64_t before, uint64_t now,
                      uint32_t since_utc_s)
{
    const struct alias alias = { .before = before,
                                 .now = now,
                                 .since_utc_s = since_utc_s };
    return aliases_put(&locked->shard.aliases, &alias);
}

static void tell_alias(struct templates *templates, uint64_t before,
                       uint64_t now, uint32_t since_utc_s)
{
    const struct template_record record = {
        .template = { .id = before, .since_utc_s = since_utc_s },
        .tenant = SLICE(""),
        .now = now,
    };
    if (templates->hooks.changed)
        templates->hooks.changed(templates->hooks.context, &record,
                                 GUARD_UNCHANGED);
}

/* Two that were met apart are one; `gone` is no more. */
static void unite(struct templates *templates, struct locked *locked,
                  struct guard_template *kept, struct guard_template *gone,
                  uint64_t now_ms)
{
    if (template_has_changed(gone) && template_rank(gone) > template_rank(kept))
        obey(templates, locked, kept, gone);
    const size_t before = guard_bytes(kept);
    guard_unite(kept, gone, now_ms);
    locked_weigh(templates, &locked->shard, before, kept);
    locked_drop(templates, locked, gone);
}

/* It is the template of this id. */
static void rename_to(struct templates *templates, struct locked *locked,
                      struct guard_template *template, uint64_t id,
                      uint64_t now_ms)
{
    struct guard_template *known = shard_by_id(&locked->shard, id);
    if (!known)
        shard_rename(&locked->shard, template, id);
    else if (known != template)
        unite(templates, locked, known, template, now_ms);
}

static bool is_unlike(const struct guard_template *template,
                      const struct templates_wish *wish)
{
    return template && guard_likeness(template, &wish->key) == 0;
}

uint64_t templates_adopt(struct templates *templates,
                         const struct templates_wish *wish, uint64_t id,
                         uint64_t now_ms)
{
    const uint64_t before = wish->template;
    const uint32_t now_s = (uint32_t)(now_ms / 1000);
    if (id % TEMPLATES_SHARDS != before % TEMPLATES_SHARDS)
        return before;
    struct locked *locked = locked_enter(templates, before);
    struct guard_template *template = shard_by_id(&locked->shard, before);
    if (template && template->watch)
        template->watch->is_shared = true;
    if (!template || id == template->id
        || is_unlike(shard_by_id(&locked->shard, id), wish)) {
        id = template ? template->id : before;
    } else {
        rename_to(templates, locked, template, id, now_ms);
        if (put_alias(locked, before, id, now_s))
            tell_alias(templates, before, id, now_s);
    }
    locked_leave(locked);
    return id;
}

/* True: it is news. */
static bool hear_alias(struct templates *templates,
                       const struct template_record *record, uint64_t now_ms)
{
    const uint64_t before = record->template.id;
    if (before == record->now
        || before % TEMPLATES_SHARDS != record->now % TEMPLATES_SHARDS)
        return false;
    struct locked *locked = locked_enter(templates, before);
    const bool is_news =
        put_alias(locked, before, record->now, record->template.since_utc_s);
    struct guard_template *template =
        is_news ? shard_by_id(&locked->shard, before) : NULL;
    if (template && template->id == before)
        rename_to(templates, locked, template, record->now, now_ms);
    locked_leave(locked);
    return is_news;
}

uint64_t templates_resolve(struct templates *templates, uint64_t id)
{
    struct locked *locked = locked_enter(templates, id);
    const uint64_t now = shard_resolve(&locked->shard, id);
    locked_leave(locked);
    return now;
}

/* ---- copies ------------------------------------------------------------ */

static bool is_made_by_us(const struct template_record *record)
{
    return record->template.id % TEMPLATES_SHARDS
           == tenant_hash(record->tenant) % TEMPLATES_SHARDS;
}

/* Of one state the latest copy has most history; of an earlier state it is no
 * matter. */
static void restore_own(struct guard_template *template,
                        const struct guard_template *kept)
{
    if (kept->since_utc_s > template->since_utc_s)
        guard_release(template);
    if (template_rank(kept) <= template_rank(template)
        && kept->last_utc_s <= template->last_utc_s)
        return;
    struct guard_template copy = *kept;
    copy.watch = template->watch;
    copy.tenant = template->tenant;
    memcpy(copy.bands, template->bands, sizeof copy.bands);
    *template = copy;
}

/* Each copy knows what was taken until then. One under an id of before says
 * nothing else of what the template is now: it was another then. */
static void restore(struct templates *templates, struct locked *locked,
                    const struct template_record *record, uint64_t now_ms)
{
    struct guard_template *template =
        shard_by_id(&locked->shard, record->template.id);
    if (!template) {
        adopt_new(templates, locked, record);
        template = shard_by_id(&locked->shard, record->template.id);
    }
    if (!template || record->template.since_utc_s < template->since_utc_s)
        return;
    const size_t before = guard_bytes(template);
    if (record->template.id == template->id)
        restore_own(template, &record->template);
    guard_recall(template, &record->taken, now_ms);
    locked_weigh(templates, &locked->shard, before, template);
}

void templates_restore(struct templates *templates,
                       const struct template_record *record, uint64_t now_ms)
{
    if (record->now != 0) {
        (void)hear_alias(templates, record, now_ms);
        return;
    }
    struct locked *locked =
        locked_enter(templates, tenant_hash(record->tenant) % TEMPLATES_SHARDS);
    struct tenant *tenant = shard_tenant_of(&locked->shard, record->tenant);
    if (tenant && !allowance_is_idle(&record->pot, now_ms))
        allowance_recall(&tenant->pot, &record->pot, now_ms);
    if (record->template.id != 0 && is_made_by_us(record))
        restore(templates, locked, record, now_ms);
    locked_leave(locked);
}

bool templates_merge(struct templates *templates,
                     const struct template_record *record, uint64_t now_ms)
{
    const uint64_t id = record->template.id;
    bool is_news = false;
    if (record->now != 0)
        return hear_alias(templates, record, now_ms);
    if (id == 0 || !is_made_by_us(record))
        return false;
    struct locked *locked = locked_enter(templates, id);
    struct guard_template *template = shard_by_id(&locked->shard, id);
    if (!template) {
        adopt_new(templates, locked, record);
        is_news = true;
    } else if (template_rank(&record->template) > template_rank(template)) {
        obey(templates, locked, template, &record->template);
        hear_complaints(template, &record->template);
        is_news = true;
    } else if (template_rank(&record->template) < template_rank(template)) {
        locked_tell(templates, locked, template, GUARD_UNCHANGED);
    }
    locked_leave(locked);
    return is_news;
}
