/*
 * standing.h - templates of messages over HTTP.
 *
 *     GET  /v1/templates         ?state=S&tenant=T&limit=N; those that tripped
 *                                first, then those on probation
 *     GET  /v1/templates/ID
 *     POST /v1/standing          JSON of asker.h: how a message's template
 *                                stands; nothing is counted
 *     POST /v1/templates/ID      JSON: do = trust, distrust, forget, teach or
 *                                complain; kind, for teach: transactional,
 *                                bulk, personal, system; count, of complaints
 *
 * These run in the server's thread; each returns the status code. What is
 * posted acts at once here, and within a second at the other routers.
 */
#ifndef ROUTER_CONTROL_STANDING_H
#define ROUTER_CONTROL_STANDING_H

#include "router/control/actions.h"

unsigned standing_list(const struct actions_ground *ground,
                       const struct http_request *request, struct buf *out);
unsigned standing_get(const struct actions_ground *ground,
                      const struct http_request *request, struct buf *out);
unsigned standing_ask(const struct actions_ground *ground,
                      const struct http_request *request, struct buf *out);
unsigned standing_post(const struct actions_ground *ground,
                       const struct http_request *request, struct buf *out);

#endif
