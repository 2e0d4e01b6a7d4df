/*
 * order.h - what an operator typed behind `sendyard queue`. Pure.
 *
 *     queue VERB [options] [criteria] [ID ...]
 *
 * Criteria are the names of actions/filter.h as options (--stream bulk --older
 * 2h); ids may stand bare. Options: --all, --why TEXT, --for TIME (pause), --to
 * ROUTE (reroute), --text TEXT (bounce), --limit N, --after ID (list), --yes,
 * --dry-run, --wait, and those of options.h.
 */
#ifndef ROUTER_CONTROL_ORDER_H
#define ROUTER_CONTROL_ORDER_H

#include <stdbool.h>
#include <stdio.h>

#include "common/base/buf.h"
#include "router/actions/action.h"
#include "router/control/options.h"

enum order_verb {
    ORDER_OVERVIEW, /* no verb */
    ORDER_LIST,
    ORDER_RESUME,
    ORDER_ACT, /* as `kind` says */
};

struct order {
    enum order_verb verb;
    enum action_kind kind;
    struct options options;
    struct buf filter; /* canonical text; empty: none was given */
    uint64_t for_ms;
    const char *why;
    const char *route;
    const char *limit;
    const char *after;
    bool all;
    bool yes;
    bool dry_run;
    bool wait;
    bool help;
};

/* Reads argv; false after `err` was told what is wrong. order_release() in any
 * case. */
bool order_read(int argc, char *const *argv, struct order *order, FILE *err);
void order_release(struct order *order);

/* The verbs and what they do; of one, or (NULL) of all. */
void order_print_help(const struct order *order, FILE *out);

#endif
