/* provider.c - one provider while it plays: memory, rules, counts. */
#include "provider.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECOND_MS 1000u
#define MINUTE_MS 60000u

void provider_init(struct provider *provider,
                   const struct provider_config *config)
{
    *provider = (struct provider){ .config = config };
    table_init(&provider->sources, sizeof(struct source));
    table_init(&provider->greylist, sizeof(uint64_t));
    table_init(&provider->refused, sizeof(uint64_t));
    table_init(&provider->violations, sizeof(uint64_t));
    table_init(&provider->wire, sizeof(uint64_t));
    provider->rule_matches =
        must_allocate(config->rule_count + 1, sizeof(uint64_t));
}

static void release_source(const char *key, void *value, void *context)
{
    struct source *source = value;

    (void)key;
    (void)context;
    free(source->second.times_ms);
    free(source->minute.times_ms);
}

void provider_release(struct provider *provider)
{
    table_each(&provider->sources, release_source, NULL);
    table_release(&provider->sources);
    table_release(&provider->greylist);
    table_release(&provider->refused);
    table_release(&provider->violations);
    table_release(&provider->wire);
    free(provider->rule_matches);
}

struct source *provider_source(struct provider *provider, const char *ip)
{
    return table_at(&provider->sources, ip);
}

/* Whether the n-th last time, if there is one, lies at least `span_ms` back.
 * Times are stored plus one, because zero stands for never. */
static bool window_has_room(struct window *window, uint32_t size,
                            uint64_t span_ms, uint64_t now_ms)
{
    if (size == 0)
        return true;
    if (window->times_ms == NULL)
        window->times_ms = must_allocate(size, sizeof *window->times_ms);
    const uint64_t oldest = window->times_ms[window->next];
    return oldest == 0 || now_ms + 1 - oldest >= span_ms;
}

static void window_add(struct window *window, uint32_t size, uint64_t now_ms)
{
    if (size == 0)
        return;
    window->times_ms[window->next] = now_ms + 1;
    window->next = (window->next + 1) % size;
}

static uint64_t span_less_slack(uint64_t span_ms, uint64_t slack_ms)
{
    return slack_ms < span_ms ? span_ms - slack_ms : 0;
}

bool provider_take_rate(const struct provider *provider, struct source *source,
                        uint64_t now_ms)
{
    const struct provider_config *config = provider->config;
    const uint32_t per_second = config->messages_per_second;
    const uint32_t per_minute = config->messages_per_minute;
    const uint64_t slack_ms = config->rate_slack_ms;

    if (!window_has_room(&source->second, per_second,
                         span_less_slack(SECOND_MS, slack_ms), now_ms)
        || !window_has_room(&source->minute, per_minute,
                            span_less_slack(MINUTE_MS, slack_ms), now_ms))
        return false;
    window_add(&source->second, per_second, now_ms);
    window_add(&source->minute, per_minute, now_ms);
    return true;
}

bool provider_greylist_passed(struct provider *provider, const char *ip,
                              const char *sender, const char *rcpt,
                              uint64_t now_ms)
{
    struct text key = { 0 };

    if (provider->config->greylist_ms == 0)
        return true;
    text_addf(&key, "%s|%s|%s", ip, sender, rcpt);
    uint64_t *first_ms = table_at(&provider->greylist, text_string(&key));
    text_release(&key);
    if (*first_ms == 0) {
        *first_ms = now_ms;
        return false;
    }
    return now_ms - *first_ms >= provider->config->greylist_ms;
}

bool provider_has_domain(const struct provider *provider, const char *address)
{
    const char *at = strrchr(address, '@');
    const char *domain = at == NULL ? "" : at + 1;

    for (size_t i = 0; i < provider->config->domain_count; i++) {
        const char *own = provider->config->domains[i];

        if (strcmp(own, "*") == 0 || strcasecmp(own, domain) == 0)
            return true;
    }
    /* RFC 5321, 4.5.1: postmaster without a domain is always welcome. */
    return at == NULL && strcasecmp(address, "postmaster") == 0;
}

/* `match` counts from 1. A share is spread evenly instead of drawn, so that a
 * test which fails once fails again. */
static bool rule_speaks(const struct rule *rule, uint64_t match)
{
    if (rule->first > 0 && match > rule->first)
        return false;
    if (rule->every > 0 && match % rule->every != 0)
        return false;
    if (rule->percent > 0)
        return match * rule->percent / 100 != (match - 1) * rule->percent / 100;
    return true;
}

const struct rule *provider_rule(struct provider *provider, enum step step,
                                 const char *ip, const char *argument)
{
    for (size_t i = 0; i < provider->config->rule_count; i++) {
        const struct rule *rule = &provider->config->rules[i];

        if (rule->at != step || strstr(argument, rule->match) == NULL
            || strncmp(ip, rule->source, strlen(rule->source)) != 0)
            continue;
        provider->rule_matches[i]++;
        if (rule_speaks(rule, provider->rule_matches[i]))
            return rule;
    }
    return NULL;
}

static void count(struct table *table, const char *key)
{
    uint64_t *number = table_at(table, key);

    (*number)++;
}

void provider_count_refused(struct provider *provider, const char *reply)
{
    const char code[4] = { reply[0], reply[1], reply[2], '\0' };

    count(&provider->refused, code);
}

void provider_count_violation(struct provider *provider, const char *kind)
{
    count(&provider->violations, kind);
}

void provider_count_wire(struct provider *provider, const char *kind)
{
    count(&provider->wire, kind);
}

/* Starts the next member of an object whose first one follows '{'. */
static void add_key(struct text *json, const char *key)
{
    if (json->bytes[json->len - 1] != '{')
        text_add(json, ",", 1);
    text_add_json(json, key, strlen(key));
    text_add(json, ":", 1);
}

static void add_number(const char *key, void *value, void *context)
{
    const uint64_t *number = value;
    struct text *json = context;

    add_key(json, key);
    text_addf(json, "%" PRIu64, *number);
}

static void add_source(const char *key, void *value, void *context)
{
    const struct source *source = value;
    struct text *json = context;

    add_key(json, key);
    text_addf(json,
              "{\"connections\":%" PRIu64 ",\"now\":%u,\"max\":%u,"
              "\"messages\":%" PRIu64 "}",
              source->connections, source->open, source->open_max,
              source->messages);
}

static void add_open(const char *key, void *value, void *context)
{
    const struct source *source = value;
    uint64_t *open = context;

    (void)key;
    *open += source->open;
}

static void add_table(struct text *json, const char *key,
                      const struct table *table, table_visit_fn *visit)
{
    add_key(json, key);
    text_add(json, "{", 1);
    table_each(table, visit, json);
    text_add(json, "}", 1);
}

void provider_counts_json(const struct provider *provider, struct text *json)
{
    uint64_t open = 0;

    table_each(&provider->sources, add_open, &open);
    text_addf(json,
              "{\"connections\":%" PRIu64 ",\"connections_now\":%" PRIu64
              ",\"tls_connections\":%" PRIu64 ",\"messages\":%" PRIu64
              ",\"recipients\":%" PRIu64,
              provider->connections, open, provider->tls_connections,
              provider->messages, provider->recipients);
    add_table(json, "sources", &provider->sources, add_source);
    add_table(json, "refused", &provider->refused, add_number);
    add_table(json, "violations", &provider->violations, add_number);
    add_table(json, "wire_violations", &provider->wire, add_number);
    text_add(json, "}", 1);
}
