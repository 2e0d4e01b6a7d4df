/* http.c - a small HTTP server for operators and their tools. */
#include "router/control/http.h"

#include <stdint.h>

#include <microhttpd.h>

#include "common/base/mem.h"

#define REQUEST_BODY_MAX (1u << 20)
#define ANSWER_MAX       (64u << 20)
#define CONNECTIONS_MAX  64u
#define IDLE_TIMEOUT_S   30u

struct http_server {
    struct MHD_Daemon *daemon;
    http_fn *fn;
    void *context;
};

/* One request while its body comes in. */
struct exchange {
    struct buf body;
};

const char *http_query(const struct http_request *request, const char *name)
{
    union {
        const void *in;
        struct MHD_Connection *out;
    } connection = { .in = request->query };
    return MHD_lookup_connection_value(connection.out, MHD_GET_ARGUMENT_KIND,
                                       name);
}

static enum MHD_Result answer(struct MHD_Connection *connection,
                              unsigned status, struct buf *out)
{
    size_t len = 0;
    char *bytes = buf_steal(out, &len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_COPY);
    mem_free(bytes);
    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection,
                              const char *path, const char *method,
                              const char *version, const char *upload,
                              size_t *upload_len, void **held)
{
    (void)version;
    struct http_server *server = context;
    struct exchange *exchange = *held;
    if (!exchange) {
        exchange = NEW(struct exchange);
        buf_init(&exchange->body, REQUEST_BODY_MAX);
        *held = exchange;
        return MHD_YES;
    }
    if (*upload_len > 0) {
        bool fits = buf_add(&exchange->body, slice_of(upload, *upload_len));
        *upload_len = 0;
        return fits ? MHD_YES : MHD_NO;
    }
    const struct http_request request = {
        .method = method,
        .path = path,
        .body = buf_slice(&exchange->body),
        .query = connection,
    };
    struct buf out;
    buf_init(&out, ANSWER_MAX);
    unsigned status = server->fn(server->context, &request, &out);
    enum MHD_Result result = answer(connection, status, &out);
    buf_release(&out);
    return result;
}

static void completed(void *context, struct MHD_Connection *connection,
                      void **held, enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)connection;
    (void)why;
    struct exchange *exchange = *held;
    if (!exchange)
        return;
    buf_release(&exchange->body);
    mem_free(exchange);
    *held = NULL;
}

struct http_server *http_server_new(int listen_fd, http_fn *fn, void *context,
                                    struct fault *fault)
{
    struct http_server *server = NEW(struct http_server);
    server->fn = fn;
    server->context = context;
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, 0, NULL, NULL, handle,
        server, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S,
        MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    if (server->daemon)
        return server;
    (void)fault_set(fault, RC_IO, 0, "the control server does not start");
    mem_free(server);
    return NULL;
}

void http_server_free(struct http_server **server)
{
    struct http_server *held = steal(*server);
    if (!held)
        return;
    MHD_stop_daemon(held->daemon);
    mem_free(held);
}
