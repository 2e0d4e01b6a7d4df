/*
 * sticky.h - which source of its pool a message, or a recipient, always takes.
 *
 * By weighted rendezvous hashing over the names of the sources: shares follow
 * the weights, every router comes to the same answer without asking anybody, and
 * when a source joins or leaves only its own share moves. Whether the source can
 * send now is not asked here. Pure.
 */
#ifndef ROUTER_ROUTING_STICKY_H
#define ROUTER_ROUTING_STICKY_H

#include <stdint.h>

#include "common/base/slice.h"
#include "config/conf.h"

/* NULL: the route does not ask for it. `id` is the message's, `recipient` an
 * address; its case does not count. */
const struct conf_source *sticky_source(const struct conf_route *route,
                                        uint64_t id, struct slice recipient);

#endif
