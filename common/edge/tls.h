/*
 * tls.h - what we demand of TLS, by use. The only file (with tls.c) that knows
 * OpenSSL; a connection speaks through struct tls.
 *
 * Three kinds of context, because one set of demands does not fit all:
 * - server: our submission side; TLS 1.2 or better, security level 2, no
 *   tickets shared between listeners;
 * - opportunistic client: to receivers, where TLS that is weak still beats
 *   clear text: TLS 1.0 and level 0 allowed, the certificate not checked;
 * - verified client: TLS 1.2 or better, level 2, chain and name checked.
 * Contexts are reference counted and immutable: a new certificate is a new
 * context, sessions that run keep the old one. But a client context remembers
 * the last sessions of each peer by its name, and resumes them: a handshake less
 * to compute, and to a peer of TLS 1.2 a round trip less. None goes from one
 * context to another, so that what was checked for it is what this one demands.
 * A client context is of one thread.
 */
#ifndef COMMON_EDGE_TLS_H
#define COMMON_EDGE_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"

struct tls_context;
struct tls;

/* NULL with *fault (file and reason) when the pair cannot be used: unreadable,
 * key and certificate do not match, expired. min_version "1.2" or "1.3". */
struct tls_context *tls_server_context(const char *certificate_file,
                                       const char *key_file,
                                       const char *min_version,
                                       struct fault *fault) must_check;
struct tls_context *tls_client_context(bool verified,
                                       const char *ca_file, /* NULL: system's */
                                       struct fault *fault) must_check;
struct tls_context *tls_context_hold(struct tls_context *context);
void tls_context_release(struct tls_context **context);

/* The engine of one connection over a non-blocking socket; for conn.c. `name`
 * is whom a client expects, a host name or an IP; NULL for a server. Says
 * nothing yet. The context may be released while the engine lives. */
struct tls *tls_new(struct tls_context *context, int fd,
                    const char *name) must_check;
void tls_free(struct tls **tls);

/* Why a call came back; the wants may come from any call. */
enum tls_want {
    TLS_DONE,
    TLS_WANT_READ,  /* call again when the socket is readable */
    TLS_WANT_WRITE, /* call again when it is writable */
    TLS_CLOSED,     /* the peer ended the stream */
    TLS_FAILED,     /* *fault says why; nothing more can be done with it */
};

/* Behind a handshake that failed with a session offered the peer's are
 * forgotten: tls_has_offered() then says that another try is worth it. */
enum tls_want tls_handshake(struct tls *tls, struct fault *fault) must_check;

/* Adds what came to `in`. TLS_DONE when `in` is full or a fair share was read:
 * more may be inside the engine, where no readable socket tells of it. Any
 * other result may come with bytes added, too. */
enum tls_want tls_read(struct tls *tls, struct buf *in,
                       struct fault *fault) must_check;

/* Takes what was sent from the front of `out`; TLS_DONE when that is all. After
 * another result `out` may grow, but not shrink, before the next call. */
enum tls_want tls_write(struct tls *tls, struct buf *out,
                        struct fault *fault) must_check;

/* Sends close_notify when it can be sent at once. */
void tls_say_bye(struct tls *tls);

/* Whether an earlier session was offered to the peer; and taken by it. */
bool tls_has_offered(const struct tls *tls);
bool tls_is_resumed(const struct tls *tls);

const char *tls_version(const struct tls *tls);
const char *tls_cipher(const struct tls *tls);

#endif
