/* templates.c - every template that this router knows of. */
#include "router/templates/templates.h"

#include <string.h>
#include <sys/random.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/templates/locked.h"

#define ASK_AGAIN_S 2u /* when there was no answer, or nothing left */

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
        struct locked *locked = locked_enter(templates, i);
        const bool is_alone = locked->rules.is_alone;
        locked->rules = *rules;
        locked->rules.is_alone = is_alone || rules->routers == 1;
        locked->max = max_templates;
        locked->watch_max = (size_t)max_templates * TEMPLATES_WATCH_BYTES;
        if (locked->watch_max < TEMPLATES_WATCH_MIN)
            locked->watch_max = TEMPLATES_WATCH_MIN;
        locked_leave(locked);
    }
}

void templates_set_alone(struct templates *templates, bool is_alone)
{
    for (unsigned i = 0; i < TEMPLATES_SHARDS; i++) {
        struct locked *locked = locked_enter(templates, i);
        locked->rules.is_alone = is_alone || locked->rules.routers == 1;
        locked_leave(locked);
    }
}

void templates_ticket(const struct templates *templates, struct slice tenant,
                      const struct sketch *sketch,
                      const struct slice *recipients, size_t recipient_count,
                      struct templates_ticket *ticket)
{
    const uint64_t hash = tenant_hash(tenant);
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
    struct locked *locked = locked_enter(templates, ticket->key.id);
    const struct guard_template *template =
        shard_find(&locked->shard, &ticket->key);
    const struct tenant *tenant = shard_tenant(&locked->shard, ticket->tenant);
    if (!template) {
        guard_begin(&fresh, &ticket->key, now_ms);
        template = &fresh;
    }
    guard_look(template, tenant ? &tenant->pot : &unused, &locked->rules,
               &member, now_ms, standing);
    locked_leave(locked);
}

/* ---- under the lock of a shard ----------------------------------------- */

static void note_change(struct templates *templates, struct locked *locked,
                        const struct guard_template *template,
                        enum guard_change change)
{
    if (change == GUARD_UNCHANGED)
        return;
    locked->changes[change]++;
    if (change != GUARD_SETTLED)
        locked_tell(templates, locked, template, change);
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
                 : tenant_hash(slice_text(tenant->name)) % TEMPLATES_SHARDS;
    if (templates->hooks.wished(templates->hooks.context, made))
        *asked_utc_s = now_s;
    else
        mem_free(made);
}

static void wish_shares(struct templates *templates, struct locked *locked,
                        struct tenant *tenant, struct guard_template *template,
                        uint64_t now_ms)
{
    const enum judge_state state = guard_state(template);
    if (locked->rules.is_alone
        || (state != TEMPLATE_NEW && state != TEMPLATE_PROBATION))
        return;
    const struct allowance_rule pot = guard_pot_rule(&locked->rules, now_ms);
    const struct allowance_rule rule =
        guard_rule(template, &locked->rules, now_ms);
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
    template = locked_add(templates, locked, key);
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
    struct locked *locked = locked_enter(templates, ticket->key.id);
    struct tenant *tenant = shard_tenant_of(&locked->shard, ticket->tenant);
    locked->messages++;
    if (!tenant) { /* more than a config can have: none of them is proven */
        locked_leave(locked);
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
    locked_weigh(templates, &locked->shard, bytes, template);
    note_change(templates, locked, template, change);
    if (is_taken) {
        taken = locked_record(&locked->shard, template);
        taken.pot = tenant->pot;
    }
    locked_leave(locked);
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
    struct locked *locked = locked_enter(templates, ticket->key.id);
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
    locked_leave(locked);
    guard_release(&copy);
    return is_given;
}

bool templates_has(struct templates *templates, uint64_t id)
{
    struct locked *locked = locked_enter(templates, id);
    const bool is_known = shard_by_id(&locked->shard, id) != NULL;
    locked_leave(locked);
    return is_known;
}

void templates_hear(struct templates *templates, uint64_t id,
                    enum guard_outcome outcome, uint32_t count, uint64_t now_ms)
{
    struct locked *locked = locked_enter(templates, id);
    struct guard_template *template = shard_by_id(&locked->shard, id);
    if (template) {
        const size_t before = guard_bytes(template);
        const enum guard_change change =
            guard_hear(template, &locked->rules, outcome, count, now_ms);
        locked_weigh(templates, &locked->shard, before, template);
        note_change(templates, locked, template, change);
    }
    locked_leave(locked);
}

static void see(struct templates *templates, uint64_t id, uint64_t message,
                bool is_blamed)
{
    struct locked *locked = locked_enter(templates, id);
    const struct guard_template *template = shard_by_id(&locked->shard, id);
    if (template && (is_blamed || guard_is_watched(template)))
        witnesses_add(&locked->shard.witnesses, template->id, message);
    locked_leave(locked);
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
    struct locked *locked = locked_enter(templates, id);
    struct guard_template *template = shard_by_id(&locked->shard, id);
    const bool is_known = template != NULL;
    if (is_known) {
        const size_t before = guard_bytes(template);
        guard_set(template, state, now_ms);
        locked_weigh(templates, &locked->shard, before, template);
        locked_tell(templates, locked, template, GUARD_UNCHANGED);
    }
    locked_leave(locked);
    return is_known;
}

bool templates_teach(struct templates *templates, uint64_t id,
                     enum judge_kind kind, uint64_t now_ms)
{
    struct locked *locked = locked_enter(templates, id);
    struct guard_template *template = shard_by_id(&locked->shard, id);
    const bool is_known = template != NULL;
    if (is_known) {
        guard_teach(template, kind, now_ms);
        locked_tell(templates, locked, template, GUARD_UNCHANGED);
    }
    locked_leave(locked);
    return is_known;
}
