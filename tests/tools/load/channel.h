/*
 * channel.h - a connection of the generator, plain or TLS.
 *
 * Non-blocking. The certificate of the server is not verified: this is a
 * load tool for servers under test, which sign their own.
 */
#ifndef TESTS_TOOLS_LOAD_CHANNEL_H
#define TESTS_TOOLS_LOAD_CHANNEL_H

#include <stddef.h>
#include <sys/types.h>

#include "endpoint.h"

struct ssl_ctx_st;
struct ssl_st;

struct channel {
    int fd;             /* -1: closed */
    struct ssl_st *tls; /* NULL: plain */
};

/* What the functions below return beside a count of bytes. */
enum {
    CHANNEL_LOST = -1,     /* closed or broken */
    CHANNEL_WAIT_IN = -2,  /* again when readable */
    CHANNEL_WAIT_OUT = -3, /* again when writable */
};

/* The client's TLS settings, NULL when OpenSSL fails; free by the other. */
struct ssl_ctx_st *channel_tls_new(void);
void channel_tls_free(struct ssl_ctx_st **settings);

/* Starts to connect; `source` NULL: any. False: errno says why. */
bool channel_connect(struct channel *channel, const struct endpoint *to,
                     const struct endpoint *source);
void channel_close(struct channel *channel);

/* Starts, then goes on with, the handshake: 0 when done, or one of above. */
int channel_handshake(struct channel *channel, struct ssl_ctx_st *settings);

ssize_t channel_read(struct channel *channel, void *ptr, size_t len);
ssize_t channel_write(struct channel *channel, const void *ptr, size_t len);

#endif
