/* config.c - what each provider is told to be: libconfig to structs. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libconfig.h>

#include "text.h"

#define SMTP_PORT          25
#define SIZE_DEFAULT_BYTES (50u * 1024 * 1024)
#define IDLE_DEFAULT_MS    (300u * 1000)

/* clang-format off */
static const char *const step_names[STEP_COUNT] = {
    [STEP_CONNECT] = "connect", [STEP_EHLO] = "ehlo",
    [STEP_STARTTLS] = "starttls", [STEP_MAIL] = "mail",
    [STEP_RCPT] = "rcpt", [STEP_DATA] = "data", [STEP_DOT] = "dot",
    [STEP_QUIT] = "quit",
};

static const char *const deed_names[DEED_COUNT] = {
    [DEED_REPLY] = "reply", [DEED_WAIT] = "wait",
    [DEED_SILENCE] = "silence", [DEED_CLOSE] = "close",
    [DEED_TAKE_AND_CLOSE] = "take-and-close", [DEED_GARBAGE] = "garbage",
};

static const char *const tls_names[TLS_KIND_COUNT] = {
    [TLS_NONE] = "none", [TLS_SELF_SIGNED] = "self-signed",
    [TLS_FILES] = "files", [TLS_BROKEN] = "broken", [TLS_OLD] = "old",
    [TLS_FORGETFUL] = "forgetful", [TLS_REFUSED] = "refused",
};

static const struct {
    const char *name;
    uint32_t bit;
} capability_names[] = {
    { "PIPELINING", CAP_PIPELINING }, { "SIZE", CAP_SIZE },
    { "8BITMIME", CAP_8BITMIME }, { "SMTPUTF8", CAP_SMTPUTF8 },
    { "STARTTLS", CAP_STARTTLS }, { "CHUNKING", CAP_CHUNKING },
    { "DSN", CAP_DSN }, { "ENHANCEDSTATUSCODES", CAP_ENHANCEDSTATUSCODES },
};

static const struct {
    const char *name;
    const char *reply;
} limit_defaults[LIMIT_COUNT] = {
    [LIMIT_CONNECTIONS] = { "connections",
        "421 4.7.0 Too many concurrent connections from {ip}" },
    [LIMIT_MESSAGES] = { "messages",
        "421 4.7.0 Too many messages in this connection" },
    [LIMIT_RATE] = { "rate",
        "421 4.7.0 Messages from {ip} come too fast, slow down" },
    [LIMIT_RCPTS] = { "rcpts", "452 4.5.3 Too many recipients" },
    [LIMIT_SIZE] = { "size", "552 5.3.4 Message too big" },
    [LIMIT_GREYLIST] = { "greylist",
        "450 4.7.1 <{rcpt}>: Greylisted, please try again later" },
    [LIMIT_RELAY] = { "relay", "554 5.7.1 <{rcpt}>: Relay access denied" },
};

static const char *const world_keys[] = {
    "record", "stats", "eml", "idle_ms", "script", "providers", NULL,
};
static const char *const provider_keys[] = {
    "name", "host_name", "listen", "domains", "ehlo", "capabilities",
    "size_max_bytes", "tls", "limits", "delays_ms", "drip_ms", "replies",
    "script", NULL,
};
static const char *const limit_keys[] = {
    "connections_per_source", "messages_per_connection",
    "messages_per_second", "messages_per_minute", "rate_slack_ms",
    "rcpts_per_message", "greylist_ms", NULL,
};
static const char *const reply_keys[] = {
    "connections", "messages", "rate", "rcpts", "size", "greylist", "relay",
    NULL,
};
static const char *const delay_keys[] = {
    "connect", "ehlo", "starttls", "mail", "rcpt", "data", "dot", "quit",
    "all", NULL,
};
static const char *const tls_keys[] = { "kind", "cert", "key", "tickets", NULL };
static const char *const rule_keys[] = {
    "at", "do", "match", "source", "reply", "percent", "every", "first",
    "delay_ms", "drip_ms", NULL,
};
/* clang-format on */

static bool complain(const config_setting_t *setting, const char *what,
                     const char *name)
{
    (void)fprintf(stderr, "sendyard-receiver: line %u: %s \"%s\"\n",
                  config_setting_source_line(setting), what, name);
    return false;
}

static bool only_known_keys(const config_setting_t *group,
                            const char *const *known)
{
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *member =
            config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(member);
        const char *const *at = known;

        while (*at != NULL && (name == NULL || strcmp(*at, name) != 0))
            at++;
        if (*at == NULL)
            return complain(member, "unknown key", name == NULL ? "" : name);
    }
    return true;
}

/* Index of `name` in `names`, or -1. */
static int index_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static const char *get_string(const config_setting_t *group, const char *key,
                              const char *otherwise)
{
    const char *value = otherwise;

    (void)config_setting_lookup_string(group, key, &value);
    return value;
}

/* A whole number of at least 0; false if the key has another kind of value. */
static bool get_number(const config_setting_t *group, const char *key,
                       uint32_t *number)
{
    const config_setting_t *member = config_setting_get_member(group, key);

    if (member == NULL)
        return true;
    if (config_setting_type(member) != CONFIG_TYPE_INT
        || config_setting_get_int(member) < 0)
        return complain(member, "not a whole number", key);
    *number = (uint32_t)config_setting_get_int(member);
    return true;
}

static bool parse_port(const char *digits, uint16_t *port)
{
    uint32_t value = 0;

    for (; *digits >= '0' && *digits <= '9' && value <= UINT16_MAX; digits++)
        value = value * 10 + (uint32_t)(*digits - '0');
    if (*digits != '\0' || value == 0 || value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

/* "127.0.0.1", "127.0.0.1:2525", "::1" or "[::1]:2525". */
static bool parse_endpoint(const char *string, struct endpoint *endpoint)
{
    const char *host = string;
    const char *colon = strrchr(string, ':');
    size_t len = strlen(string);

    endpoint->port = SMTP_PORT;
    if (string[0] == '[' || (colon != NULL && strchr(string, ':') == colon)) {
        if (colon == NULL || !parse_port(colon + 1, &endpoint->port))
            return false;
        len = (size_t)(colon - string);
    }
    if (string[0] == '[') {
        if (len < 2 || string[len - 1] != ']')
            return false;
        host++;
        len -= 2;
    }
    if (len >= sizeof endpoint->host)
        return false;
    memcpy(endpoint->host, host, len);
    endpoint->host[len] = '\0';
    return true;
}

static bool load_listens(struct provider_config *provider,
                         const config_setting_t *group)
{
    const config_setting_t *list = config_setting_get_member(group, "listen");

    if (list == NULL || config_setting_length(list) < 1)
        return complain(group, "no listen address for", provider->name);
    provider->listen_count = (size_t)config_setting_length(list);
    provider->listens =
        must_allocate(provider->listen_count, sizeof *provider->listens);
    for (size_t i = 0; i < provider->listen_count; i++) {
        const char *string = config_setting_get_string_elem(list, (int)i);

        if (string == NULL || !parse_endpoint(string, &provider->listens[i]))
            return complain(list, "not an address",
                            string == NULL ? "" : string);
    }
    return true;
}

static bool load_domains(struct provider_config *provider,
                         const config_setting_t *group)
{
    const config_setting_t *list = config_setting_get_member(group, "domains");

    if (list == NULL || config_setting_length(list) < 1)
        return complain(group, "no domains for", provider->name);
    provider->domain_count = (size_t)config_setting_length(list);
    provider->domains =
        must_allocate(provider->domain_count, sizeof *provider->domains);
    for (size_t i = 0; i < provider->domain_count; i++) {
        provider->domains[i] = config_setting_get_string_elem(list, (int)i);
        if (provider->domains[i] == NULL)
            return complain(list, "not a list of strings:", "domains");
    }
    return true;
}

static bool load_capabilities(struct provider_config *provider,
                              const config_setting_t *group)
{
    const config_setting_t *list =
        config_setting_get_member(group, "capabilities");
    const size_t known = sizeof capability_names / sizeof *capability_names;

    for (int i = 0; list != NULL && i < config_setting_length(list); i++) {
        const char *name = config_setting_get_string_elem(list, i);
        size_t at = 0;

        while (
            at < known
            && (name == NULL || strcmp(capability_names[at].name, name) != 0))
            at++;
        if (at == known)
            return complain(list, "unknown capability",
                            name == NULL ? "" : name);
        provider->capabilities |= capability_names[at].bit;
    }
    return true;
}

static bool load_tls(struct provider_config *provider,
                     const config_setting_t *group)
{
    const config_setting_t *tls = config_setting_get_member(group, "tls");

    if (tls == NULL) {
        if (provider->capabilities & CAP_STARTTLS)
            return complain(group, "STARTTLS without tls in", provider->name);
        return true;
    }
    if (!only_known_keys(tls, tls_keys))
        return false;
    const char *name = get_string(tls, "kind", "");
    const int kind = index_of(tls_names, TLS_KIND_COUNT, name);
    if (kind < 0)
        return complain(tls, "unknown kind of tls", name);
    provider->tls = (enum tls_kind)kind;
    provider->tls_cert = get_string(tls, "cert", NULL);
    provider->tls_key = get_string(tls, "key", NULL);
    int tickets = 1;
    (void)config_setting_lookup_bool(tls, "tickets", &tickets);
    provider->tls_tickets = tickets;
    if (provider->tls == TLS_FILES
        && (provider->tls_cert == NULL || provider->tls_key == NULL))
        return complain(tls, "cert and key are needed for", provider->name);
    return true;
}

static bool load_limits(struct provider_config *provider,
                        const config_setting_t *group)
{
    const config_setting_t *limits = config_setting_get_member(group, "limits");

    if (limits == NULL)
        return true;
    return only_known_keys(limits, limit_keys)
           && get_number(limits, "connections_per_source",
                         &provider->connections_per_source)
           && get_number(limits, "messages_per_connection",
                         &provider->messages_per_connection)
           && get_number(limits, "messages_per_second",
                         &provider->messages_per_second)
           && get_number(limits, "messages_per_minute",
                         &provider->messages_per_minute)
           && get_number(limits, "rate_slack_ms", &provider->rate_slack_ms)
           && get_number(limits, "rcpts_per_message",
                         &provider->rcpts_per_message)
           && get_number(limits, "greylist_ms", &provider->greylist_ms);
}

static bool load_delays(struct provider_config *provider,
                        const config_setting_t *group)
{
    const config_setting_t *delays =
        config_setting_get_member(group, "delays_ms");
    uint32_t all = 0;

    if (delays == NULL)
        return true;
    if (!only_known_keys(delays, delay_keys)
        || !get_number(delays, "all", &all))
        return false;
    for (int step = 0; step < STEP_COUNT; step++) {
        provider->delays_ms[step] = all;
        if (!get_number(delays, step_names[step], &provider->delays_ms[step]))
            return false;
    }
    return true;
}

static bool load_replies(struct provider_config *provider,
                         const config_setting_t *group)
{
    const config_setting_t *replies =
        config_setting_get_member(group, "replies");

    if (replies != NULL && !only_known_keys(replies, reply_keys))
        return false;
    for (int i = 0; i < LIMIT_COUNT; i++) {
        provider->limit_replies[i] = limit_defaults[i].reply;
        if (replies != NULL)
            provider->limit_replies[i] = get_string(
                replies, limit_defaults[i].name, limit_defaults[i].reply);
    }
    return true;
}

static bool load_rule(struct rule *rule, const config_setting_t *group)
{
    if (!only_known_keys(group, rule_keys))
        return false;
    const char *at = get_string(group, "at", "");
    const char *deed = get_string(group, "do", "reply");
    const int at_index = index_of(step_names, STEP_COUNT, at);
    const int deed_index = index_of(deed_names, DEED_COUNT, deed);
    if (at_index < 0)
        return complain(group, "unknown step", at);
    if (deed_index < 0)
        return complain(group, "unknown deed", deed);

    rule->at = (enum step)at_index;
    rule->deed = (enum deed)deed_index;
    rule->match = get_string(group, "match", "");
    rule->source = get_string(group, "source", "");
    rule->reply = get_string(group, "reply", "");
    if (rule->deed == DEED_REPLY && strlen(rule->reply) < 3)
        return complain(group, "no reply for step", at);
    return get_number(group, "percent", &rule->percent)
           && get_number(group, "every", &rule->every)
           && get_number(group, "first", &rule->first)
           && get_number(group, "delay_ms", &rule->delay_ms)
           && get_number(group, "drip_ms", &rule->drip_ms);
}

/* The provider's own rules come first, so that they win over common ones. */
static bool load_rules(struct provider_config *provider,
                       const config_setting_t *own,
                       const config_setting_t *common)
{
    const config_setting_t *const lists[] = { own, common };

    for (size_t i = 0; i < 2; i++)
        if (lists[i] != NULL)
            provider->rule_count += (size_t)config_setting_length(lists[i]);
    if (provider->rule_count == 0)
        return true;
    provider->rules =
        must_allocate(provider->rule_count, sizeof *provider->rules);

    struct rule *rule = provider->rules;
    for (size_t i = 0; i < 2; i++)
        for (int j = 0; lists[i] != NULL && j < config_setting_length(lists[i]);
             j++)
            if (!load_rule(rule++,
                           config_setting_get_elem(lists[i], (unsigned)j)))
                return false;
    return true;
}

static bool load_provider(struct provider_config *provider,
                          const config_setting_t *group,
                          const config_setting_t *common_rules)
{
    int ehlo = 1;
    uint32_t size_max_bytes = SIZE_DEFAULT_BYTES;

    if (!only_known_keys(group, provider_keys))
        return false;
    provider->name = get_string(group, "name", "");
    provider->host_name = get_string(group, "host_name", provider->name);
    (void)config_setting_lookup_bool(group, "ehlo", &ehlo);
    provider->ehlo = ehlo != 0;
    if (!get_number(group, "size_max_bytes", &size_max_bytes)
        || !get_number(group, "drip_ms", &provider->drip_ms))
        return false;
    provider->size_max_bytes = size_max_bytes;
    return load_listens(provider, group) && load_domains(provider, group)
           && load_capabilities(provider, group) && load_tls(provider, group)
           && load_limits(provider, group) && load_delays(provider, group)
           && load_replies(provider, group)
           && load_rules(provider, config_setting_get_member(group, "script"),
                         common_rules);
}

static bool load_all(struct world *world)
{
    const config_setting_t *root = config_root_setting(world->file);
    const config_setting_t *list = config_setting_get_member(root, "providers");

    if (!only_known_keys(root, world_keys))
        return false;
    world->record_path = get_string(root, "record", NULL);
    world->stats_path = get_string(root, "stats", NULL);
    world->eml_folder = get_string(root, "eml", NULL);
    world->idle_ms = IDLE_DEFAULT_MS;
    if (world->record_path == NULL || world->stats_path == NULL)
        return complain(root, "missing key", "record or stats");
    if (!get_number(root, "idle_ms", &world->idle_ms))
        return false;
    if (list == NULL || config_setting_length(list) < 1)
        return complain(root, "missing key", "providers");

    world->provider_count = (size_t)config_setting_length(list);
    world->providers =
        must_allocate(world->provider_count, sizeof *world->providers);
    for (size_t i = 0; i < world->provider_count; i++)
        if (!load_provider(&world->providers[i],
                           config_setting_get_elem(list, (unsigned)i),
                           config_setting_get_member(root, "script")))
            return false;
    return true;
}

bool world_load(struct world *world, const char *path)
{
    *world = (struct world){ 0 };
    world->file = must_allocate(1, sizeof *world->file);
    config_init(world->file);
    if (config_read_file(world->file, path) != CONFIG_TRUE) {
        (void)fprintf(stderr, "sendyard-receiver: %s:%d: %s\n", path,
                      config_error_line(world->file),
                      config_error_text(world->file));
        world_release(world);
        return false;
    }
    if (!load_all(world)) {
        world_release(world);
        return false;
    }
    return true;
}

void world_release(struct world *world)
{
    for (size_t i = 0; i < world->provider_count; i++) {
        free(world->providers[i].listens);
        free(world->providers[i].domains);
        free(world->providers[i].rules);
    }
    free(world->providers);
    if (world->file != NULL)
        config_destroy(world->file);
    free(world->file);
    *world = (struct world){ 0 };
}
