/*
 * conf.h - the configuration, checked and typed: what every process runs on.
 *
 * The loader (config/loader.h) turns a file set into one `struct conf`, or into
 * a list of errors and nothing else. A conf never changes once it is loaded;
 * a reload makes a new one, and whoever still uses the old one holds a
 * reference to it (conf_hold / conf_release, from any thread).
 *
 * All text is NUL-terminated and lives as long as the conf. Times are
 * milliseconds, sizes bytes. Every object carries the place it was written at,
 * so that `explain` and error texts can name file and line. References between
 * objects (a stream's route, a route's pool ...) are resolved to pointers.
 * Names within one kind are unique.
 */
#ifndef CONFIG_CONF_H
#define CONFIG_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/iprange.h"
#include "common/base/slice.h"

/* Where a value was written; line 0 and file "default" when nowhere. */
struct conf_place {
    const char *file;
    unsigned line;
};

struct conf_texts {
    const char **items;
    size_t count;
};

struct conf_ranges {
    struct iprange *items;
    size_t count;
};

/* An IP address and a port, or a Unix path; see common/edge/addr.h. */
struct conf_endpoint {
    const char *text; /* as written: "127.0.0.1:587", "[::1]:25" */
    const char *host; /* IP literal without brackets */
    uint16_t port;
};

/* "100/min": at most `count` in `window_ms`. count 0 means no limit. */
struct conf_rate {
    uint32_t count;
    uint64_t window_ms;
};

/* Waits before attempt 2, 3, ...; the last one repeats. Growth is written out
 * (waits.h). */
struct conf_schedule {
    uint64_t *waits_ms;
    size_t count;             /* at least 1 */
    uint32_t jitter_permille; /* each may be longer by so much */
    const char *text;         /* as written: "1m,5m,30m", "1m*2..4h ~20%" */
};

enum conf_listener_tls { LISTENER_STARTTLS, LISTENER_IMPLICIT, LISTENER_PLAIN };
enum conf_bare_newline { BARE_NEWLINE_REJECT, BARE_NEWLINE_NORMALISE };

struct conf_listener {
    struct conf_place place;
    const char *name;
    struct conf_endpoint address;
    enum conf_listener_tls tls;
    bool require_auth;           /* false only where the operator says so */
    bool allow_auth_without_tls; /* never by default */
    const char *account;         /* for unauthenticated mail; NULL: refuse */
    const struct conf_stream *stream; /* what arrives here declares; NULL */
    struct conf_texts complaints;     /* addresses that take reports of abuse */
    enum conf_bare_newline bare_newline;
    uint32_t max_connections;
    uint32_t max_connections_per_ip;
    uint64_t max_message_size;
    uint32_t max_recipients;
    uint32_t max_messages_per_connection; /* 0: no limit */
    uint32_t max_errors;                  /* bad commands before 421 */
    uint64_t command_timeout_ms;
    uint64_t data_timeout_ms;    /* whole DATA phase without progress */
    uint64_t session_timeout_ms; /* total before AUTH (slow clients) */
};

struct conf_tls {
    struct conf_place place;
    const char *certificate_file; /* PEM chain; NULL: no TLS offered */
    const char *key_file;         /* PEM */
    const char *min_version;      /* "1.2" or "1.3" */
};

struct conf_tenant {
    struct conf_place place;
    const char *name;
    uint32_t weight; /* share inside a band; 1 by default */
};

enum conf_trust { TRUST_VERIFY, TRUST_ALWAYS, TRUST_NEVER };
enum conf_account_mode {
    ACCOUNT_AS_ALL,
    ACCOUNT_OBSERVE,
    ACCOUNT_ENFORCE,
    ACCOUNT_OFF,
};

/* What "+STREAM" in a recipient's local part means. */
enum conf_recipient_tag {
    RECIPIENT_TAG_IGNORE,
    RECIPIENT_TAG_READ,
    RECIPIENT_TAG_STRIP
};

struct conf_account {
    struct conf_place place;
    const char *name; /* the AUTH user */
    const struct conf_tenant *tenant;
    const char *password_hash; /* crypt(5), yescrypt; from file or inline */
    const char *password_file; /* where the hash was read; NULL: inline */
    struct conf_texts from_domains; /* lower case; ".example.com": subdomains */
    const struct conf_stream *stream; /* account default; NULL: none */
    enum conf_trust declared;         /* what a declared stream is worth */
    enum conf_recipient_tag recipient_tag;
    const char
        *feedback_id; /* the sender's in Feedback-ID; NULL: none is set */
    enum conf_account_mode mode; /* of the classifier, for its mail */
    uint64_t max_message_size;   /* 0: the listener's */
    uint32_t max_recipients;     /* 0: the listener's */
};

enum conf_class { CLASS_TRANSACTIONAL, CLASS_NEUTRAL, CLASS_BULK };
#define CONF_CLASS_COUNT 3

enum conf_in_doubt { IN_DOUBT_RETRY, IN_DOUBT_HOLD };

/* Reports of failure, delay and relaying: a line of the event log, mail to the
 * sender, or both. */
enum conf_dsn { REPORT_EVENT, REPORT_MAIL, REPORT_BOTH };

struct conf_stream {
    struct conf_place place;
    const char *name;
    unsigned index;        /* position in conf->streams */
    enum conf_class class; /* which kind of mail it carries: its level */
    bool urgent;           /* strict priority over all that are not */
    uint32_t weight;       /* share among the streams that are not urgent */
    uint64_t expires_ms;   /* bounce_after: life in the queue */
    uint32_t floor;        /* hundredths of a per cent: how sure mail of it must
                              be, where it is transactional */
    uint64_t latency_ms;   /* objective, accept to first attempt; 0: none */
    const struct conf_route *route;
    const struct conf_schedule *retry; /* NULL: see conf_retry() */
    enum conf_in_doubt in_doubt;
    enum conf_dsn dsn;      /* how reports of its mail are made */
    uint64_t warn_after_ms; /* in the queue, before a delay is told; 0: never */
    bool warn_unasked;      /* also where the client gave no NOTIFY */
};

/* One line of a route's `match` list; NULL fields match everything. A rule
 * matches when all its given fields do; the first matching rule of the first
 * route in file order wins over the stream's route. */
struct conf_match {
    struct conf_place place;
    const struct conf_stream *stream;
    const struct conf_account *account;
    const struct conf_tenant *tenant;
    const char *sender_domain;    /* of MAIL FROM; "*.x" allowed */
    const char *recipient_domain; /* "*.x" allowed */
    const char *header;           /* field name */
    const char *header_value;     /* glob with *, ASCII case ignored */
};

/* What always takes the same source of the pool. */
enum conf_sticky { STICKY_NO, STICKY_MESSAGE, STICKY_RECIPIENT };

struct conf_route {
    struct conf_place place;
    const char *name;
    const struct conf_pool *pool;
    const struct conf_route *fallback; /* NULL: wait; never a cycle */
    const struct conf_schedule *retry; /* NULL: see conf_retry() */
    enum conf_sticky sticky;
    struct conf_match *matches;
    size_t match_count;
};

enum conf_proxy_kind { CONF_PROXY_NONE, CONF_PROXY_SOCKS5, CONF_PROXY_HAPROXY };

struct conf_proxy {
    enum conf_proxy_kind kind;
    struct conf_endpoint at;
};

struct conf_source {
    struct conf_place place;
    const char *name;
    unsigned index;          /* position in conf->sources */
    const char *address;     /* IP literal */
    const char *address6;    /* IPv6 literal, where `address` is IPv4; NULL */
    const char *ehlo;        /* EHLO name */
    struct conf_proxy proxy; /* kind NONE: the address is bound here */
    const char *proxy_login_file;    /* NULL: none */
    const char *proxy_login;         /* read of it: "NAME:PASSWORD"; NULL */
    struct conf_texts proxy_workers; /* that use the proxy; none: all */
};

struct conf_member {
    const struct conf_source *source;
    uint32_t weight;
};

struct conf_pool {
    struct conf_place place;
    const char *name;
    unsigned index; /* position in conf->pools */
    struct conf_member *members;
    size_t member_count; /* at least 1 */
};

/* A named receiver, known by its MX hosts. */
struct conf_provider {
    struct conf_place place;
    const char *name;
    struct conf_texts mx;      /* globs over MX host names, all must match */
    struct conf_texts domains; /* recipient domains that belong to it anyway */
};

/* Limits and manners towards a receiver. A value comes from the most specific
 * entry that sets it: domain, then provider, then "default". */
enum conf_limit_kind {
    LIMIT_MAX_SMTP_OUT,           /* connections per (source x site) */
    LIMIT_MAX_MSG_RATE,           /* rate, messages per (source x site) */
    LIMIT_MAX_CONNECT_RATE,       /* rate, connections likewise */
    LIMIT_MAX_MSG_PER_CONNECTION, /* 0: no limit */
    LIMIT_MAX_RCPT_PER_TRANSACTION,
    LIMIT_MAX_MSG_IN_FLIGHT, /* on one connection, without a reply */
    LIMIT_SMTP_PORT,
    LIMIT_CHUNKING,           /* flag: BDAT where offered */
    LIMIT_TLS,                /* enum conf_smtp_tls */
    LIMIT_CONVERT_8BIT,       /* enum conf_convert */
    LIMIT_RETRY_AFTER,        /* schedule */
    LIMIT_RETRY_AS_ASKED,     /* flag: a reply may name its own wait */
    LIMIT_RETRY_SAME_SOURCE,  /* enum conf_same_source */
    LIMIT_ADDRESS_PREFERENCE, /* enum conf_family */
    LIMIT_CONNECT_TIMEOUT,
    LIMIT_GREETING_TIMEOUT,
    LIMIT_HELLO_TIMEOUT,
    LIMIT_MAIL_TIMEOUT,
    LIMIT_RCPT_TIMEOUT,
    LIMIT_DATA_TIMEOUT,
    LIMIT_DATA_SEND_TIMEOUT,
    LIMIT_DATA_END_TIMEOUT,
    LIMIT_IDLE_TIMEOUT, /* keep an idle connection this long */
    LIMIT_MX_DENY,      /* texts, globs of MX host names never to be used */
    LIMIT_PROHIBITED,   /* ranges of addresses never to be used */
    LIMIT_KIND_COUNT,
};

/* Whose retries keep to the source that was deferred. */
enum conf_same_source { SAME_NEVER, SAME_GREYLISTED, SAME_ALWAYS };

/* Of a host with both kinds of addresses these go first. */
enum conf_family { FAMILY_IPV6, FAMILY_IPV4 };

/* Which 8-bit messages are converted for receivers that take none. */
enum conf_convert { CONVERT_UNSIGNED, CONVERT_ALWAYS, CONVERT_NEVER };

enum conf_smtp_tls { SMTP_TLS_OPPORTUNISTIC, SMTP_TLS_REQUIRED, SMTP_TLS_OFF };

struct conf_limit {
    bool is_set;
    struct conf_place place;
    uint64_t number; /* count, ms, port or enum */
    struct conf_rate rate;
    const struct conf_schedule *schedule;
    struct conf_texts texts;
    struct conf_ranges ranges;
};

enum conf_limits_scope { SCOPE_DEFAULT, SCOPE_PROVIDER, SCOPE_DOMAIN };

struct conf_limits {
    struct conf_place place;
    enum conf_limits_scope scope;
    const char *name; /* "default", provider's or domain's */
    const struct conf_provider *provider; /* SCOPE_PROVIDER only */
    const char *domain;                   /* SCOPE_DOMAIN only, lower case */
    struct conf_limit values[LIMIT_KIND_COUNT];
};

/* A declared intent of the operator: mail that matches is declared `stream`. */
struct conf_rule {
    struct conf_place place;
    const char *name;
    const struct conf_account *account; /* NULL: any */
    const char *header;
    const char *header_value; /* glob */
    const char *sender;       /* glob over MAIL FROM */
    const struct conf_stream *stream;
};

enum conf_mode { MODE_OBSERVE, MODE_ENFORCE, MODE_OFF };
enum conf_disagree { DISAGREE_MOVE, DISAGREE_REJECT, DISAGREE_TAG };

/* What a template of messages may do before it is proven (classifier/guard). */
struct conf_probation {
    uint32_t recipients; /* protected ones, in `per` */
    uint64_t per_ms;
    uint32_t tenant; /* of all its unproven templates, in `per` */
    uint64_t trust_after_ms;
};

/* When it goes to so many at once that it stops being protected. */
struct conf_trip {
    uint32_t recipients;
    uint64_t within_ms;
};

/* What ends its trust; hundredths of a per cent. */
struct conf_feedback {
    uint32_t complaints;
    uint32_t hard_bounces;
    const char *key_file; /* NULL: none */
    const char *key;      /* read of it; NULL: none */
};

struct conf_classifier {
    struct conf_place place;
    enum conf_mode mode;
    enum conf_disagree disagree;
    struct conf_texts declare_in; /* more fields that declare a stream */
    const char *model;            /* a file; NULL: the one that ships */
    const char *samples;      /* folder of what was corrected; NULL: not kept */
    uint32_t max_recipients;  /* more in one message are not protected */
    uint32_t bulk_recipients; /* that many in one message are bulk */
    /* Where mail of each class goes when nobody declared a stream. */
    const struct conf_stream *streams[CONF_CLASS_COUNT];
    const struct conf_stream *personal; /* people to people */
    const struct conf_stream *system;   /* reports and the like */
    struct conf_rule *rules;
    size_t rule_count;
    struct conf_probation probation;
    struct conf_trip trip;
    struct conf_feedback feedback;
    uint32_t max_templates; /* that a router remembers */
};

struct conf_spool {
    struct conf_place place;
    const char *path;
    uint64_t segment_size;
    uint64_t body_cache; /* bytes of bodies kept in memory */
    uint64_t min_free;   /* soft mark: below it new mail gets 452 */
    uint64_t min_free_inodes;
    uint64_t hard_free; /* hard mark: below it no message is written */
    uint64_t hard_free_inodes;
    uint32_t max_recipients; /* queued in all; above it 452 */
};

struct conf_resolver {
    struct conf_place place;
    struct conf_endpoint address;
    uint64_t timeout_ms;
    uint32_t tries;
    uint64_t max_ttl_ms; /* answers are asked for again after at most this */
};

struct conf_state {
    struct conf_place place;
    const char *redis; /* "private" or a URL: see common/edge/store_url.h */
    const char *user;  /* ACL user; NULL: the default one */
    const char *password_file; /* NULL: none */
    const char *ca_file;       /* for TLS; NULL: the system's */
    const char *prefix;        /* of every key */
};

struct conf_router {
    struct conf_place place;
    const char *name;
    uint32_t number; /* 0-1023, unique in the cluster: part of message ids */
    struct conf_endpoint control; /* HTTP; host NULL: Unix socket in run_dir */
    const char *bus; /* ZeroMQ endpoint it binds: ipc://... or tcp://... */
};

struct conf_bus {
    struct conf_place place;
    const char *key_file;      /* CURVE secret key of this process; or NULL */
    struct conf_texts workers; /* CURVE public keys of workers let in */
    const char *router_key;    /* CURVE public key of the routers */
    uint64_t beat_ms;
    uint64_t lease_ms;
};

struct conf_log {
    struct conf_place place;
    const char *level;  /* "debug", "info", "warning", "error" */
    const char *events; /* path of the event log; "-" is stdout */
};

/* What becomes of a report of ours that fails. */
enum conf_double_bounce { DOUBLE_DROP, DOUBLE_POSTMASTER };

struct conf {
    const char *host_name; /* of this platform: Received, Message-ID, EHLO */
    const char *postmaster;
    enum conf_double_bounce double_bounce;
    const char *user;    /* to run as once ports are bound; NULL: stay */
    const char *run_dir; /* sockets, journals */
    uint32_t workers;    /* processes that `serve` starts */
    uint32_t submission_threads;
    uint64_t max_incoming_memory; /* bytes of mail being received, in all */
    struct conf_schedule retry;

    struct conf_listener *listeners;
    size_t listener_count;
    struct conf_tls tls;
    struct conf_tenant *tenants;
    size_t tenant_count;
    struct conf_account *accounts;
    size_t account_count;
    struct conf_stream *streams;
    size_t stream_count;
    struct conf_route *routes;
    size_t route_count;
    struct conf_pool *pools;
    size_t pool_count;
    struct conf_source *sources;
    size_t source_count;
    struct conf_provider *providers;
    size_t provider_count;
    struct conf_limits *limits; /* default first, then in file order */
    size_t limits_count;
    struct conf_router *routers;
    size_t router_count; /* at least 1 */
    struct conf_classifier classifier;
    struct conf_spool spool;
    struct conf_resolver resolver;
    struct conf_state state;
    struct conf_bus bus;
    struct conf_log log;
    uint64_t digest; /* of the text: equal on all hosts that run the same */
};

/* One more reference to *conf; returns it. */
struct conf *conf_hold(struct conf *conf);

/* Gives a reference back and nulls the pointer; the last one frees. Accepts
 * NULL inside. */
void conf_release(struct conf **conf);

/* Look-ups by exact name; NULL when there is none. Accounts are hashed, the
 * rest are short lists. */
const struct conf_account *conf_account(const struct conf *conf,
                                        struct slice name);
const struct conf_stream *conf_stream(const struct conf *conf,
                                      struct slice name);
const struct conf_route *conf_route(const struct conf *conf, struct slice name);
const struct conf_pool *conf_pool(const struct conf *conf, struct slice name);
const struct conf_source *conf_source(const struct conf *conf,
                                      struct slice name);
const struct conf_tenant *conf_tenant(const struct conf *conf,
                                      struct slice name);
const struct conf_router *conf_router(const struct conf *conf,
                                      struct slice name);

/* The URL of state.redis; "private" is the socket that `serve` makes. Returns
 * `url`, or the config's own text. */
#define CONF_REDIS_URL_SIZE 512
const char *conf_redis_url(const struct conf *conf,
                           char url[CONF_REDIS_URL_SIZE]);

/* The provider of a domain with these MX hosts (best preference first); NULL
 * when none is configured for it. */
const struct conf_provider *conf_provider_of(const struct conf *conf,
                                             struct slice domain,
                                             const struct slice *mx_hosts,
                                             size_t mx_count);

/* The value in force for a site: `domain` is the recipient domain, `provider`
 * may be NULL. Never NULL: the default entry sets every kind. */
const struct conf_limit *conf_limit(const struct conf *conf,
                                    enum conf_limit_kind kind,
                                    struct slice domain,
                                    const struct conf_provider *provider);

/* The waits between attempts, and who gives them: the stream, the route, the
 * limits for the site, the platform, in this order. `domain` and `provider` as
 * for conf_limit(). */
struct conf_retry {
    const struct conf_schedule *schedule; /* never NULL */
    const char *by;   /* "stream", "route", "limits", "platform" */
    const char *name; /* of the stream or route; else NULL */
};
struct conf_retry conf_retry(const struct conf *conf,
                             const struct conf_stream *stream,
                             const struct conf_route *route,
                             struct slice domain,
                             const struct conf_provider *provider);

/* The option's name in the file: "max_smtp_out" ... */
const char *conf_limit_name(enum conf_limit_kind kind);

#endif
