/*
 * crowd.h - who is connected to one listener, counted over all threads.
 *
 * Connections in all and per client (net.h). Bounded by the connections
 * themselves: a client with none takes no memory. Any thread; references are
 * counted, the last one frees.
 */
#ifndef ROUTER_SUBMISSION_CROWD_H
#define ROUTER_SUBMISSION_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "router/submission/net.h"

struct crowd;

struct crowd_limits {
    uint32_t total;
    uint32_t per_client;
};

struct crowd *crowd_new(void) must_check;
struct crowd *crowd_hold(struct crowd *crowd);
void crowd_release(struct crowd **crowd); /* accepts NULL inside */

/* One more connection; false: a limit is reached and nothing was counted. */
bool crowd_enter(struct crowd *crowd, const struct net *net,
                 struct crowd_limits limits) must_check;
void crowd_leave(struct crowd *crowd, const struct net *net);

#endif
