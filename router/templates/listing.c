/* listing.c - all that is known of templates, told. */
#include "common/base/time.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/templates/locked.h"

#define AT_ONCE 32u /* templates that are told of under one lock */

/* False: the shard has no more. */
static bool tell_some(struct templates *templates, unsigned shard, uint32_t *at,
                      templates_each_fn *fn, void *context)
{
    const struct guard_template *template = NULL;
    struct locked *locked = locked_enter(templates, shard);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        template = shard_next(&locked->shard, at);
        if (!template)
            break;
        const struct template_record record =
            locked_record(&locked->shard, template);
        fn(context, &record);
    }
    locked_leave(locked);
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
        struct locked *locked = locked_enter(templates, i);
        tell_pots(&locked->shard, fn, context);
        tell_aliases(&locked->shard.aliases, fn, context);
        locked_leave(locked);
    }
}

static void add_time(struct json *json, const char *key, uint32_t utc_s)
{
    char text[TIME_RFC3339_SIZE];
    time_rfc3339((uint64_t)utc_s * 1000, text);
    json_add_text(json, key, slice_text(text));
}

static void add_outcomes(struct json *json,
                         const struct guard_template *template)
{
    json_add_number(json, "recent", template->recent);
    json_add_number(json, "delivered", template->delivered);
    json_add_number(json, "bounced", template->bounced);
    json_add_number(json, "complained", template->complained);
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
    add_outcomes(json, template);
    json_end(json);
}

enum rc templates_add_json(struct templates *templates, uint64_t id,
                           uint64_t now_ms, struct buf *out)
{
    static const struct guard_member nobody = { .recipient_count = 0 };
    struct judge_standing standing;
    struct json json;
    struct locked *locked = locked_enter(templates, id);
    const struct guard_template *template = shard_by_id(&locked->shard, id);
    const bool is_known = template != NULL;
    json_init(&json, out);
    if (is_known) {
        const struct tenant *tenant = locked->shard.tenants[template->tenant];
        guard_look(template, &tenant->pot, &locked->rules, &nobody, now_ms,
                   &standing);
        add_object(&json, template, &standing, slice_text(tenant->name));
    }
    locked_leave(locked);
    if (!is_known)
        return RC_NONE;
    return out->full ? RC_LIMIT : RC_OK;
}

void templates_add_trip(const struct template_record *record, const char *why,
                        struct buf *out)
{
    char id[ID_TEXT_SIZE];
    struct json json;
    const struct guard_template *template = &record->template;
    json_init(&json, out);
    json_begin_object(&json);
    json_add_text(&json, "tenant", record->tenant);
    json_add_text(&json, "template", slice_text(id_format(template->id, id)));
    json_add_text(&json, "why", slice_text(why));
    json_add_number(&json, "recipients", template->recipients);
    add_outcomes(&json, template);
    json_key(&json, "messages");
    json_begin_array(&json);
    for (size_t i = 0; i < WITNESSES_EACH && record->witnesses[i] != 0; i++)
        json_text(&json, slice_text(id_format(record->witnesses[i], id)));
    json_end(&json);
    json_end(&json);
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
        struct locked *locked = locked_enter(templates, i);
        count_shard(locked, counts);
        locked_leave(locked);
    }
}
