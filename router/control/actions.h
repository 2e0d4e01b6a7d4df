/*
 * actions.h - what may be done to queued mail over HTTP.
 *
 *     POST   /v1/actions           a new pause or bulk action; JSON:
 *            action   pause, requeue, reroute, expire, bounce, delete, release
 *            filter   text as in actions/filter.h
 *            actor    who; why: for what; for BOUNCE what the sender is told
 *            route    for reroute; for_ms: how long a pause lasts
 *            dry_run  true: counts what it would mean here, and does nothing
 *     GET    /v1/actions           all; of one: /v1/actions/ID
 *     DELETE /v1/actions/ID        resume, or cancel; ?actor=NAME
 *     GET    /v1/queue/list        ?filter=TEXT&limit=N&after=ID
 *     GET    /v1/why/ID            what holds a message
 *
 * These run in the server's thread; each returns the status code.
 */
#ifndef ROUTER_CONTROL_ACTIONS_H
#define ROUTER_CONTROL_ACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "router/actions/book.h"
#include "router/control/http.h"
#include "router/dispatch/dispatch.h"

struct relay;
struct tally;
struct templates;

struct actions_ground {
    struct dispatch *dispatch;
    struct book *book;
    struct templates *templates;
    struct tally *tally; /* of complaints */
    struct relay
        *relay;      /* of those that are others'; NULL: there is no Redis */
    uint16_t number; /* of this router, in message ids */
    /* The config in force; a reference that the caller gives back. */
    struct conf *(*hold_conf)(void *context);
    void *context;
};

unsigned actions_post(const struct actions_ground *ground,
                      const struct http_request *request, struct buf *out);
unsigned actions_get(const struct actions_ground *ground,
                     const struct http_request *request, struct buf *out);
unsigned actions_get_one(const struct actions_ground *ground,
                         const struct http_request *request, struct buf *out);
unsigned actions_delete(const struct actions_ground *ground,
                        const struct http_request *request, struct buf *out);
unsigned actions_list(const struct actions_ground *ground,
                      const struct http_request *request, struct buf *out);
unsigned actions_why(const struct actions_ground *ground,
                     const struct http_request *request, struct buf *out);

#endif
