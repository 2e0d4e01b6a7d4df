/* sections_out.c - the tables of what sends mail. */
#include "common/base/attr.h"
#include "config/schema.h"

static const char *const classes[] = { "transactional", "neutral", "bulk",
                                       NULL };
static const char *const priorities[] = { "normal", "urgent", NULL };
static const char *const doubts[] = { "retry", "hold", NULL };
static const char *const reports[] = { "event", "mail", "both", NULL };
static const char *const stickies[] = { "no", "message", "recipient", NULL };
static const char *const families[] = { "ipv6", "ipv4", NULL };
static const char *const same_sources[] = { "never", "greylisted", "always",
                                            NULL };
static const char *const converts[] = { "unsigned", "always", "never", NULL };
static const char *const smtp_tls[] = { "opportunistic", "required", "off",
                                        NULL };

/* clang-format off */
static const struct schema_key stream_keys[] = {
    { "name", TYPE_NAME, AT(conf_stream, name), .is_required = true,
      .help = "Its name; mail declares it in X-Sendyard-Stream." },
    { "class", TYPE_CHOICE, AT(conf_stream, class), .initial = "neutral",
      .choices = classes,
      .help = "The kind of mail it carries. Mail is moved down by evidence, "
              "never up." },
    { "floor", TYPE_SHARE, AT(conf_stream, floor), .initial = "88%",
      .help = "How sure the classifier must be of mail before it goes into "
              "this stream, where the stream is transactional." },
    { "priority", TYPE_CHOICE, AT(conf_stream, urgent), .initial = "normal",
      .choices = priorities, .foreign = "queue_priority",
      .help = "Urgent streams leave before all that are not." },
    { "weight", TYPE_COUNT, AT(conf_stream, weight), .initial = "1",
      .min = 1, .max = 1000,
      .help = "Share among the streams that are not urgent." },
    { "expires", TYPE_DURATION, AT(conf_stream, expires_ms), .initial = "4d",
      .min = 1000, .foreign = "bounce_after",
      .help = "Life in the queue; then the message bounces." },
    { "latency", TYPE_DURATION, AT(conf_stream, latency_ms), .initial = "0",
      .help = "Objective from acceptance to first attempt; 0: none." },
    { "route", TYPE_REFERENCE, AT(conf_stream, route),
      .section = &schema_routes, .initial = "default",
      .help = "Where its mail leaves." },
    { "retry", TYPE_SCHEDULE, AT(conf_stream, retry),
      .otherwise = "the route's, the limits' or the platform's",
      .foreign = "retry_after",
      .help = "Waits before the second, third ... attempt." },
    { "in_doubt", TYPE_CHOICE, AT(conf_stream, in_doubt), .initial = "retry",
      .choices = doubts,
      .help = "What to do with mail that may have been delivered when a "
              "worker died: send it again, or hold it, to be seen in the "
              "queue until it expires." },
    { "dsn", TYPE_CHOICE, AT(conf_stream, dsn), .initial = "mail",
      .choices = reports, .takes_flag = true,
      .help = "How failure, delay and relaying are told to the sender who is "
              "to hear of it (RFC 3461): mail (RFC 3464), a line of the event "
              "log, or both. true means mail, false event." },
    { "warn_after", TYPE_DURATION, AT(conf_stream, warn_after_ms),
      .initial = "4h", .foreign = "delay_warning_time",
      .help = "Time in the queue after which a delay is told, once; 0: "
              "never." },
    { "warn_unasked", TYPE_FLAG, AT(conf_stream, warn_unasked),
      .initial = "false",
      .help = "Tell of a delay where the client gave no NOTIFY, too; else "
              "only where it asked with NOTIFY=DELAY." },
};

static const struct schema_key match_keys[] = {
    { "stream", TYPE_REFERENCE, AT(conf_match, stream), .otherwise = "any",
      .section = &schema_streams, .help = "Mail of this stream." },
    { "account", TYPE_REFERENCE, AT(conf_match, account), .otherwise = "any",
      .section = &schema_accounts, .help = "Mail of this account." },
    { "tenant", TYPE_REFERENCE, AT(conf_match, tenant), .otherwise = "any",
      .section = &schema_tenants, .help = "Mail of this tenant." },
    { "sender_domain", TYPE_PATTERN, AT(conf_match, sender_domain),
      .otherwise = "any", .foreign = "mail_from",
      .help = "Domain of MAIL FROM: \"a.com\" or \"*.a.com\"." },
    { "recipient_domain", TYPE_PATTERN, AT(conf_match, recipient_domain),
      .otherwise = "any", .foreign = "rcpt_to",
      .help = "Domain of the recipient: \"b.com\" or \"*.b.com\"." },
    { "header", TYPE_HEADER, AT(conf_match, header), .otherwise = "any",
      .help = "A field of the message: \"X-Kind: promo*\"; '*' is any text." },
};

static const struct schema_section schema_matches = {
    .name = "match", .noun = "match",
    .help = "What mail takes this route, whatever its stream's route is. A "
            "match holds when all that it gives do; the first one of the "
            "first route wins. One condition at least.",
    .size = sizeof(struct conf_match), .has_place = true,
    .keys = match_keys, .key_count = ARRAY_LEN(match_keys),
};

static const struct schema_key route_keys[] = {
    { "name", TYPE_NAME, AT(conf_route, name), .is_required = true,
      .help = "Its name." },
    { "pool", TYPE_REFERENCE, AT(conf_route, pool), .section = &schema_pools,
      .initial = "default", .foreign = "virtual_mta_pool",
      .help = "The sources that its mail leaves from." },
    { "fallback", TYPE_REFERENCE, AT(conf_route, fallback),
      .section = &schema_routes, .otherwise = "mail waits",
      .help = "Route to take when no source of the pool can send." },
    { "retry", TYPE_SCHEDULE, AT(conf_route, retry),
      .otherwise = "the limits' or the platform's",
      .foreign = "retry_after",
      .help = "Waits before the second, third ... attempt, where the stream "
              "gives none." },
    { "sticky", TYPE_CHOICE, AT(conf_route, sticky), .initial = "no",
      .choices = stickies,
      .help = "What always leaves by the same source of the pool: nothing, all "
              "copies of a message, or all mail to a recipient. While that "
              "source is nowhere bound any other does." },
    { "match", TYPE_LIST, .offset = offsetof(struct conf_route, matches),
      .count_offset = offsetof(struct conf_route, match_count),
      .section = &schema_matches, .foreign = "pattern_list",
      .help = "Mail that takes this route before streams are asked." },
};

static const struct schema_key member_keys[] = {
    { "source", TYPE_REFERENCE, AT(conf_member, source), .is_required = true,
      .section = &schema_sources, .help = "A source." },
    { "weight", TYPE_COUNT, AT(conf_member, weight), .initial = "1",
      .max = 1000, .help = "Its share of the pool; 0: gets no new mail." },
};

static const struct schema_section schema_members = {
    .name = "sources", .noun = "member",
    .help = "The sources of the pool: a name, or a group with a weight. "
            "The name \"*\" stands for all sources.",
    .size = sizeof(struct conf_member), .takes_text = true,
    .keys = member_keys, .key_count = ARRAY_LEN(member_keys),
};

static const struct schema_key pool_keys[] = {
    { "name", TYPE_NAME, AT(conf_pool, name), .is_required = true,
      .help = "Its name." },
    { "sources", TYPE_LIST, .offset = offsetof(struct conf_pool, members),
      .count_offset = offsetof(struct conf_pool, member_count),
      .section = &schema_members, .is_required = true,
      .foreign = "virtual_mta", .help = "Its members." },
};

static const struct schema_key source_keys[] = {
    { "name", TYPE_NAME, AT(conf_source, name), .is_required = true,
      .help = "Its name." },
    { "address", TYPE_ADDRESS, AT(conf_source, address), .is_required = true,
      .foreign = "ip", .help = "IPv4 or IPv6 address of a worker host." },
    { "address6", TYPE_ADDRESS, AT(conf_source, address6), .otherwise = "none",
      .help = "IPv6 address of the same host, for a source that reaches both "
              "kinds of receivers; `address` is IPv4 then. It is used while it "
              "is bound." },
    { "proxy", TYPE_PROXY, AT(conf_source, proxy), .min = 1,
      .otherwise = "the address is bound on a worker host",
      .foreign = "socks5_proxy_server",
      .help = "For an address that is elsewhere: \"socks5://IP:PORT\", or "
              "\"haproxy://IP:PORT\", which gets a header of the PROXY "
              "protocol, version 2, and sends from the address that it says." },
    { "proxy_login_file", TYPE_PATH, AT(conf_source, proxy_login_file),
      .needs = NEED_ALL, .foreign = "socks5_proxy_password",
      .help = "Its first line is the login for a SOCKS5 proxy: "
              "NAME:PASSWORD." },
    { "proxy_workers", TYPE_TEXTS, AT(conf_source, proxy_workers),
      .otherwise = "all", .help = "Workers that use the proxy, by name." },
    { "ehlo", TYPE_DOMAIN, AT(conf_source, ehlo), .otherwise = "the host_name",
      .foreign = "host_name",
      .help = "Name that it says in EHLO; the PTR record should agree." },
};

static const struct schema_key provider_keys[] = {
    { "name", TYPE_NAME, AT(conf_provider, name), .is_required = true,
      .help = "Its name." },
    { "mx", TYPE_TEXTS, AT(conf_provider, mx),
      .help = "Patterns of MX host names: \"*.google.com\". A domain belongs "
              "to the provider when all its MX hosts match one." },
    { "domains", TYPE_DOMAINS, AT(conf_provider, domains),
      .help = "Recipient domains that belong to it in any case." },
};

#define LIMIT(kind)                                                            \
    .offset = offsetof(struct conf_limits, values[kind]),                      \
    .width = sizeof(uint64_t), .is_limit = true
/* Loopback, this network, link-local, multicast, reserved and broadcast: RFC
 * 6890. No receiver of public mail is there. */
#define NEVER_PUBLIC                                                           \
    "127.0.0.0/8, ::1, 0.0.0.0/8, ::, 169.254.0.0/16, fe80::/10, "             \
    "224.0.0.0/4, ff00::/8, 240.0.0.0/4"
#define WAIT .min = 1, .max = UINT64_C(3600000)

static const struct schema_key limit_keys[] = {
    { "provider", TYPE_REFERENCE, AT(conf_limits, provider),
      .section = &schema_providers, .otherwise = "none",
      .help = "The entry is about this provider." },
    { "domain", TYPE_DOMAIN, AT(conf_limits, domain), .otherwise = "none",
      .help = "The entry is about this recipient domain." },
    { "max_smtp_out", TYPE_COUNT, LIMIT(LIMIT_MAX_SMTP_OUT), .initial = "20",
      .min = 1, .max = 100000, .foreign = "max_connections",
      .help = "Connections at once, per source and site." },
    { "max_msg_rate", TYPE_RATE, LIMIT(LIMIT_MAX_MSG_RATE),
      .initial = "unlimited", .foreign = "max_message_rate",
      .help = "Messages tried, per source and site." },
    { "max_connect_rate", TYPE_RATE, LIMIT(LIMIT_MAX_CONNECT_RATE),
      .initial = "unlimited", .foreign = "max_connection_rate",
      .help = "Connections opened, per source and site." },
    { "max_msg_per_connection", TYPE_COUNT, LIMIT(LIMIT_MAX_MSG_PER_CONNECTION),
      .initial = "100", .max = UINT32_MAX,
      .foreign = "max_deliveries_per_connection",
      .help = "Messages before a connection is closed; 0: no limit." },
    { "max_rcpt_per_transaction", TYPE_COUNT,
      LIMIT(LIMIT_MAX_RCPT_PER_TRANSACTION), .initial = "100", .min = 1,
      .max = 10000, .foreign = "max_rcpt_per_message",
      .help = "Recipients in one SMTP transaction." },
    { "max_msg_in_flight", TYPE_COUNT, LIMIT(LIMIT_MAX_MSG_IN_FLIGHT),
      .initial = "4", .min = 1, .max = 8,
      .help = "Messages said on one connection before the reply to the first "
              "has come, where the receiver offers PIPELINING and CHUNKING." },
    { "chunking", TYPE_FLAG, LIMIT(LIMIT_CHUNKING), .initial = "true",
      .foreign = "use_chunking",
      .help = "Send the text by BDAT (RFC 3030) in one flight with its "
              "envelope, where the receiver offers CHUNKING." },
    { "smtp_port", TYPE_COUNT, LIMIT(LIMIT_SMTP_PORT), .initial = "25",
      .min = 1, .max = 65535, .foreign = "default_smtp_port",
      .help = "Port of the receiver's MX hosts." },
    { "tls", TYPE_CHOICE, LIMIT(LIMIT_TLS), .initial = "opportunistic",
      .choices = smtp_tls, .foreign = "use_starttls",
      .help = "Encrypt where offered, insist on it, or never do." },
    { "convert_8bit", TYPE_CHOICE, LIMIT(LIMIT_CONVERT_8BIT),
      .initial = "unsigned", .choices = converts,
      .foreign = "disable_mime_output_conversion",
      .help = "Which 8-bit messages are made 7-bit for receivers without "
              "8BITMIME or SMTPUTF8: those without a DKIM signature, which "
              "would not hold any more; all; or none. The rest bounces." },
    { "retry_after", TYPE_SCHEDULE, LIMIT(LIMIT_RETRY_AFTER),
      .otherwise = "the platform's retry",
      .foreign = "retry",
      .help = "Waits before the second, third ... attempt, where stream and "
              "route give none." },
    { "retry_as_asked", TYPE_FLAG, LIMIT(LIMIT_RETRY_AS_ASKED),
      .initial = "true", .foreign = "greylist",
      .help = "A 4yz reply that names its own wait (\"try again in 300 "
              "seconds\") is obeyed, for the first four attempts." },
    { "retry_same_source", TYPE_CHOICE, LIMIT(LIMIT_RETRY_SAME_SOURCE),
      .initial = "greylisted", .choices = same_sources,
      .help = "Which retries keep to the source that was deferred, while a "
              "worker holds it: those of greylisted mail, all, or none." },
    { "address_preference", TYPE_CHOICE, LIMIT(LIMIT_ADDRESS_PREFERENCE),
      .initial = "ipv6", .choices = families,
      .foreign = "smtp_address_preference",
      .help = "Which addresses of an MX host a source with `address6` tries "
              "first. When there is no connection after 1.5 s the other kind "
              "is tried; the order of MX hosts comes before all that." },
    { "connect_timeout", TYPE_DURATION, LIMIT(LIMIT_CONNECT_TIMEOUT),
      .initial = "30s", WAIT, .help = "Wait for a connection." },
    { "greeting_timeout", TYPE_DURATION, LIMIT(LIMIT_GREETING_TIMEOUT),
      .initial = "5m", WAIT, .foreign = "smtp_greeting_timeout",
      .help = "Wait for the greeting (RFC 5321 4.5.3.2.1)." },
    { "hello_timeout", TYPE_DURATION, LIMIT(LIMIT_HELLO_TIMEOUT),
      .initial = "5m", WAIT, .foreign = "ehlo_timeout",
      .help = "Wait for the reply to EHLO, HELO, STARTTLS or RSET." },
    { "mail_timeout", TYPE_DURATION, LIMIT(LIMIT_MAIL_TIMEOUT),
      .initial = "5m", WAIT, .foreign = "mail_from_timeout",
      .help = "Wait for the reply to MAIL (4.5.3.2.2)." },
    { "rcpt_timeout", TYPE_DURATION, LIMIT(LIMIT_RCPT_TIMEOUT),
      .initial = "5m", WAIT, .foreign = "rcpt_to_timeout",
      .help = "Wait for the reply to RCPT (4.5.3.2.3)." },
    { "data_timeout", TYPE_DURATION, LIMIT(LIMIT_DATA_TIMEOUT),
      .initial = "2m", WAIT, .help = "Wait for the reply to DATA (4.5.3.2.4)." },
    { "data_send_timeout", TYPE_DURATION, LIMIT(LIMIT_DATA_SEND_TIMEOUT),
      .initial = "3m", WAIT,
      .help = "Wait until a block of the message is taken (4.5.3.2.5)." },
    { "data_end_timeout", TYPE_DURATION, LIMIT(LIMIT_DATA_END_TIMEOUT),
      .initial = "10m", WAIT, .foreign = "smtp_data_termination_timeout",
      .help = "Wait for the reply to the final dot (4.5.3.2.6)." },
    { "idle_timeout", TYPE_DURATION, LIMIT(LIMIT_IDLE_TIMEOUT),
      .initial = "10s", .max = 600000, .foreign = "connection_idle_timeout",
      .help = "Keep an idle connection for the next message; 0: do not." },
    { "mx_deny", TYPE_TEXTS, LIMIT(LIMIT_MX_DENY), .otherwise = "none",
      .foreign = "skip_mx",
      .help = "MX hosts that mail never goes to, by patterns of their names: "
              "\"*.parked.example\". A domain that has no other bounces at "
              "once (5.7.1)." },
    { "prohibited", TYPE_RANGES, LIMIT(LIMIT_PROHIBITED),
      .initial = NEVER_PUBLIC, .foreign = "prohibited_hosts",
      .help = "Addresses that mail never goes to, whatever the DNS or an "
              "address literal says; ( ) permits all. A domain that has no "
              "other bounces at once (5.4.4). Private networks (10.0.0.0/8 "
              "...) are not in the default, since receivers may be in one's "
              "own." },
};

const struct schema_section schema_streams = {
    .name = "streams", .noun = "stream",
    .help = "Kinds of traffic. Without any: transactional (urgent, expires in "
            "1d), neutral and bulk (4d).",
    .size = sizeof(struct conf_stream), .has_place = true,
    .index_offset = offsetof(struct conf_stream, index),
    .keys = stream_keys, .key_count = ARRAY_LEN(stream_keys),
};

const struct schema_section schema_routes = {
    .name = "routes", .noun = "route",
    .help = "Where mail leaves. Without any: one, \"default\", to the pool "
            "\"default\".",
    .size = sizeof(struct conf_route), .has_place = true,
    .keys = route_keys, .key_count = ARRAY_LEN(route_keys),
};

const struct schema_section schema_pools = {
    .name = "pools", .noun = "pool",
    .help = "Weighted sets of sources. Without any: one, \"default\", of all "
            "sources.",
    .size = sizeof(struct conf_pool), .has_place = true,
    .index_offset = offsetof(struct conf_pool, index),
    .keys = pool_keys, .key_count = ARRAY_LEN(pool_keys),
};

const struct schema_section schema_sources = {
    .name = "sources", .noun = "source",
    .help = "IP addresses that mail leaves from; bound on some worker host.",
    .size = sizeof(struct conf_source), .has_place = true,
    .index_offset = offsetof(struct conf_source, index),
    .keys = source_keys, .key_count = ARRAY_LEN(source_keys),
};

const struct schema_section schema_providers = {
    .name = "providers", .noun = "provider",
    .help = "Receivers known by their MX hosts: all their domains are one "
            "site.",
    .size = sizeof(struct conf_provider), .has_place = true,
    .keys = provider_keys, .key_count = ARRAY_LEN(provider_keys),
};

const struct schema_section schema_limits = {
    .name = "limits", .noun = "entry of limits",
    .help = "Limits and manners towards receivers. An entry without provider "
            "and domain holds for all. Each value comes from the most "
            "specific entry that gives it: domain, provider, all; the "
            "defaults below are those of the entry for all.",
    .size = sizeof(struct conf_limits), .has_place = true,
    .keys = limit_keys, .key_count = ARRAY_LEN(limit_keys),
};
/* clang-format on */
