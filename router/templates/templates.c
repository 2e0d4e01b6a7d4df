/* templates.c - every template that this router knows of. */
#include "router/templates/templates.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/templates/shard.h"

#define ASK_AGAIN_S 2u  /* when there was no answer, or nothing left */
#define AT_ONCE     32u /* templates that are told of under one lock */

struct locked {
    pthread_mutex_t lock;
    struct shard shard;
    struct guard_rules rules;
    size_t watch_max; /* bytes, of all shards */
    uint32_t max;     /* templates, of all shards */
    uint64_t messages;
    uint64_t spent;
    uint64_t dropped;
    uint64_t changes[GUARD_CHANGES];
};

struct templates {
    struct locked shards[TEMPLATES_SHARDS];
    struct templates_hooks hooks;
    uint64_t secret; /* of the hashes of recipients */
    atomic_size_t count;
    atomic_size_t watch_bytes;
};

/* Of the same name the same on all routers. */
static uint64_t hash_of_tenant(struct slice name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * UINT64_C(1099511628211);
    return guard_mix(hash);
}

/* The secret keeps others from choosing addresses that look like one. */
static uint32_t hash_of_recipient(uint64_t secret, struct slice address)
{
    uint64_t hash = secret ^ address.len;
    for (size_t i = 0; i < address.len;) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i < address.len; k++, i++)
            word = word << 8 | (unsigned char)char_lower(address.ptr[i]);
        hash = guard_mix(hash ^ word) + secret;
    }
    return (uint32_t)(guard_mix(hash) >> 32);
}

/* A tenant's shard is in its templates' ids, too. */
static uint64_t id_in_shard(uint64_t id, uint64_t shard)
{
    return (id & ~(uint64_t)(TEMPLATES_SHARDS - 1)) | shard;
}

static struct locked *enter(struct templates *templates, uint64_t id)
{
    struct locked *locked = &templates->shards[id % TEMPLATES_SHARDS];
    CHECK(pthread_mutex_lock(&locked->lock) == 0);
    return locked;
}

static void leave(struct locked *locked)
{
    CHECK(pthread_mutex_unlock(&locked->lock) == 0);
}

struct templates *templates_new(void)
{
    struct templates *templates = NEW(struct templates);
    const size_t size = sizeof templates->secret;
    CHECK(getrandom(&templates->secret, size, 0) == (ssize_t)size);
    for (unsigned i = 0; i < TEMPLATES_SHARDS; i++) {
        struct locked *locked = &templates->shards[i];
        CHECK(pthread_mutex_init(&locked->lock, NULL) == 0);
        shard_init(&locked->shard);
        locked->rules.is_alone = true;
    }
    return templates;
}

void templates_free(struct templates **templates)
{
    struct templates *freed = steal(*templates);
    if (!freed)
        return;
    for (unsigned i = 0; i < TEMPLATES_SHARDS; i++) {
        shard_release(&freed->shards[i].shard);
        (void)pthread_mutex_destroy(&freed->shards[i].lock);
    }
    mem_free(freed);
}

void templates_tell(struct templates *templates,
                    const struct templates_hooks *hooks)
{
    templates->hooks =
        hooks ? *hooks : (struct templates_hooks){ .changed = NULL };
}

void templates_reconf(struct templates *templates,
                      const struct guard_rules *rules, uint32_t max_templates)
{
    for (unsigned i = 0; i < TEMPLATES_SHARDS; i++) {
        struct locked *locked = enter(templates, i);
        const bool is_alone = locked->rules.is_alone;
        locked->rules = *rules;
        locked->rules.is_alone = is_alone || rules->routers == 1;
        locked->max = max_templates;
        locked->watch_max = (size_t)max_templates * TEMPLATES_WATCH_BYTES;
        if (locked->watch_max < TEMPLATES_WATCH_MIN)
            locked->watch_max = TEMPLATES_WATCH_MIN;
        leave(locked);
    }
}

void templates_set_alone(struct templates *templates, bool is_alone)
{
    for (unsigned i = 0; i < TEMPLATES_SHARDS; i++) {
        struct locked *locked = enter(templates, i);
        locked->rules.is_alone = is_alone || locked->rules.routers == 1;
        leave(locked);
    }
}

void templates_ticket(const struct templates *templates, struct slice tenant,
                      const struct sketch *sketch,
                      const struct slice *recipients, size_t recipient_count,
                      struct templates_ticket *ticket)
{
    const uint64_t hash = hash_of_tenant(tenant);
    ticket->tenant = tenant;
    ticket->recipients = recipients;
    guard_key_of(sketch, hash, &ticket->key);
    ticket->key.id = id_in_shard(ticket->key.id, hash % TEMPLATES_SHARDS);
    if (ticket->key.id == 0) /* no template's */
        ticket->key.id = TEMPLATES_SHARDS;
    ticket->recipient_count = (uint32_t)recipient_count;
    ticket->hash_count = recipient_count < TEMPLATES_HASHES_MAX
                             ? (uint32_t)recipient_count
                             : TEMPLATES_HASHES_MAX;
    for (uint32_t i = 0; i < ticket->hash_count; i++)
        ticket->hashes[i] =
            hash_of_recipient(templates ? templates->secret : 0, recipients[i]);
}

void templates_know(const struct templates *templates,
                    struct templates_ticket *ticket)
{
    ticket->hash_count = ticket->recipients[0].len > 0;
    ticket->hashes[0] =
        hash_of_recipient(templates->secret, ticket->recipients[0]);
}

static struct guard_member member_of(const struct templates_ticket *ticket,
                                     const struct templates_finding *finding)
{
    return (struct guard_member){
        .recipients = ticket->hashes,
        .hash_count = ticket->hash_count,
        .recipient_count = ticket->recipient_count,
        .text = finding->text,
        .points = finding->points,
        .is_candidate = finding->is_candidate,
        .needs_budget = finding->needs_budget,
        .as_trusted = finding->as_trusted,
    };
}

void templates_look(struct templates *templates,
                    const struct templates_ticket *ticket, uint64_t now_ms,
                    struct judge_standing *standing)
{
    static const struct allowance unused = { .share = 0 };
    static const struct templates_finding nothing = { .points = 0 };
    const struct guard_member member = member_of(ticket, &nothing);
    struct guard_template fresh;
    struct locked *locked = enter(templates, ticket->key.id);
    const struct guard_template *template =
        shard_find(&locked->shard, &ticket->key);
    const struct tenant *tenant = shard_tenant(&locked->shard, ticket->tenant);
    if (!template) {
        guard_begin(&fresh, &ticket->key, now_ms);
        template = &fresh;
    }
    guard_look(template, tenant ? &tenant->pot : &unused, &locked->rules,
               &member, now_ms, standing);
    leave(locked);
}

/* ---- under the lock of a shard ----------------------------------------- */

/* What the watch of a template grew or shrank by. */
static void weigh(struct templates *templates, struct shard *shard,
                  size_t before, const struct guard_template *template)
{
    const size_t after = guard_bytes(template);
    shard->watch_bytes += after - before; /* modulo 2^64, like the next */
    atomic_fetch_add_explicit(&templates->watch_bytes, after - before,
                              memory_order_relaxed);
}

static void drop(struct templates *templates, struct locked *locked,
                 struct guard_template *template)
{
    atomic_fetch_sub_explicit(&templates->count, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&templates->watch_bytes, guard_bytes(template),
                              memory_order_relaxed);
    shard_drop(&locked->shard, template);
}

/* The bounds are for all shards; who reaches them makes room in his own. */
static struct guard_template *add(struct templates *templates,
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
        drop(templates, locked, least);
        locked->dropped++;
    }
    atomic_fetch_add_explicit(&templates->count, 1, memory_order_relaxed);
    return shard_add(&locked->shard, key);
}

static struct template_record record_of(const struct shard *shard,
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

/* Others hear of what they could not find themselves. */
static void tell(struct templates *templates, struct locked *locked,
                 const struct guard_template *template, enum guard_change why)
{
    struct template_record record = record_of(&locked->shard, template);
    witnesses_of(&locked->shard.witnesses, template->id, record.witnesses);
    if (templates->hooks.changed)
        templates->hooks.changed(templates->hooks.context, &record, why);
}

static void note_change(struct templates *templates, struct locked *locked,
                        const struct guard_template *template,
                        enum guard_change change)
{
    if (change == GUARD_UNCHANGED)
        return;
    locked->changes[change]++;
    if (change != GUARD_SETTLED)
        tell(templates, locked, template, change);
}

/* Wishes are made again when no answer came in a while. */
static void wish(struct templates *templates, const struct tenant *tenant,
                 const struct guard_template *template,
                 const struct allowance *allowance,
                 const struct allowance_rule *rule, uint32_t *asked_utc_s,
                 uint64_t now_ms)
{
    const uint32_t now_s = (uint32_t)(now_ms / 1000);
    const uint32_t count = allowance_wish(allowance, rule);
    if (count == 0 || !templates->hooks.wished
        || (now_s >= *asked_utc_s && now_s <= *asked_utc_s + ASK_AGAIN_S))
        return;
    struct templates_wish *made = NEW(struct templates_wish);
    made->count = count;
    made->rule = *rule;
    made->tenant_len = strlen(tenant->name);
    memcpy(made->tenant, tenant->name, made->tenant_len);
    if (template) {
        made->template = template->id;
        made->is_shared = template->watch && template->watch->is_shared;
        made->key.skeleton = template->skeleton;
        memcpy(made->key.bands, template->bands, sizeof made->key.bands);
    }
    made->key.id =
        template ? template->id
                 : hash_of_tenant(slice_text(tenant->name)) % TEMPLATES_SHARDS;
    if (templates->hooks.wished(templates->hooks.context, made))
        *asked_utc_s = now_s;
    else
        mem_free(made);
}

static void wish_shares(struct templates *templates, struct locked *locked,
                        struct tenant *tenant, struct guard_template *template,
                        uint64_t now_ms)
{
    const struct allowance_rule pot = guard_pot_rule(&locked->rules, now_ms);
    const struct allowance_rule rule =
        guard_rule(template, &locked->rules, now_ms);
    const enum judge_state state = guard_state(template);
    if (locked->rules.is_alone
        || (state != TEMPLATE_NEW && state != TEMPLATE_PROBATION))
        return;
    wish(templates, tenant, NULL, &tenant->pot, &pot, &tenant->asked_utc_s,
         now_ms);
    if (template->watch)
        wish(templates, tenant, template, &template->watch->allowance, &rule,
             &template->watch->asked_utc_s, now_ms);
}

/* ---- */

static struct guard_template *find_or_add(struct templates *templates,
                                          struct locked *locked,
                                          const struct tenant *tenant,
                                          const struct guard_key *key,
                                          uint64_t now_ms)
{
    struct guard_template *template = shard_find(&locked->shard, key);
    if (template)
        return template;
    template = add(templates, locked, key);
    guard_begin(template, key, now_ms);
    template->tenant = tenant->number;
    return template;
}

/* A trial that began counts from 0: it has another beginning. */
static bool has_taken(const struct guard_template *before,
                      const struct guard_template *template)
{
    return template->recipients != before->recipients
           || template->since_utc_s != before->since_utc_s;
}

bool templates_take(struct templates *templates,
                    const struct templates_ticket *ticket,
                    const struct templates_finding *finding, uint64_t now_ms,
                    struct judge_standing *standing)
{
    const struct guard_member member = member_of(ticket, finding);
    enum guard_change change = GUARD_UNCHANGED;
    struct template_record taken;
    struct locked *locked = enter(templates, ticket->key.id);
    struct tenant *tenant = shard_tenant_of(&locked->shard, ticket->tenant);
    locked->messages++;
    if (!tenant) { /* more than a config can have: none of them is proven */
        leave(locked);
        standing->state = TEMPLATE_NEW;
        standing->is_spent = true;
        return false;
    }
    struct guard_template *template =
        find_or_add(templates, locked, tenant, &ticket->key, now_ms);
    const size_t bytes = guard_bytes(template);
    const struct guard_template before = *template;
    const bool is_given = guard_take(template, &tenant->pot, &locked->rules,
                                     &member, now_ms, standing, &change);
    const bool is_taken =
        has_taken(&before, template) && templates->hooks.taken;
    locked->spent += finding->needs_budget && !is_given;
    wish_shares(templates, locked, tenant, template, now_ms);
    weigh(templates, &locked->shard, bytes, template);
    note_change(templates, locked, template, change);
    if (is_taken) {
        taken = record_of(&locked->shard, template);
        taken.pot = tenant->pot;
    }
    leave(locked);
    if (is_taken)
        templates->hooks.taken(templates->hooks.context, &taken);
    return is_given;
}

bool templates_try(struct templates *templates,
                   const struct templates_ticket *ticket,
                   const struct templates_finding *finding, uint64_t now_ms,
                   struct judge_standing *standing)
{
    const struct guard_member member = member_of(ticket, finding);
    enum guard_change change = GUARD_UNCHANGED;
    struct guard_template copy;
    struct locked *locked = enter(templates, ticket->key.id);
    const struct guard_template *template =
        shard_find(&locked->shard, &ticket->key);
    const struct tenant *tenant = shard_tenant(&locked->shard, ticket->tenant);
    struct allowance pot = { .share = 0 };
    if (tenant)
        pot = tenant->pot;
    if (template)
        copy = guard_copy(template);
    else
        guard_begin(&copy, &ticket->key, now_ms);
    const bool is_given = guard_take(&copy, &pot, &locked->rules, &member,
                                     now_ms, standing, &change);
    leave(locked);
    guard_release(&copy);
    return is_given;
}

void templates_hear(struct templates *templates, uint64_t id,
                    enum guard_outcome outcome, uint32_t count, uint64_t now_ms)
{
    struct locked *locked = enter(templates, id);
    struct guard_template *template = shard_by_id(&locked->shard, id);
    if (template) {
        const size_t before = guard_bytes(template);
        const enum guard_change change =
            guard_hear(template, &locked->rules, outcome, count, now_ms);
        weigh(templates, &locked->shard, before, template);
        note_change(templates, locked, template, change);
    }
    leave(locked);
}

static void see(struct templates *templates, uint64_t id, uint64_t message,
                bool is_blamed)
{
    struct locked *locked = enter(templates, id);
    const struct guard_template *template = shard_by_id(&locked->shard, id);
    if (template && (is_blamed || guard_is_watched(template)))
        witnesses_add(&locked->shard.witnesses, template->id, message);
    leave(locked);
}

void templates_saw(struct templates *templates, uint64_t id, uint64_t message)
{
    see(templates, id, message, false);
}

void templates_saw_blamed(struct templates *templates, uint64_t id,
                          uint64_t message)
{
    see(templates, id, message, true);
}

bool templates_set(struct templates *templates, uint64_t id,
                   enum judge_state state, uint64_t now_ms)
{
    struct locked *locked = enter(templates, id);
    struct guard_template *template = shard_by_id(&locked->shard, id);
    const bool is_known = template != NULL;
    if (is_known) {
        const size_t before = guard_bytes(template);
        guard_set(template, state, now_ms);
        weigh(templates, &locked->shard, before, template);
        tell(templates, locked, template, GUARD_UNCHANGED);
    }
    leave(locked);
    return is_known;
}

bool templates_teach(struct templates *templates, uint64_t id,
                     enum judge_kind kind, uint64_t now_ms)
{
    struct locked *locked = enter(templates, id);
    struct guard_template *template = shard_by_id(&locked->shard, id);
    const bool is_known = template != NULL;
    if (is_known) {
        guard_teach(template, kind, now_ms);
        tell(templates, locked, template, GUARD_UNCHANGED);
    }
    leave(locked);
    return is_known;
}

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
    weigh(templates, &locked->shard, before, template);
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
    struct guard_template *template = add(templates, locked, &key);
    *template = record->template;
    template->id = key.id;
    template->watch = NULL;
    template->tenant = tenant->number;
}

void templates_grant(struct templates *templates,
                     const struct templates_wish *wish, uint32_t count)
{
    struct locked *locked = enter(templates, wish->key.id);
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
    leave(locked);
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
    weigh(templates, &locked->shard, before, kept);
    drop(templates, locked, gone);
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
    struct locked *locked = enter(templates, before);
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
    leave(locked);
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
    struct locked *locked = enter(templates, before);
    const bool is_news =
        put_alias(locked, before, record->now, record->template.since_utc_s);
    struct guard_template *template =
        is_news ? shard_by_id(&locked->shard, before) : NULL;
    if (template && template->id == before)
        rename_to(templates, locked, template, record->now, now_ms);
    leave(locked);
    return is_news;
}

uint64_t templates_resolve(struct templates *templates, uint64_t id)
{
    struct locked *locked = enter(templates, id);
    const uint64_t now = shard_resolve(&locked->shard, id);
    leave(locked);
    return now;
}

/* ---- copies ------------------------------------------------------------ */

static bool is_made_by_us(const struct template_record *record)
{
    return record->template.id % TEMPLATES_SHARDS
           == hash_of_tenant(record->tenant) % TEMPLATES_SHARDS;
}

/* Of one state the latest copy has most history, and each knows what was taken
 * until then; of an earlier state what was taken is no matter. */
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
    if (record->template.since_utc_s > template->since_utc_s)
        guard_release(template);
    if (template_rank(&record->template) > template_rank(template)
        || record->template.last_utc_s > template->last_utc_s) {
        struct guard_template copy = record->template;
        copy.id = template->id;
        copy.watch = template->watch;
        copy.tenant = template->tenant;
        memcpy(copy.bands, template->bands, sizeof copy.bands);
        *template = copy;
    }
    guard_recall(template, &record->taken, now_ms);
    weigh(templates, &locked->shard, before, template);
}

void templates_restore(struct templates *templates,
                       const struct template_record *record, uint64_t now_ms)
{
    if (record->now != 0) {
        (void)hear_alias(templates, record, now_ms);
        return;
    }
    struct locked *locked =
        enter(templates, hash_of_tenant(record->tenant) % TEMPLATES_SHARDS);
    struct tenant *tenant = shard_tenant_of(&locked->shard, record->tenant);
    if (tenant && !allowance_is_idle(&record->pot, now_ms))
        allowance_recall(&tenant->pot, &record->pot, now_ms);
    if (record->template.id != 0 && is_made_by_us(record))
        restore(templates, locked, record, now_ms);
    leave(locked);
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
    struct locked *locked = enter(templates, id);
    struct guard_template *template = shard_by_id(&locked->shard, id);
    if (!template) {
        adopt_new(templates, locked, record);
        is_news = true;
    } else if (template_rank(&record->template) > template_rank(template)) {
        obey(templates, locked, template, &record->template);
        is_news = true;
    } else if (template_rank(&record->template) < template_rank(template)) {
        tell(templates, locked, template, GUARD_UNCHANGED);
    }
    leave(locked);
    return is_news;
}

/* False: the shard has no more. */
static bool tell_some(struct templates *templates, unsigned shard, uint32_t *at,
                      templates_each_fn *fn, void *context)
{
    const struct guard_template *template = NULL;
    struct locked *locked = enter(templates, shard);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        template = shard_next(&locked->shard, at);
        if (!template)
            break;
        const struct template_record record =
            record_of(&locked->shard, template);
        fn(context, &record);
    }
    leave(locked);
    return template != NULL;
}

void templates_each(struct templates *templates, templates_each_fn *fn,
                    void *context)
{
    for (unsigned i = 0; i < TEMPLATES_SHARDS; i++) {
        uint32_t at = 0;
        while (tell_some(templates, i, &at, fn, context))
            ;
    }
}

static void tell_pots(const struct shard *shard, templates_each_fn *fn,
                      void *context)
{
    for (uint32_t i = 0; i < shard->tenant_count; i++) {
        const struct template_record record = {
            .tenant = slice_text(shard->tenants[i]->name),
            .pot = shard->tenants[i]->pot,
        };
        if (allowance_sum(&record.pot.spans[0]) > 0)
            fn(context, &record);
    }
}

static void tell_aliases(const struct aliases *aliases, templates_each_fn *fn,
                         void *context)
{
    for (uint32_t i = 0; i < aliases->count; i++) {
        const struct alias *alias = &aliases->items[i];
        const struct template_record record = {
            .template = { .id = alias->before,
                          .since_utc_s = alias->since_utc_s },
            .tenant = SLICE(""),
            .now = alias->now,
        };
        fn(context, &record);
    }
}

void templates_each_other(struct templates *templates, templates_each_fn *fn,
                          void *context)
{
    for (unsigned i = 0; i < TEMPLATES_SHARDS; i++) {
        struct locked *locked = enter(templates, i);
        tell_pots(&locked->shard, fn, context);
        tell_aliases(&locked->shard.aliases, fn, context);
        leave(locked);
    }
}

static void add_time(struct json *json, const char *key, uint32_t utc_s)
{
    char text[TIME_RFC3339_SIZE];
    time_rfc3339((uint64_t)utc_s * 1000, text);
    json_add_text(json, key, slice_text(text));
}

static void add_object(struct json *json, const struct guard_template *template,
                       const struct judge_standing *standing,
                       struct slice tenant)
{
    char id[ID_TEXT_SIZE];
    json_begin_object(json);
    json_add_text(json, "id", slice_text(id_format(template->id, id)));
    json_add_text(json, "tenant", tenant);
    json_add_text(json, "state", slice_text(guard_state_name(standing->state)));
    json_add_bool(json, "by_operator", guard_is_set(template));
    json_add_bool(json, "blamed", standing->is_blamed);
    if (standing->is_taught)
        json_add_text(json, "taught",
                      slice_text(judge_kind_name(standing->taught)));
    add_time(json, "first", template->first_utc_s);
    add_time(json, "last", template->last_utc_s);
    add_time(json, "since", template->since_utc_s);
    json_add_number(json, "used", standing->recipients);
    json_add_number(json, "budget", standing->budget);
    json_add_number(json, "recipients", template->recipients);
    json_add_number(json, "recent", template->recent);
    json_add_number(json, "delivered", template->delivered);
    json_add_number(json, "bounced", template->bounced);
    json_add_number(json, "complained", template->complained);
    json_end(json);
}

enum rc templates_add_json(struct templates *templates, uint64_t id,
                           uint64_t now_ms, struct buf *out)
{
    static const struct guard_member nobody = { .recipient_count = 0 };
    struct judge_standing standing;
    struct json json;
    struct locked *locked = enter(templates, id);
    const struct guard_template *template = shard_by_id(&locked->shard, id);
    const bool is_known = template != NULL;
    json_init(&json, out);
    if (is_known) {
        const struct tenant *tenant = locked->shard.tenants[template->tenant];
        guard_look(template, &tenant->pot, &locked->rules, &nobody, now_ms,
                   &standing);
        add_object(&json, template, &standing, slice_text(tenant->name));
    }
    leave(locked);
    if (!is_known)
        return RC_NONE;
    return out->full ? RC_LIMIT : RC_OK;
}

static void count_shard(const struct locked *locked,
                        struct templates_counts *counts)
{
    uint32_t at = 0;
    counts->messages += locked->messages;
    counts->spent += locked->spent;
    counts->dropped += locked->dropped;
    counts->bytes += shard_bytes(&locked->shard);
    for (unsigned i = 0; i < GUARD_CHANGES; i++)
        counts->changes[i] += locked->changes[i];
    for (const struct guard_template *template;
         (template = shard_next(&locked->shard, &at));)
        counts->states[guard_state(template)]++;
}

void templates_count(struct templates *templates,
                     struct templates_counts *counts)
{
    *counts = (struct templates_counts){ .messages = 0 };
    for (unsigned i = 0; i < TEMPLATES_SHARDS; i++) {
        struct locked *locked = enter(templates, i);
        count_shard(locked, counts);
        leave(locked);
    }
}
