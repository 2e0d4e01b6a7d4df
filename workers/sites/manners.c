/* manners.c - what is in force towards one site. */
#include "workers/sites/manners.h"

static const struct conf_provider *find_provider(const struct conf *conf,
                                                 struct slice name)
{
    for (size_t i = 0; i < conf->provider_count; i++)
        if (slice_equal(slice_text(conf->providers[i].name), name))
            return &conf->providers[i];
    return NULL;
}

static enum dialog_tls tls_of(uint64_t number)
{
    if (number == SMTP_TLS_OFF)
        return DIALOG_TLS_OFF;
    return number == SMTP_TLS_REQUIRED ? DIALOG_TLS_REQUIRED
                                       : DIALOG_TLS_IF_OFFERED;
}

static enum fit_rule convert_of(uint64_t number)
{
    if (number == CONVERT_ALWAYS)
        return FIT_ALWAYS;
    return number == CONVERT_NEVER ? FIT_NEVER : FIT_UNSIGNED;
}

struct asked {
    const struct conf *conf;
    struct slice domain;
    const struct conf_provider *provider;
};

static const struct conf_limit *limit(const struct asked *asked,
                                      enum conf_limit_kind kind)
{
    return conf_limit(asked->conf, kind, asked->domain, asked->provider);
}

static uint64_t number(const struct asked *asked, enum conf_limit_kind kind)
{
    return limit(asked, kind)->number;
}

static struct hosts_rules rules_of(const struct asked *asked)
{
    const struct conf_texts *denied = &limit(asked, LIMIT_MX_DENY)->texts;
    const struct conf_ranges *prohibited =
        &limit(asked, LIMIT_PROHIBITED)->ranges;
    return (struct hosts_rules){
        .denied = denied->items,
        .denied_count = denied->count,
        .prohibited = prohibited->items,
        .prohibited_count = prohibited->count,
    };
}

void manners_read(const struct conf *conf, struct slice domain,
                  struct slice provider, struct manners *manners)
{
    const struct asked asked = { conf, domain, find_provider(conf, provider) };
    uint64_t connections = number(&asked, LIMIT_MAX_SMTP_OUT);
    *manners = (struct manners){
        .limits = {
            .max_connections = connections > 0 ? (uint32_t)connections
                                               : GATE_UNLIMITED,
            .messages = limit(&asked, LIMIT_MAX_MSG_RATE)->rate,
            .connects = limit(&asked, LIMIT_MAX_CONNECT_RATE)->rate,
        },
        .waits = {
            .greeting = number(&asked, LIMIT_GREETING_TIMEOUT),
            .hello = number(&asked, LIMIT_HELLO_TIMEOUT),
            .mail = number(&asked, LIMIT_MAIL_TIMEOUT),
            .rcpt = number(&asked, LIMIT_RCPT_TIMEOUT),
            .data = number(&asked, LIMIT_DATA_TIMEOUT),
            .data_send = number(&asked, LIMIT_DATA_SEND_TIMEOUT),
            .data_end = number(&asked, LIMIT_DATA_END_TIMEOUT),
        },
        .rules = rules_of(&asked),
        .tls = tls_of(number(&asked, LIMIT_TLS)),
        .prefers_ipv4 =
            number(&asked, LIMIT_ADDRESS_PREFERENCE) == FAMILY_IPV4,
        .chunking = number(&asked, LIMIT_CHUNKING) != 0,
        .convert = convert_of(number(&asked, LIMIT_CONVERT_8BIT)),
        .in_flight_max = (uint32_t)number(&asked, LIMIT_MAX_MSG_IN_FLIGHT),
        .port = (uint16_t)number(&asked, LIMIT_SMTP_PORT),
        .max_per_connection =
            (uint32_t)number(&asked, LIMIT_MAX_MSG_PER_CONNECTION),
        .connect_ms = number(&asked, LIMIT_CONNECT_TIMEOUT),
        .idle_ms = number(&asked, LIMIT_IDLE_TIMEOUT),
    };
}
