/* addr_watch.c - hears when this host gets or loses an IP address. */
#include "common/edge/addr_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"

#define READ_SIZE 8192u

struct addr_watch {
    int fd;
    struct watch *readable;
    timer_fn *fn;
    void *context;
};

/* Only that something was said counts; ENOBUFS says that some was missed. */
static void hear(void *context, unsigned events)
{
    struct addr_watch *watch = context;
    char bytes[READ_SIZE];
    (void)events;
    while (recv(watch->fd, bytes, sizeof bytes, 0) >= 0 || errno == EINTR
           || errno == ENOBUFS)
        ;
    watch->fn(watch->context);
}

static int open_socket(void)
{
    const struct sockaddr_nl groups = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
    };
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          NETLINK_ROUTE);
    if (fd < 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)&groups, sizeof groups) == 0)
        return fd;
    const int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

struct addr_watch *addr_watch_new(struct loop *loop, timer_fn *fn,
                                  void *context, struct fault *fault)
{
    const int fd = open_socket();
    if (fd < 0) {
        (void)fault_set(fault, RC_IO, errno, "netlink");
        return NULL;
    }
    struct addr_watch *watch = NEW(struct addr_watch);
    watch->fd = fd;
    watch->fn = fn;
    watch->context = context;
    watch->readable = watch_new(loop, fd, hear, watch);
    watch_set(watch->readable, WATCH_READ);
    return watch;
}

void addr_watch_free(struct addr_watch **watch)
{
    struct addr_watch *freed = steal(*watch);
    if (!freed)
        return;
    watch_free(&freed->readable);
    (void)close(freed->fd);
    mem_free(freed);
}
