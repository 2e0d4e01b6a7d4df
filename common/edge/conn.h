/*
 * conn.h - one stream connection, clear or TLS, that never blocks.
 *
 *     conn_connect -> (on_open) -> OPEN -> conn_start_tls -> (on_open) -> OPEN
 *     conn_accept  ->              OPEN           ... -> on_closed, the end
 *
 * Bytes that came in wait in conn_in(); on_input is called whenever there are
 * new ones, and takes what it can use with buf_take(). Bytes to send are put
 * into conn_out(); they leave by themselves before the loop sleeps, as one
 * write where they can. on_drained is called when all were handed to the
 * kernel. When the input buffer is full nothing more is read until some is
 * taken: that is the back-pressure. Whoever takes input elsewhere than in
 * on_input says so with conn_pause(conn, false).
 *
 * on_closed is called exactly once, unless the owner closed: with RC_CLOSED
 * when the peer ended the stream (RC_CLOSED is also what a TLS close_notify
 * gives: nothing is read after it), RC_IO and errno otherwise. What the peer
 * had sent before is given to on_input first, also when it was a write that
 * failed: a refusal and a reset often come together. The end of a conn that
 * reads nothing, paused or full, shows when it writes or reads again. The conn
 * is freed by the owner with conn_free(), in any handler. No handler is called
 * from within a conn_ function.
 */
#ifndef COMMON_EDGE_CONN_H
#define COMMON_EDGE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/edge/addr.h"
#include "common/edge/loop.h"
#include "common/edge/tls.h"

struct conn;

struct conn_handlers {
    void (*on_open)(void *context); /* connected, or TLS shaken */
    void (*on_input)(void *context);
    void (*on_drained)(void *context); /* may be NULL */
    void (*on_closed)(void *context, const struct fault *fault);
};

/* Takes over a connected fd. in_max caps the input buffer, out_max the output.
 * `handlers` must outlive the conn. */
struct conn *conn_accept(struct loop *loop, int fd, size_t in_max,
                         size_t out_max, const struct conn_handlers *handlers,
                         void *context) must_check;

/* Starts to connect to `to` from `from` (NULL: any address). NULL with *fault
 * when it fails at once (the address is not ours, no fd left ...). The wait is
 * the caller's to bound: free the conn when it took too long. */
struct conn *conn_connect(struct loop *loop, const struct addr *from,
                          const struct addr *to, size_t in_max, size_t out_max,
                          const struct conn_handlers *handlers, void *context,
                          struct fault *fault) must_check;

/* Closes without waiting; bytes not yet sent are lost. */
void conn_free(struct conn **conn);

/* Sends what is in the buffer, then ends the stream (TLS: close_notify), drops
 * what still comes until the peer has ended its own, so that no reset overtakes
 * our last words, and frees; after `wait_ms` at the latest, or with the loop.
 * No handler is called any more. */
void conn_finish(struct conn **conn, uint64_t wait_ms);

struct buf *conn_in(struct conn *conn);
struct buf *conn_out(struct conn *conn);

/* Says that the buffer got bytes, for those who kept its pointer: conn_out()
 * itself implies it. Cheap, may be called often. */
void conn_flush(struct conn *conn);

/* Stops and resumes reading, for work that must end first (AUTH). Resumed,
 * on_input is called soon when bytes are waiting. */
void conn_pause(struct conn *conn, bool paused);

/* Starts TLS on an open conn as server or client (see tls.h), once; on_open tells that it is up,
 * on_closed that it failed. Input that came in clear before is dropped; output
 * in the buffer by now is sent in clear first, what is added later by TLS. `name` is the server's name for
 * SNI and checks (client side; NULL as server). */
void conn_start_tls(struct conn *conn, struct tls_context *context,
                    const char *name);

bool conn_is_tls(const struct conn *conn);

/* Whether TLS was begun with an earlier session of the peer; see tls.h. And
 * whether that was resumed. */
bool conn_tls_has_offered(const struct conn *conn);
bool conn_tls_is_resumed(const struct conn *conn);

/* "TLSv1.3" and the cipher's name; NULL in clear. Live as long as the conn. */
const char *conn_tls_version(const struct conn *conn);
const char *conn_tls_cipher(const struct conn *conn);

/* From now on shows all bytes that come, and those that go as they are first offered to the
 * kernel, in clear also where TLS carries them; NULL ends it. fn must not touch
 * the conn. */
typedef void conn_tap_fn(void *context, bool is_ours, struct slice bytes);
void conn_tap(struct conn *conn, conn_tap_fn *fn, void *context);

void conn_peer(const struct conn *conn, struct addr *addr);
void conn_local(const struct conn *conn, struct addr *addr);

#endif
