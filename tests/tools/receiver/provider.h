/*
 * provider.h - one provider while it plays: its memory, its rules, its counts.
 *
 * A provider decides whether a connection, a message, a recipient is welcome,
 * and counts what was not. It does no I/O and reads no clock. Rates are exact:
 * a window slides over the times of the last n messages, so that n + 1 within
 * one second are seen however they fall on the clock. All counts last until
 * the process ends.
 *
 * Counts of one provider, as JSON:
 *     connections, connections_now, messages, recipients, tls_connections
 *     sources    { ip: { connections, now, max, messages } }
 *     refused    { "550": n }        replies of 4yz and 5yz by code
 *     violations { "rate": n }       own limits that a client went over
 *     wire_violations { "bare_lf": n }
 */
#ifndef RECEIVER_PROVIDER_H
#define RECEIVER_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "table.h"
#include "text.h"

/* The last n times at which something was allowed. */
struct window {
    uint64_t *times_ms; /* NULL until first used */
    uint32_t next;
};

struct source {
    uint32_t open;
    uint32_t open_max;
    uint64_t connections;
    uint64_t messages;
    struct window second;
    struct window minute;
};

struct provider {
    const struct provider_config *config;
    struct table sources;    /* struct source by address */
    struct table greylist;   /* uint64_t first try, ms, by ip|sender|rcpt */
    struct table refused;    /* uint64_t by code */
    struct table violations; /* uint64_t by kind */
    struct table wire;       /* uint64_t by kind */
    uint64_t *rule_matches;  /* one for each rule */
    uint64_t connections;
    uint64_t tls_connections;
    uint64_t messages;
    uint64_t recipients;
};

void provider_init(struct provider *provider,
                   const struct provider_config *config);
void provider_release(struct provider *provider);

struct source *provider_source(struct provider *provider, const char *ip);

/* Takes one message from the source's allowance. False if that is used up:
 * nothing is taken then. */
bool provider_take_rate(const struct provider *provider, struct source *source,
                        uint64_t now_ms);

/* Whether this recipient has waited long enough since its first try. */
bool provider_greylist_passed(struct provider *provider, const char *ip,
                              const char *sender, const char *rcpt,
                              uint64_t now_ms);

/* Whether mail to this address (no brackets) is for one of our domains. */
bool provider_has_domain(const struct provider *provider, const char *address);

/* The first rule that speaks up here, or NULL. `argument` is what the rule's
 * match is searched in. Counts the match of each rule that it passes. */
const struct rule *provider_rule(struct provider *provider, enum step step,
                                 const char *ip, const char *argument);

void provider_count_refused(struct provider *provider, const char *reply);
void provider_count_violation(struct provider *provider, const char *kind);
void provider_count_wire(struct provider *provider, const char *kind);

/* Adds all counts as one JSON object. */
void provider_counts_json(const struct provider *provider, struct text *json);

#endif
