/*
 * tls.h - the server's side of TLS, of several kinds, over non-blocking fds.
 *
 * The only file that knows OpenSSL's TLS. A context belongs to one provider
 * and lives as long as it; a channel belongs to one connection.
 */
#ifndef RECEIVER_TLS_H
#define RECEIVER_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

struct tls_context;
struct tls_channel;

enum tls_result {
    TLS_OK,
    TLS_AGAIN, /* the socket has to become ready first */
    TLS_ENDED, /* closed by the peer */
    TLS_FAILED,
};

/* The context for a provider's kind of TLS. NULL after an error, which is on
 * stderr. Kinds that never come to a handshake have a context without use. */
struct tls_context *tls_context_new(const struct provider_config *config);
void tls_context_free(struct tls_context **context);

/* Begins a handshake; the fd stays the caller's. NULL if OpenSSL refuses. */
struct tls_channel *tls_channel_new(struct tls_context *context, int fd);
void tls_channel_free(struct tls_channel **channel);

enum tls_result tls_handshake(struct tls_channel *channel);
enum tls_result tls_read(struct tls_channel *channel, char *bytes, size_t room,
                         size_t *len);
enum tls_result tls_write(struct tls_channel *channel, const char *bytes,
                          size_t len, size_t *written);

/* Says close_notify, once, without waiting for the peer's. */
void tls_bye(struct tls_channel *channel);

/* Such as "TLSv1.3". Valid as long as the channel. */
const char *tls_version(const struct tls_channel *channel);
bool tls_is_resumed(const struct tls_channel *channel);

#endif
