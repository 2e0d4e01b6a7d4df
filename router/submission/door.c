/* door.c - one listening socket of one desk. */
#include "router/submission/door.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/edge/log.h"
#include "router/submission/connection.h"

#define KNOCKS_PER_TURN 64u
#define REST_MS         200u

struct door {
    struct list link;
    struct desk *desk;
    char *address;
    int fd;
    struct crowd *crowd;
    struct watch *watch;
    struct timer *rest;
};

/* One write of a few bytes fits every socket buffer; under TLS from the first
 * byte there is nobody yet to read it. */
static void turn_away(const struct door *door,
                      const struct conf_listener *listener, int fd)
{
    static const char words[] = "421 4.7.0 Too many connections\r\n";
    if (listener->tls != LISTENER_IMPLICIT)
        (void)send(fd, words, sizeof words - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)close(fd);
    desk_count(&door->desk->counters.turned_away, 1);
}

static void let_in(struct door *door, int fd, const struct addr *peer)
{
    const struct conf_listener *listener =
        setup_listener(door->desk->setup, door->address);
    const struct net net = net_of(peer);
    const struct crowd_limits limits = {
        .total = listener->max_connections,
        .per_client = listener->max_connections_per_ip,
    };
    if (!crowd_enter(door->crowd, &net, limits))
        turn_away(door, listener, fd);
    else
        connection_open(door->desk, listener, door->crowd, &net, fd);
}

static bool is_short_of_means(int sys_errno)
{
    return sys_errno == EMFILE || sys_errno == ENFILE || sys_errno == ENOBUFS
           || sys_errno == ENOMEM;
}

static void on_knock(void *context, unsigned ready)
{
    struct door *door = context;
    (void)ready;
    for (unsigned i = 0; i < KNOCKS_PER_TURN; i++) {
        struct addr peer = { .len = sizeof peer.storage };
        int fd = accept4(door->fd, (struct sockaddr *)&peer.storage, &peer.len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            let_in(door, fd, &peer);
        } else if (is_short_of_means(errno)) {
            struct fault fault;
            (void)fault_set(&fault, RC_IO, errno, "accept");
            log_fault(LOG_WARNING, "door_rests", &fault);
            watch_set(door->watch, 0);
            timer_set(door->rest, loop_now_ms(door->desk->loop) + REST_MS);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static void on_rested(void *context)
{
    struct door *door = context;
    watch_set(door->watch, WATCH_READ);
}

struct door *door_new(struct desk *desk, char *address, int fd,
                      struct crowd *crowd)
{
    struct door *door = NEW(struct door);
    list_init(&door->link);
    door->desk = desk;
    door->address = address;
    door->fd = fd;
    door->crowd = crowd;
    door->watch = watch_new(desk->loop, fd, on_knock, door);
    door->rest = timer_new(desk->loop, on_rested, door);
    watch_set(door->watch, WATCH_READ);
    return door;
}

void door_free(struct door **door)
{
    struct door *held = steal(*door);
    if (!held)
        return;
    list_remove(&held->link);
    watch_free(&held->watch);
    timer_free(&held->rest);
    (void)close(held->fd);
    crowd_release(&held->crowd);
    mem_free(held->address);
    mem_free(held);
}

const char *door_address(const struct door *door)
{
    return door->address;
}

struct list *door_link(struct door *door)
{
    return &door->link;
}

struct door *door_of(struct list *link)
{
    return container_of(link, struct door, link);
}
