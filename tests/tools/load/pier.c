/* pier.c - the sink's listeners, its connections and their loop. */
#include "pier.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "measure.h"
#include "receiver.h"

enum {
    EVENTS_MAX = 256,
    INPUT_BYTES = 32768,
    BACKLOG = 4096,
    LEDGER_FLUSH_US = 100000,
    LEDGER_LINES_BYTES = 65536, /* flush earlier when so much waits */
    TICK_MS = 100,
    REFUSE_CODE_DEFAULT = 452,
};

/* What epoll points at: a connection, a listener, or the signals. */
enum berth_kind {
    BERTH_CLIENT,
    BERTH_LISTENER,
    BERTH_SIGNALS,
};

struct berth {
    enum berth_kind kind;
    int fd;
    struct client *client; /* of which it is part; NULL: of none */
};

struct client {
    struct berth berth;
    TAILQ_ENTRY(client) all;
    TAILQ_ENTRY(client) delayed;
    struct receiver receiver;
    struct bytes out;
    uint64_t reply_us; /* when the delayed 250 is due; 0: none */
    uint32_t peer;
    bool waits_out;
    bool is_ending;
    bool is_mid_line; /* the start of an endless line was dropped */
    size_t in_len;
    char in[INPUT_BYTES];
};

TAILQ_HEAD(client_list, client);

struct pier {
    const struct pier_plan *plan;
    struct ledger *ledger;
    struct tally *tally;
    struct berth *listeners;
    struct client_list clients;
    struct client_list delayed; /* all wait equally long: first in, first out */
    uint64_t client_count;
    uint64_t ledger_due_us;
    uint64_t end_us; /* linger ends; 0: not yet reached */
    uint32_t refuse_code;
    int epoll_fd;
    bool is_ending;
};

static bool watch(const struct pier *pier, struct berth *berth, int operation,
                  uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = berth };
    return epoll_ctl(pier->epoll_fd, operation, berth->fd, &event) == 0;
}

/* What a connection waits for follows from its state, and from that alone.
 */
static void client_watch(const struct pier *pier, struct client *client)
{
    uint32_t events = client->waits_out ? EPOLLOUT : 0;
    if (client->reply_us == 0 && !client->is_ending)
        events |= EPOLLIN;
    if (!watch(pier, &client->berth, EPOLL_CTL_MOD, events))
        abort();
}

static void client_close(struct pier *pier, struct client *client)
{
    if (client->reply_us != 0)
        TAILQ_REMOVE(&pier->delayed, client, delayed);
    TAILQ_REMOVE(&pier->clients, client, all);
    pier->client_count--;
    close(client->berth.fd);
    bytes_release(&client->out);
    free(client);
}

/* Writes what is due; false when the connection was closed. */
static bool client_flush(struct pier *pier, struct client *client)
{
    const bool waited = client->waits_out;
    if (client->out.len > 0) {
        const ssize_t sent = send(client->berth.fd, client->out.ptr,
                                  client->out.len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            client_close(pier, client);
            return false;
        }
        if (sent > 0)
            bytes_drop(&client->out, (size_t)sent);
    }
    client->waits_out = client->out.len > 0;
    if (client->is_ending && !client->waits_out) {
        client_close(pier, client);
        return false;
    }
    if (waited != client->waits_out)
        client_watch(pier, client);
    return true;
}

/* The message is ours from here on: says so, counts it, notes it. */
static void client_take(struct pier *pier, struct client *client)
{
    struct tally *tally = pier->tally;
    struct bytes *lines = ledger_lines(pier->ledger);
    const uint64_t now_utc_us = clock_utc_us();
    bytes_add_text(&client->out, "250 2.0.0 taken\r\n");
    tally_message(tally, client->peer, client->receiver.rcpt_count, now_utc_us);
    if (lines != NULL)
        bytes_addf(lines, "%s\t%" PRIu64 "\t%s\t%" PRIu32 "\t%s\n",
                   client->receiver.load_id, now_utc_us,
                   tally->peers[client->peer].host, client->receiver.rcpt_count,
                   receiver_judge(&client->receiver));
    client->receiver.rcpt_count = 0;
    if (tally->messages == pier->plan->expect)
        pier->end_us = clock_monotonic_us() + pier->plan->linger_ms * 1000;
}

static void client_delay(struct pier *pier, struct client *client)
{
    client->reply_us = clock_monotonic_us() + pier->plan->delay_ms * 1000;
    TAILQ_INSERT_TAIL(&pier->delayed, client, delayed);
    client_watch(pier, client);
}

static void client_hear(struct pier *pier, struct client *client,
                        const char *line, size_t len)
{
    if (client->is_mid_line) {
        client->is_mid_line = false;
        return;
    }
    switch (receiver_hear(&client->receiver, line, len, pier->refuse_code,
                          &client->out)) {
    case RECEIVER_GOES_ON:
        break;
    case RECEIVER_TOOK:
        if (pier->plan->delay_ms > 0)
            client_delay(pier, client);
        else
            client_take(pier, client);
        break;
    case RECEIVER_ENDS:
        client->is_ending = true;
        break;
    }
}

/* Hears the whole lines at hand, up to one whose reply is delayed. */
static void client_hear_all(struct pier *pier, struct client *client)
{
    const char *at = client->in;
    const char *const end = client->in + client->in_len;
    const char *newline;
    while (client->reply_us == 0 && !client->is_ending
           && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        client_hear(pier, client, at, (size_t)(newline - at));
        at = newline + 1;
    }
    client->in_len = (size_t)(end - at);
    if (client->in_len == sizeof client->in && client->reply_us == 0) {
        client->in_len = 0;
        client->is_mid_line = true;
    }
    memmove(client->in, at, client->in_len);
}

static void client_handle(struct pier *pier, struct client *client,
                          uint32_t events)
{
    if (events & (EPOLLHUP | EPOLLERR)) {
        client_close(pier, client);
        return;
    }
    if (events & EPOLLIN) {
        const ssize_t got = recv(client->berth.fd, client->in + client->in_len,
                                 sizeof client->in - client->in_len, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
            client_close(pier, client);
            return;
        }
        if (got > 0) {
            pier->tally->bytes += (uint64_t)got;
            client->in_len += (size_t)got;
            client_hear_all(pier, client);
        }
    }
    (void)client_flush(pier, client);
}

static void welcome(struct pier *pier, int fd, const struct endpoint *from)
{
    const int yes = 1;
    struct client *client = malloc(sizeof *client);
    if (client == NULL)
        abort();
    memset(client, 0, offsetof(struct client, in));
    client->berth =
        (struct berth){ .kind = BERTH_CLIENT, .fd = fd, .client = client };
    client->peer = tally_find_peer(pier->tally, from);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    TAILQ_INSERT_TAIL(&pier->clients, client, all);
    pier->tally->peers[client->peer].connections++;
    pier->tally->connections++;
    pier->client_count++;
    if (pier->client_count > pier->tally->connections_at_once)
        pier->tally->connections_at_once = pier->client_count;
    if (!watch(pier, &client->berth, EPOLL_CTL_ADD, EPOLLIN)) {
        client_close(pier, client);
        return;
    }
    receiver_greet(&client->out);
    (void)client_flush(pier, client);
}

static void accept_some(struct pier *pier, const struct berth *listener)
{
    for (int i = 0; i < EVENTS_MAX; i++) {
        struct endpoint from = { .len = sizeof from.address };
        const int fd = accept4(listener->fd, (struct sockaddr *)&from.address,
                               &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        welcome(pier, fd, &from);
    }
}

static void take_signals(struct pier *pier, const struct berth *signals)
{
    struct signalfd_siginfo info;
    while (read(signals->fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo != SIGUSR1) {
            pier->is_ending = true;
            continue;
        }
        const uint32_t planned = pier->plan->refuse_code;
        const uint32_t code = planned != 0 ? planned : REFUSE_CODE_DEFAULT;
        pier->refuse_code = pier->refuse_code == 0 ? code : 0;
    }
}

/* Gives the replies that are due, and hears what came in behind them. */
static void end_delays(struct pier *pier, uint64_t now_us)
{
    struct client *client;
    while ((client = TAILQ_FIRST(&pier->delayed)) != NULL
           && client->reply_us <= now_us) {
        TAILQ_REMOVE(&pier->delayed, client, delayed);
        client->reply_us = 0;
        client_take(pier, client);
        client_hear_all(pier, client);
        if (client_flush(pier, client))
            client_watch(pier, client);
    }
}

static int wait_ms(const struct pier *pier, uint64_t now_us)
{
    const struct client *first = TAILQ_FIRST(&pier->delayed);
    if (first == NULL)
        return TICK_MS;
    if (first->reply_us <= now_us)
        return 0;
    const uint64_t left_ms = (first->reply_us - now_us + 999) / 1000;
    return left_ms < TICK_MS ? (int)left_ms : TICK_MS;
}

static bool keep_ledger(struct pier *pier, uint64_t now_us)
{
    if (now_us < pier->ledger_due_us
        && pier->ledger->lines.len < LEDGER_LINES_BYTES)
        return true;
    pier->ledger_due_us = now_us + LEDGER_FLUSH_US;
    return ledger_flush(pier->ledger);
}

static bool run(struct pier *pier)
{
    struct epoll_event events[EVENTS_MAX];
    uint64_t now_us = clock_monotonic_us();
    while (!pier->is_ending && (pier->end_us == 0 || now_us < pier->end_us)) {
        const int count = epoll_wait(pier->epoll_fd, events, EVENTS_MAX,
                                     wait_ms(pier, now_us));
        if (count < 0 && errno != EINTR)
            return false;
        for (int i = 0; i < count; i++) {
            struct berth *berth = events[i].data.ptr;
            if (berth->kind == BERTH_LISTENER)
                accept_some(pier, berth);
            else if (berth->kind == BERTH_SIGNALS)
                take_signals(pier, berth);
            else
                client_handle(pier, berth->client, events[i].events);
        }
        now_us = clock_monotonic_us();
        end_delays(pier, now_us);
        if (!keep_ledger(pier, now_us))
            return false;
    }
    return ledger_flush(pier->ledger);
}

static bool listen_at(struct pier *pier, const struct endpoint *where,
                      struct berth *listener)
{
    const int yes = 1;
    listener->kind = BERTH_LISTENER;
    listener->fd = socket(where->address.ss_family,
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return listener->fd >= 0
           && setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &yes,
                         sizeof yes)
                  == 0
           && bind(listener->fd, (const struct sockaddr *)&where->address,
                   where->len)
                  == 0
           && listen(listener->fd, BACKLOG) == 0
           && watch(pier, listener, EPOLL_CTL_ADD, EPOLLIN);
}

static bool open_all(struct pier *pier, struct berth *signals)
{
    const struct pier_plan *plan = pier->plan;
    if (pier->epoll_fd < 0 || !watch(pier, signals, EPOLL_CTL_ADD, EPOLLIN))
        return false;
    for (size_t i = 0; i < plan->listener_count; i++) {
        if (!listen_at(pier, &plan->listeners[i], &pier->listeners[i]))
            return false;
    }
    return true;
}

static void pier_release(struct pier *pier)
{
    struct client *client;
    const int error = errno;
    while ((client = TAILQ_FIRST(&pier->clients)) != NULL)
        client_close(pier, client);
    for (size_t i = 0; i < pier->plan->listener_count; i++) {
        if (pier->listeners[i].fd > 0)
            close(pier->listeners[i].fd);
    }
    if (pier->epoll_fd >= 0)
        close(pier->epoll_fd);
    free(pier->listeners);
    errno = error;
}

bool pier_run(const struct pier_plan *plan, int signal_fd,
              struct ledger *ledger, struct tally *tally)
{
    struct pier pier = { .plan = plan,
                         .ledger = ledger,
                         .tally = tally,
                         .refuse_code = plan->refuse_code };
    struct berth signals = { .kind = BERTH_SIGNALS, .fd = signal_fd };
    TAILQ_INIT(&pier.clients);
    TAILQ_INIT(&pier.delayed);
    pier.listeners = calloc(plan->listener_count, sizeof *pier.listeners);
    if (pier.listeners == NULL)
        abort();
    pier.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    const bool is_done = open_all(&pier, &signals) && run(&pier);
    pier_release(&pier);
    return is_done;
}
