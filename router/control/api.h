/*
 * api.h - what may be asked of a router over HTTP.
 *
 *     GET  /v1/status            workers, pools, spool, submission, totals
 *     GET  /v1/queue[?match=x]   the lanes
 *     GET  /v1/messages/ID       one queued message
 *     GET  /v1/verdicts          how many messages were judged how
 *     GET  /v1/holders?site=x    who may send to a site now
 *     GET  /v1/trace?name=x      lines since the last time; &worker= &site=
 *                                &domain= &id=; see dispatch/tracing.h
 *     POST /v1/reload            read the config again
 *     /v1/actions, /v1/queue/list, /v1/why/ID: see actions.h
 *     /v1/templates: see standing.h
 *
 * Answers are JSON; errors are problem+json in form (RFC 9457): title, detail.
 * The socket is the platform user's alone: who can open it may do all.
 */
#ifndef ROUTER_CONTROL_API_H
#define ROUTER_CONTROL_API_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "config/conf.h"
#include "router/control/actions.h"
#include "router/dispatch/dispatch.h"
#include "router/spool/spool.h"

struct api;

struct api_options {
    const struct conf *conf;
    const struct conf_router *router;
    struct dispatch *dispatch;
    struct spool *spool;
    struct actions_ground ground;
    /* Reloads; false with the reasons, a line each, in `why`. Called in the
     * server's thread. */
    bool (*reload)(void *context, struct buf *why);
    /* Appends the members of the submission's part of the status. */
    void (*add_status)(void *context, struct buf *json);
    void *context;
};

/* Binds the control socket and serves. */
struct api *api_new(const struct api_options *options,
                    struct fault *fault) must_check;
void api_free(struct api **api);

/* Where a router's control socket is. */
#define API_PATH_MAX 108 /* sun_path of Linux, with its NUL */
void api_socket_path(const struct conf *conf, const struct conf_router *router,
                     char path[API_PATH_MAX]);

#endif
