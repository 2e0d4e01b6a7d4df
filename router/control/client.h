/*
 * client.h - asks a router over its control socket. The only file (with
 * client.c) that knows libcurl.
 */
#ifndef ROUTER_CONTROL_CLIENT_H
#define ROUTER_CONTROL_CLIENT_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"

struct client_request {
    const char *socket_path;
    const char *method;
    const char *path;  /* "/v1/status?x=y" */
    struct slice body; /* JSON; empty: none */
};

/* Sends the request and appends the answer's body to `out`. RC_OK with the
 * status code in *status; RC_CLOSED when nobody listens there, RC_TIMEOUT,
 * RC_IO. */
enum rc client_ask(const struct client_request *request, unsigned *status,
                   struct buf *out, struct fault *fault) must_check;

/* Appends `text` as one part of a path or query, percent-encoded. */
void client_encode(struct buf *out, const char *text);

#endif
