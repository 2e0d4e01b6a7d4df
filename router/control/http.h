/*
 * http.h - a small HTTP server for operators and their tools. The only file
 * (with http.c) that knows libmicrohttpd.
 *
 * It has one thread of its own. A handler runs in that thread, may block for
 * the time it takes to ask another one, and writes its answer into `out`.
 */
#ifndef ROUTER_CONTROL_HTTP_H
#define ROUTER_CONTROL_HTTP_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

struct http_server;

struct http_request {
    const char *method; /* "GET" */
    const char *path;   /* "/v1/queue", decoded */
    struct slice body;
    const void *query; /* for http_query() */
};

/* The value of ?name=value; NULL when it is not there. */
const char *http_query(const struct http_request *request, const char *name);

/* Returns the status code; `out` is JSON. */
typedef unsigned http_fn(void *context, const struct http_request *request,
                         struct buf *out);

/* Serves on a listening socket, which it takes over. */
struct http_server *http_server_new(int listen_fd, http_fn *fn, void *context,
                                    struct fault *fault) must_check;
void http_server_free(struct http_server **server);

#endif
