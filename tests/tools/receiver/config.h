/*
 * config.h - what each provider is told to be.
 *
 * One libconfig file describes the whole simulated world; README.md lists its
 * keys. It is read once at start and is const from then on. All strings live
 * as long as the world. A key that nobody knows is an error: a misspelt limit
 * would be a test that cannot fail.
 */
#ifndef RECEIVER_CONFIG_H
#define RECEIVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_t; /* libconfig's; known to config.c alone */

/* The moments at which a provider can be told to behave in a special way. */
enum step {
    STEP_CONNECT,
    STEP_EHLO,
    STEP_STARTTLS,
    STEP_MAIL,
    STEP_RCPT,
    STEP_DATA,
    STEP_DOT, /* end of the message, by dot or BDAT LAST */
    STEP_QUIT,
    STEP_COUNT,
};

/* What a rule does. */
enum deed {
    DEED_REPLY,          /* says rule.reply instead of the usual */
    DEED_WAIT,           /* usual reply, only later or drop by drop */
    DEED_SILENCE,        /* never says anything again */
    DEED_CLOSE,          /* drops the connection; a message is not kept */
    DEED_TAKE_AND_CLOSE, /* as CLOSE, but the message is kept: in doubt */
    DEED_GARBAGE,        /* says bytes that are no SMTP reply */
    DEED_COUNT,
};

enum capability {
    CAP_PIPELINING = 1u << 0,
    CAP_SIZE = 1u << 1,
    CAP_8BITMIME = 1u << 2,
    CAP_SMTPUTF8 = 1u << 3,
    CAP_STARTTLS = 1u << 4,
    CAP_CHUNKING = 1u << 5,
    CAP_DSN = 1u << 6,
    CAP_ENHANCEDSTATUSCODES = 1u << 7,
};

enum tls_kind {
    TLS_NONE,
    TLS_SELF_SIGNED, /* made at start, for the provider's host name */
    TLS_FILES,       /* tls_cert, tls_key */
    TLS_BROKEN,      /* says 220, then bytes that are no handshake */
    TLS_OLD,         /* self-signed, speaks TLS 1.0 only */
    TLS_FORGETFUL,   /* self-signed; whoever offers an old session fails */
    TLS_REFUSED,     /* offers STARTTLS, answers it with 454 */
    TLS_KIND_COUNT,
};

/* The rules that a provider enforces by itself; each has a reply text. */
enum limit {
    LIMIT_CONNECTIONS,
    LIMIT_MESSAGES,
    LIMIT_RATE,
    LIMIT_RCPTS,
    LIMIT_SIZE,
    LIMIT_GREYLIST,
    LIMIT_RELAY,
    LIMIT_COUNT,
};

struct rule {
    enum step at;
    enum deed deed;
    const char *match;  /* "" matches any argument */
    const char *source; /* start of the source address; "" is any */
    const char *reply;  /* lines parted by \n; {ip} {rcpt} {id} are filled */
    uint32_t percent;   /* evenly spread share of the matches; 0: unused */
    uint32_t every;     /* each n-th match; 0: unused */
    uint32_t first;     /* the first n matches only; 0: unused */
    uint32_t delay_ms;
    uint32_t drip_ms; /* between single bytes; 0: all at once */
};

struct endpoint {
    char host[64];
    uint16_t port;
};

struct provider_config {
    const char *name;
    const char *host_name; /* in banner and EHLO reply */
    struct endpoint *listens;
    size_t listen_count;
    const char **domains; /* "*" stands for all */
    size_t domain_count;

    bool ehlo; /* false: EHLO gets 502, HELO works */
    uint32_t capabilities;
    uint64_t size_max_bytes;

    enum tls_kind tls;
    const char *tls_cert;
    const char *tls_key;
    bool tls_tickets; /* gives sessions to be resumed */

    /* 0 means no limit */
    uint32_t connections_per_source;
    uint32_t messages_per_connection;
    uint32_t messages_per_second; /* per source */
    uint32_t messages_per_minute; /* per source */
    uint32_t rate_slack_ms;       /* forgiven in each rate window */
    uint32_t rcpts_per_message;
    uint32_t greylist_ms;

    uint32_t delays_ms[STEP_COUNT];
    uint32_t drip_ms;
    const char *limit_replies[LIMIT_COUNT];
    struct rule *rules; /* own ones, then those common to all */
    size_t rule_count;
};

struct world {
    struct config_t *file; /* owns the strings */
    const char *record_path;
    const char *stats_path;
    const char *eml_folder; /* NULL: messages are not kept */
    uint32_t idle_ms;       /* a quiet client is told 421 and dropped */
    struct provider_config *providers;
    size_t provider_count;
};

/* Reads the file. False after an error, which is on stderr with its line;
 * `world` then holds nothing. */
bool world_load(struct world *world, const char *path);
void world_release(struct world *world);

#endif
