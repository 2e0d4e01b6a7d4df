/* channel.c - a connection of the generator, plain or TLS. */
#include "channel.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

struct ssl_ctx_st *channel_tls_new(void)
{
    SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
    if (settings == NULL)
        return NULL;
    SSL_CTX_set_verify(settings, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(settings, SSL_MODE_ENABLE_PARTIAL_WRITE
                                   | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return settings;
}

void channel_tls_free(struct ssl_ctx_st **settings)
{
    SSL_CTX_free(*settings);
    *settings = NULL;
}

bool channel_connect(struct channel *channel, const struct endpoint *to,
                     const struct endpoint *source)
{
    const int yes = 1;
    const int fd = socket(to->address.ss_family,
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *channel = (struct channel){ .fd = fd };
    if (fd < 0)
        return false;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (source != NULL) {
        /* the port is chosen at connect, so that it may serve many targets */
        (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes,
                         sizeof yes);
        if (bind(fd, (const void *)&source->address, source->len) != 0) {
            channel_close(channel);
            return false;
        }
    }
    if (connect(fd, (const void *)&to->address, to->len) != 0
        && errno != EINPROGRESS) {
        channel_close(channel);
        return false;
    }
    return true;
}

void channel_close(struct channel *channel)
{
    const int error = errno;
    SSL_free(channel->tls);
    channel->tls = NULL;
    if (channel->fd >= 0)
        close(channel->fd);
    channel->fd = -1;
    errno = error;
}

static int tls_wish(struct channel *channel, int result)
{
    switch (SSL_get_error(channel->tls, result)) {
    case SSL_ERROR_WANT_READ:
        return CHANNEL_WAIT_IN;
    case SSL_ERROR_WANT_WRITE:
        return CHANNEL_WAIT_OUT;
    default:
        ERR_clear_error();
        return CHANNEL_LOST;
    }
}

int channel_handshake(struct channel *channel, struct ssl_ctx_st *settings)
{
    if (channel->tls == NULL) {
        channel->tls = SSL_new(settings);
        if (channel->tls == NULL || SSL_set_fd(channel->tls, channel->fd) != 1)
            return CHANNEL_LOST;
        SSL_set_connect_state(channel->tls);
    }
    const int result = SSL_do_handshake(channel->tls);
    return result == 1 ? 0 : tls_wish(channel, result);
}

static bool is_again(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static int tls_length(size_t len)
{
    return len > INT_MAX ? INT_MAX : (int)len;
}

ssize_t channel_read(struct channel *channel, void *ptr, size_t len)
{
    if (channel->tls != NULL) {
        const int got = SSL_read(channel->tls, ptr, tls_length(len));
        return got > 0 ? got : tls_wish(channel, got);
    }
    const ssize_t got = recv(channel->fd, ptr, len, 0);
    if (got > 0)
        return got;
    return got < 0 && is_again() ? CHANNEL_WAIT_IN : CHANNEL_LOST;
}

ssize_t channel_write(struct channel *channel, const void *ptr, size_t len)
{
    if (channel->tls != NULL) {
        const int sent = SSL_write(channel->tls, ptr, tls_length(len));
        return sent > 0 ? sent : tls_wish(channel, sent);
    }
    const ssize_t sent = send(channel->fd, ptr, len, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    return is_again() ? CHANNEL_WAIT_OUT : CHANNEL_LOST;
}
