/* connection.c - one socket that a session speaks over. */
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES   16384u
#define IN_BYTES_MAX (256u * 1024) /* heard before more is read */

/* What a broken TLS server sends in place of its ServerHello. */
static const char broken_hello[] = "\x15\x03\x01 this is not TLS\r\n";

static void connection_die(struct connection *connection)
{
    if (connection->state == CONNECTION_DEAD)
        return;
    session_end(&connection->session);
    if (connection->counted)
        connection->session.source->open--;
    if (connection->tls != NULL)
        tls_bye(connection->tls);
    (void)close(connection->fd);
    connection->state = CONNECTION_DEAD;
    connection->all->some_dead = true;
}

/* One read. TLS_AGAIN when there is nothing for now. */
static enum tls_result read_some(struct connection *connection, char *bytes,
                                 size_t *len)
{
    if (connection->tls != NULL)
        return tls_read(connection->tls, bytes, READ_BYTES, len);
    const ssize_t count = recv(connection->fd, bytes, READ_BYTES, 0);
    if (count > 0) {
        *len = (size_t)count;
        return TLS_OK;
    }
    if (count == 0)
        return TLS_ENDED;
    return errno == EAGAIN || errno == EINTR ? TLS_AGAIN : TLS_FAILED;
}

/* Reads until the socket is empty or enough is there; true in that case. */
static bool read_all(struct connection *connection)
{
    char bytes[READ_BYTES];

    while (!connection->ended && connection->in.len < IN_BYTES_MAX) {
        size_t len = 0;
        const enum tls_result result = read_some(connection, bytes, &len);

        if (result == TLS_AGAIN)
            return false;
        if (result != TLS_OK) {
            connection->ended = true;
            return false;
        }
        connection->heard_ms = connection->all->now_ms;
        if (connection->state != CONNECTION_SILENT)
            text_add(&connection->in, bytes, len);
    }
    return !connection->ended;
}

static enum tls_result write_some(struct connection *connection, size_t len,
                                  size_t *written)
{
    const char *bytes = connection->out.bytes;

    if (connection->tls != NULL)
        return tls_write(connection->tls, bytes, len, written);
    const ssize_t count = send(connection->fd, bytes, len, MSG_NOSIGNAL);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR ? TLS_AGAIN : TLS_FAILED;
    *written = (size_t)count;
    return TLS_OK;
}

/* A client that talks before the banner is out is a wrong one: RFC 5321,
 * 3.1. Blocklists and many receivers treat it as a sign of malware. */
static void check_early_talker(struct connection *connection)
{
    if (!connection->greeted && connection->in.len > 0)
        session_wire_violation(&connection->session, "early_talker");
    connection->greeted = true;
}

/* Writes what may be written now. True once all of it is out. */
static bool flush(struct connection *connection)
{
    const uint64_t now_ms = connection->all->now_ms;

    while (connection->out.len > 0) {
        const uint32_t drip_ms = connection->answer.drip_ms;
        size_t written = 0;

        if (connection->wake_ms > now_ms)
            return false;
        check_early_talker(connection);
        const enum tls_result result = write_some(
            connection, drip_ms > 0 ? 1 : connection->out.len, &written);
        if (result == TLS_AGAIN)
            return false;
        if (result != TLS_OK) {
            connection_die(connection);
            return false;
        }
        text_drop_front(&connection->out, written);
        connection->wake_ms =
            drip_ms > 0 && connection->out.len > 0 ? now_ms + drip_ms : 0;
    }
    return connection->wake_ms <= now_ms;
}

static void take_answer(struct connection *connection)
{
    struct answer *answer = &connection->answer;
    const uint64_t now_ms = connection->all->now_ms;

    if (answer->silent) {
        connection->state = CONNECTION_SILENT;
        text_clear(&connection->in);
        return;
    }
    text_add(&connection->out, answer->reply.bytes, answer->reply.len);
    connection->wake_ms = answer->delay_ms > 0 ? now_ms + answer->delay_ms : 0;
}

static void handshake(struct connection *connection)
{
    switch (tls_handshake(connection->tls)) {
    case TLS_OK:
        session_secured(&connection->session, tls_version(connection->tls),
                        tls_is_resumed(connection->tls));
        connection->state = CONNECTION_OPEN;
        break;
    case TLS_AGAIN:
        break;
    case TLS_ENDED:
    case TLS_FAILED:
        session_wire_violation(&connection->session, "tls_handshake_failed");
        connection_die(connection);
        break;
    }
}

static void start_tls(struct connection *connection)
{
    connection->answer.start_tls = false;
    /* RFC 3207, 6: what came in the clear must not be heard under TLS. */
    text_clear(&connection->in);
    if (connection->session.provider->config->tls == TLS_BROKEN) {
        text_add(&connection->out, broken_hello, sizeof broken_hello - 1);
        connection->answer.hang_up = true;
        return;
    }
    connection->tls = tls_channel_new(connection->tls_context, connection->fd);
    if (connection->tls == NULL) {
        connection_die(connection);
        return;
    }
    connection->state = CONNECTION_HANDSHAKE;
}

/* Hears and answers until bytes or time are lacking. */
static void converse(struct connection *connection)
{
    while (connection->state == CONNECTION_OPEN && flush(connection)) {
        connection->wake_ms = 0;
        if (connection->answer.start_tls) {
            start_tls(connection);
            continue;
        }
        if (connection->answer.hang_up) {
            connection_die(connection);
            return;
        }
        if (!session_hear(&connection->session, &connection->in,
                          connection->all->now_ms, &connection->answer))
            return;
        take_answer(connection);
    }
}

static void pump(struct connection *connection)
{
    bool more = true;

    while (more && connection->state != CONNECTION_DEAD) {
        if (connection->state == CONNECTION_HANDSHAKE) {
            handshake(connection);
            if (connection->state != CONNECTION_OPEN)
                return;
        }
        const size_t before = connection->in.len;
        more = read_all(connection);
        const bool came = connection->in.len > before;

        converse(connection);
        /* A handshake's first bytes may have come with its STARTTLS. */
        more = connection->state == CONNECTION_HANDSHAKE
                   ? came
                   : more && connection->in.len < IN_BYTES_MAX;
    }
    if (connection->ended && connection->out.len == 0
        && connection->wake_ms == 0)
        connection_die(connection);
}

static void connection_ready(struct watch *watch, uint32_t events)
{
    struct connection *connection = (struct connection *)watch;

    if (connection->state == CONNECTION_DEAD)
        return;
    if (events & (EPOLLERR | EPOLLHUP)) {
        (void)read_all(connection);
        converse(connection);
        connection_die(connection);
        return;
    }
    pump(connection);
}

static bool peer_is_gone(const struct connection *connection)
{
    struct pollfd poll_fd = { .fd = connection->fd, .events = POLLRDHUP };

    return poll(&poll_fd, 1, 0) == 1
           && (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* How many connections the source has open. A client that closed one and
 * opened the next is within its right, in whatever order epoll tells us, so
 * those whose FIN is already here do not count. */
static uint32_t count_open(const struct connections *all,
                           const struct source *source)
{
    uint32_t open = 0;

    for (const struct connection *at = all->first; at != NULL; at = at->next)
        if (at->counted && at->session.source == source
            && at->state != CONNECTION_DEAD && !peer_is_gone(at))
            open++;
    return open;
}

/* Counts exactly only when it matters: it walks over all connections. */
static uint32_t open_besides(const struct connections *all,
                             const struct source *source, uint32_t limit)
{
    if (source->open < source->open_max && (limit == 0 || source->open < limit))
        return source->open;
    return count_open(all, source);
}

static void describe(const struct sockaddr_storage *address,
                     char ip[INET6_ADDRSTRLEN])
{
    const void *bytes =
        address->ss_family == AF_INET6
            ? (const void *)&(
                  (const struct sockaddr_in6 *)(const void *)address)
                  ->sin6_addr
            : (const void *)&((const struct sockaddr_in *)(const void *)address)
                  ->sin_addr;

    if (inet_ntop(address->ss_family, bytes, ip, INET6_ADDRSTRLEN) == NULL)
        ip[0] = '\0';
}

static void find_addresses(struct connection *connection)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof address;

    if (getpeername(connection->fd, (struct sockaddr *)&address, &len) == 0)
        describe(&address, connection->source_ip);
    len = sizeof address;
    if (getsockname(connection->fd, (struct sockaddr *)&address, &len) == 0)
        describe(&address, connection->target_ip);
}

void connection_start(struct connections *all, int fd,
                      struct provider *provider,
                      struct tls_context *tls_context)
{
    struct connection *connection = must_allocate(1, sizeof *connection);
    const int one = 1;
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.ptr = connection,
    };

    connection->watch.ready = connection_ready;
    connection->all = all;
    connection->fd = fd;
    connection->heard_ms = all->now_ms;
    connection->tls_context = tls_context;
    /* Replies are small and each is written at once: Nagle would hold back the
     * second of a pipelined group until the client's delayed ACK. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    find_addresses(connection);
    session_init(&connection->session, provider, all->record,
                 connection->source_ip, connection->target_ip,
                 all->next_number++);

    struct source *source = connection->session.source;
    const uint32_t open =
        open_besides(all, source, provider->config->connections_per_source);
    connection->counted =
        session_greet(&connection->session, open, &connection->answer);
    if (connection->counted) {
        source->open++;
        if (open + 1 > source->open_max)
            source->open_max = open + 1;
    }
    connection->next = all->first;
    all->first = connection;
    take_answer(connection);
    if (epoll_ctl(all->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        connection_die(connection);
    else
        pump(connection);
}

void connections_tick(struct connections *all)
{
    for (struct connection *at = all->first; at != NULL; at = at->next) {
        if (at->state == CONNECTION_OPEN && at->wake_ms > 0
            && at->wake_ms <= all->now_ms) {
            pump(at);
        } else if (at->state != CONNECTION_DEAD && at->wake_ms == 0
                   && all->now_ms - at->heard_ms >= all->idle_ms) {
            if (at->state == CONNECTION_OPEN) {
                session_idle(&at->session, &at->answer);
                take_answer(at);
                (void)flush(at);
            }
            connection_die(at);
        }
    }
}

int connections_wait_ms(const struct connections *all)
{
    uint64_t next_ms = UINT64_MAX;

    for (const struct connection *at = all->first; at != NULL; at = at->next) {
        const uint64_t due_ms =
            at->wake_ms > 0 ? at->wake_ms : at->heard_ms + all->idle_ms;

        if (at->state != CONNECTION_DEAD && due_ms < next_ms)
            next_ms = due_ms;
    }
    if (next_ms == UINT64_MAX)
        return -1;
    if (next_ms <= all->now_ms)
        return 0;
    return next_ms - all->now_ms > 1000 ? 1000 : (int)(next_ms - all->now_ms);
}

static void connection_free(struct connection *connection)
{
    tls_channel_free(&connection->tls);
    text_release(&connection->in);
    text_release(&connection->out);
    text_release(&connection->answer.reply);
    session_release(&connection->session);
    free(connection);
}

void connections_bury(struct connections *all)
{
    struct connection **link = &all->first;

    if (!all->some_dead)
        return;
    all->some_dead = false;
    while (*link != NULL) {
        struct connection *connection = *link;

        if (connection->state == CONNECTION_DEAD) {
            *link = connection->next;
            connection_free(connection);
        } else {
            link = &connection->next;
        }
    }
}

void connections_end(struct connections *all)
{
    for (struct connection *at = all->first; at != NULL; at = at->next)
        connection_die(at);
    connections_bury(all);
}
