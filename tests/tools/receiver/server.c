/* server.c - all providers of a world, behind one epoll loop. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "provider.h"
#include "record.h"
#include "tls.h"

#define BACKLOG          1024
#define EVENTS_PER_ROUND 256

struct listener {
    struct watch watch;
    struct server *server;
    struct provider *provider;
    struct tls_context *tls_context;
    int fd;
};

struct signals {
    struct watch watch;
    struct server *server;
    int fd;
};

struct server {
    const struct world *world;
    struct provider *providers;
    struct tls_context **tls_contexts; /* one for each provider */
    struct listener *listeners;
    size_t listener_count;
    struct signals signals;
    struct record record;
    struct connections connections;
    bool stop;
};

static uint64_t clock_ms(clockid_t id)
{
    struct timespec now = { 0 };

    (void)clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool complain(const char *what)
{
    (void)fprintf(stderr, "sendyard-receiver: %s: %s\n", what, strerror(errno));
    return false;
}

/* The file is replaced as a whole, so that a reader never sees half of it. */
static bool write_stats(const struct server *server)
{
    struct text json = { 0 };
    struct text path = { 0 };

    text_add(&json, "{", 1);
    for (size_t i = 0; i < server->world->provider_count; i++) {
        const char *name = server->world->providers[i].name;

        if (i > 0)
            text_add(&json, ",", 1);
        text_add_json(&json, name, strlen(name));
        text_add(&json, ":", 1);
        provider_counts_json(&server->providers[i], &json);
    }
    text_add_string(&json, "}\n");
    text_addf(&path, "%s.new", server->world->stats_path);

    FILE *file = fopen(text_string(&path), "w");
    bool done =
        file != NULL && fwrite(json.bytes, 1, json.len, file) == json.len;
    if (file != NULL)
        done = fclose(file) == 0 && done;
    done = done && rename(text_string(&path), server->world->stats_path) == 0;
    text_release(&json);
    text_release(&path);
    return done || complain(server->world->stats_path);
}

static void signal_ready(struct watch *watch, uint32_t events)
{
    struct signals *signals = (struct signals *)watch;
    struct signalfd_siginfo info;

    (void)events;
    while (read(signals->fd, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo == SIGUSR1)
            (void)write_stats(signals->server);
        else
            signals->server->stop = true;
}

static void listener_ready(struct watch *watch, uint32_t events)
{
    struct listener *listener = (struct listener *)watch;

    (void)events;
    for (;;) {
        const int fd =
            accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        connection_start(&listener->server->connections, fd, listener->provider,
                         listener->tls_context);
    }
}

static bool watch_fd(struct server *server, int fd, struct watch *watch)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };

    return epoll_ctl(server->connections.epoll_fd, EPOLL_CTL_ADD, fd, &event)
           == 0;
}

static int listen_on(const struct endpoint *endpoint)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6,
                                .sin6_port = htons(endpoint->port) };
    struct sockaddr_in four = { .sin_family = AF_INET,
                                .sin_port = htons(endpoint->port) };
    const bool is_four =
        inet_pton(AF_INET, endpoint->host, &four.sin_addr) == 1;
    const int one = 1;

    if (!is_four && inet_pton(AF_INET6, endpoint->host, &six.sin6_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    const struct sockaddr *address = is_four ? (const struct sockaddr *)&four
                                             : (const struct sockaddr *)&six;
    const int fd = socket(address->sa_family,
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0
        && bind(fd, address, is_four ? sizeof four : sizeof six) == 0
        && listen(fd, BACKLOG) == 0)
        return fd;
    const int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static bool open_provider(struct server *server, size_t index)
{
    const struct provider_config *config = &server->world->providers[index];

    server->tls_contexts[index] = tls_context_new(config);
    if (server->tls_contexts[index] == NULL)
        return false;
    for (size_t i = 0; i < config->listen_count; i++) {
        struct listener *listener = &server->listeners[server->listener_count];

        *listener = (struct listener){
            .watch.ready = listener_ready,
            .server = server,
            .provider = &server->providers[index],
            .tls_context = server->tls_contexts[index],
            .fd = listen_on(&config->listens[i]),
        };
        if (listener->fd < 0)
            return complain(config->listens[i].host);
        server->listener_count++;
        if (!watch_fd(server, listener->fd, &listener->watch))
            return complain("epoll");
    }
    return true;
}

static bool open_signals(struct server *server)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return complain("sigprocmask");
    server->signals.watch.ready = signal_ready;
    server->signals.server = server;
    server->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return (server->signals.fd >= 0
            && watch_fd(server, server->signals.fd, &server->signals.watch))
           || complain("signalfd");
}

static bool open_all(struct server *server)
{
    const struct world *world = server->world;
    struct connections *connections = &server->connections;

    connections->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    connections->now_ms = clock_ms(CLOCK_MONOTONIC);
    connections->idle_ms = world->idle_ms;
    connections->record = &server->record;
    /* So that ids of messages differ from those of an earlier run. */
    connections->next_number = clock_ms(CLOCK_REALTIME);
    if (connections->epoll_fd < 0)
        return complain("epoll");
    if (!record_open(&server->record, world->record_path, world->eml_folder))
        return complain(world->record_path);
    if (!open_signals(server))
        return false;
    for (size_t i = 0; i < world->provider_count; i++)
        if (!open_provider(server, i))
            return false;
    return true;
}

struct server *server_new(const struct world *world)
{
    struct server *server = must_allocate(1, sizeof *server);
    size_t listen_count = 0;

    server->world = world;
    server->record.fd = -1;
    server->signals.fd = -1;
    server->connections.epoll_fd = -1;
    server->providers =
        must_allocate(world->provider_count, sizeof *server->providers);
    server->tls_contexts =
        must_allocate(world->provider_count, sizeof(struct tls_context *));
    for (size_t i = 0; i < world->provider_count; i++) {
        provider_init(&server->providers[i], &world->providers[i]);
        listen_count += world->providers[i].listen_count;
    }
    server->listeners = must_allocate(listen_count, sizeof *server->listeners);
    if (!open_all(server))
        server_free(&server);
    return server;
}

bool server_run(struct server *server)
{
    struct connections *connections = &server->connections;
    struct epoll_event events[EVENTS_PER_ROUND];

    while (!server->stop) {
        const int count =
            epoll_wait(connections->epoll_fd, events, EVENTS_PER_ROUND,
                       connections_wait_ms(connections));

        if (count < 0 && errno != EINTR)
            return complain("epoll_wait");
        connections->now_ms = clock_ms(CLOCK_MONOTONIC);
        for (int i = 0; i < count; i++) {
            struct watch *watch = events[i].data.ptr;

            watch->ready(watch, events[i].events);
        }
        connections_tick(connections);
        connections_bury(connections);
        if (!record_flush(&server->record))
            return complain(server->world->record_path);
    }
    connections_end(connections);
    return write_stats(server) && record_flush(&server->record);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void server_free(struct server **pointer)
{
    struct server *server = *pointer;

    if (server == NULL)
        return;
    *pointer = NULL;
    connections_end(&server->connections);
    for (size_t i = 0; i < server->listener_count; i++)
        close_fd(server->listeners[i].fd);
    for (size_t i = 0; i < server->world->provider_count; i++) {
        provider_release(&server->providers[i]);
        tls_context_free(&server->tls_contexts[i]);
    }
    close_fd(server->signals.fd);
    close_fd(server->connections.epoll_fd);
    record_close(&server->record);
    free(server->listeners);
    free(server->tls_contexts);
    free(server->providers);
    free(server);
}
