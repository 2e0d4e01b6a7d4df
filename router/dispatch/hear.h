/*
 * hear.h - what workers say, and what their silence means.
 *
 * A worker is live from its HELLO on. Any frame shows that it is alive. One
 * that was silent for bus.lease_ms, or whose name says HELLO with a new boot, is
 * lost: what it had is in doubt (place_in_doubt), unless that HELLO names the
 * boot that we knew as a former life whose journal it has read: then what it
 * claims may have been sent, and all else goes out again as if it never had.
 * A frame of somebody unknown is answered with a BEAT of boot 0, which no router
 * has: he says HELLO, and in it what he holds.
 */
#ifndef ROUTER_DISPATCH_HEAR_H
#define ROUTER_DISPATCH_HEAR_H

#include "router/dispatch/core.h"

/* A bus_fn; the context is the dispatch. */
void hear_frame(void *context, const struct bus_peer *peer, struct slice head,
                struct slice body);

/* Loses those that are silent. */
void hear_tick(struct dispatch *dispatch);

/* Gives up leases that are too old. */
void hear_sweep(struct dispatch *dispatch);

/* BEAT to all. */
void hear_beat_all(struct dispatch *dispatch);

/* WELCOME to all, after a reload: counts begin anew. */
void hear_welcome_all(struct dispatch *dispatch);

#endif
