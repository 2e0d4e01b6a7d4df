/*
 * bus.h - ZeroMQ: frames between a router and its workers. The only file (with
 * bus.c and bus_curve.c) that knows libzmq.
 *
 * A router binds (ZMQ_ROUTER), a worker connects (ZMQ_DEALER). A message is a
 * head frame and perhaps a body frame. ZMQ_FD is edge-like, so the loop's hook
 * receives before each sleep when the fd woke us or something was sent. Sends
 * never block:
 * a peer that is gone or full is RC_CLOSED or RC_LIMIT, and the lease that the
 * caller holds decides what to do next.
 *
 * ipc:// and loopback may go in clear; any other tcp:// endpoint needs CURVE
 * keys, and the ZAP handler that admits workers by key is bound before the
 * socket is (a CURVE socket without one admits everybody).
 */
#ifndef COMMON_EDGE_BUS_H
#define COMMON_EDGE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/loop.h"

struct bus;

#define BUS_PEER_MAX   64
#define BUS_KEY_ID_LEN 16 /* of a worker's Z85 public key */
#define BUS_ID_MAX     (BUS_PEER_MAX - BUS_KEY_ID_LEN)

/* Who a frame came from, or goes to; the routing id. */
struct bus_peer {
    uint8_t len;
    unsigned char id[BUS_PEER_MAX];
};

struct bus_keys {
    const char *secret_file;    /* our CURVE secret key, one line of Z85, for
                                   its owner's eyes alone; NULL: no keys */
    const char *router_key;     /* worker side: the router's public key, Z85 */
    const char *const *workers; /* router side: public keys let in, Z85 */
    size_t worker_count;
};

/* `head` and `body` live until the handler returns; body.ptr is NULL when the
 * message has one frame. At a worker `peer` is empty. */
typedef void bus_fn(void *context, const struct bus_peer *peer,
                    struct slice head, struct slice body);

struct bus *bus_bind(struct loop *loop, const char *endpoint,
                     const struct bus_keys *keys, bus_fn *fn, void *context,
                     struct fault *fault) must_check;

/* `id` is the worker's routing id: its name and boot id, 1 to BUS_ID_MAX bytes.
 * With keys the bus puts the first BUS_KEY_ID_LEN characters of the public key
 * before it, and the router drops what comes under another key's id. The link
 * is made, and made again, by itself; until it stands bus_send() gives RC_LIMIT
 * and nothing is queued. */
struct bus *bus_connect(struct loop *loop, const char *endpoint,
                        struct slice id, const struct bus_keys *keys,
                        bus_fn *fn, void *context,
                        struct fault *fault) must_check;

/* Also from inside fn. What was not yet sent is lost; all bodies are done with
 * when this returns (from inside fn: when fn has returned). */
void bus_free(struct bus **bus);

/* Sends a copy of head. `body` (when .ptr is not NULL) is sent without a copy
 * where it can be: `done(done_context)` is called once, from any thread, when
 * ZeroMQ needs it no more, also when the send failed; `done` NULL: a copy is
 * sent. RC_OK, RC_CLOSED (no such peer), RC_LIMIT (its queue is full; at a
 * worker also: the router is not there). A worker leaves `peer` NULL. */
typedef void bus_done_fn(void *done_context);
enum rc bus_send(struct bus *bus, const struct bus_peer *peer,
                 struct slice head, struct slice body, bus_done_fn *done,
                 void *done_context) must_check;

/* A new CURVE key pair, Z85, NUL-terminated. False when libzmq has no CURVE. */
bool bus_make_keys(char public_key[41], char secret_key[41]);

#endif
