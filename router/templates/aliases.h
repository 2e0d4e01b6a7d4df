/*
 * aliases.h - ids that templates had before, and which they have now.
 *
 * Of two routers that met a template under different ids one takes the other's
 * (exchange.h), but the first messages, the log and people know the old one. So
 * that is kept for as long as there is room: the oldest of ALIASES_MAX goes.
 *
 * For one shard, without a lock.
 */
#ifndef ROUTER_TEMPLATES_ALIASES_H
#define ROUTER_TEMPLATES_ALIASES_H

#include <stdbool.h>
#include <stdint.h>

#include "router/templates/finder.h"

#define ALIASES_MAX  2048u
#define ALIASES_HOPS 4u /* from one that was renamed again; a ring ends, too */

struct alias {
    uint64_t before;
    uint64_t now;
    uint32_t since_utc_s;
};

struct aliases {
    struct alias *items;
    uint32_t count;
    uint32_t oldest; /* of a full array */
    struct finder finder;
};

void aliases_init(struct aliases *aliases);
void aliases_release(struct aliases *aliases);

/* False: that was known already, or a later word. */
bool aliases_put(struct aliases *aliases, const struct alias *alias);

/* One hop; NULL: it has no alias. */
const struct alias *aliases_find(const struct aliases *aliases,
                                 uint64_t before);

#endif
