/*
 * bus_curve.h - who may talk on a bus: CURVE keys, and the door-keeper that
 * admits workers by key. For bus.c alone; the second file that knows libzmq.
 *
 * CurveZMQ (RFC 26) proves that a peer owns its key and encrypts what it says;
 * which keys are welcome libzmq asks by ZAP (RFC 27) at one fixed endpoint of
 * the context, and it admits everybody when nobody listens there. So a door
 * is opened before the socket that it guards is bound. The loop serves it: a
 * peer waits in its handshake until the loop turns.
 */
#ifndef COMMON_EDGE_BUS_CURVE_H
#define COMMON_EDGE_BUS_CURVE_H

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/bus.h"
#include "common/edge/loop.h"

#define BUS_KEY_TEXT_SIZE 41 /* Z85 of 32 bytes, and a NUL */

struct bus_door;

/* Opens the door of a router's context for the keys->workers. */
struct bus_door *bus_door_new(struct loop *loop, void *zmq,
                              const struct bus_keys *keys,
                              struct fault *fault) must_check;
void bus_door_free(struct bus_door **door);

/* Makes a socket that is not yet bound demand CURVE; its door must stand. */
enum rc bus_curve_router(void *socket, const struct bus_keys *keys,
                         struct fault *fault) must_check;

/* Gives a worker's socket its own key and the router's; tells the own public
 * key, by which the router knows it. */
enum rc bus_curve_worker(void *socket, const struct bus_keys *keys,
                         char public_key[BUS_KEY_TEXT_SIZE],
                         struct fault *fault) must_check;

#endif
