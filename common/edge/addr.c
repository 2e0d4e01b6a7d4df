/* addr.c - socket addresses and listening on them. */
#include "common/edge/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

static const struct sockaddr_in *as_ipv4(const struct addr *addr)
{
    return (const struct sockaddr_in *)(const void *)&addr->storage;
}

static const struct sockaddr_in6 *as_ipv6(const struct addr *addr)
{
    return (const struct sockaddr_in6 *)(const void *)&addr->storage;
}

bool addr_of_ip(struct slice ip, uint16_t port, struct addr *addr)
{
    char text[INET6_ADDRSTRLEN];
    if (ip.len == 0 || ip.len >= sizeof text || slice_find(ip, 0) < ip.len)
        return false;
    memcpy(text, ip.ptr, ip.len);
    text[ip.len] = 0;

    struct sockaddr_in ipv4 = { .sin_family = AF_INET,
                                .sin_port = htons(port) };
    struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6,
                                 .sin6_port = htons(port) };
    struct addr made = { 0 };
    if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1) {
        memcpy(&made.storage, &ipv4, sizeof ipv4);
        made.len = sizeof ipv4;
    } else if (inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1) {
        memcpy(&made.storage, &ipv6, sizeof ipv6);
        made.len = sizeof ipv6;
    } else {
        return false;
    }
    *addr = made;
    return true;
}

bool addr_of_path(const char *path, struct addr *addr)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof local.sun_path)
        return false;
    memcpy(local.sun_path, path, len);

    *addr = (struct addr){ .len = sizeof local };
    memcpy(&addr->storage, &local, sizeof local);
    return true;
}

void addr_ip_text(const struct addr *addr, char text[ADDR_TEXT_SIZE])
{
    const char *done = NULL;
    if (addr->storage.ss_family == AF_INET)
        done =
            inet_ntop(AF_INET, &as_ipv4(addr)->sin_addr, text, ADDR_TEXT_SIZE);
    else if (addr->storage.ss_family == AF_INET6)
        done = inet_ntop(AF_INET6, &as_ipv6(addr)->sin6_addr, text,
                         ADDR_TEXT_SIZE);
    if (!done)
        (void)snprintf(text, ADDR_TEXT_SIZE, "unix");
}

uint16_t addr_port(const struct addr *addr)
{
    if (addr->storage.ss_family == AF_INET)
        return ntohs(as_ipv4(addr)->sin_port);
    if (addr->storage.ss_family == AF_INET6)
        return ntohs(as_ipv6(addr)->sin6_port);
    return 0;
}

bool addr_is_ipv6(const struct addr *addr)
{
    return addr->storage.ss_family == AF_INET6;
}

/* The IPv4 address of an IPv4 or IPv4-mapped one. */
static bool get_ipv4(const struct addr *addr, uint32_t *ipv4)
{
    if (addr->storage.ss_family == AF_INET) {
        *ipv4 = ntohl(as_ipv4(addr)->sin_addr.s_addr);
        return true;
    }
    if (addr->storage.ss_family != AF_INET6)
        return false;
    const struct in6_addr *ipv6 = &as_ipv6(addr)->sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(ipv6))
        return false;
    uint32_t last = 0;
    memcpy(&last, &ipv6->s6_addr[12], sizeof last);
    *ipv4 = ntohl(last);
    return true;
}

bool addr_same_ip(const struct addr *a, const struct addr *b)
{
    uint32_t a4 = 0;
    uint32_t b4 = 0;
    bool a_is_ipv4 = get_ipv4(a, &a4);
    bool b_is_ipv4 = get_ipv4(b, &b4);
    if (a_is_ipv4 || b_is_ipv4)
        return a_is_ipv4 && b_is_ipv4 && a4 == b4;
    return addr_is_ipv6(a) && addr_is_ipv6(b)
           && IN6_ARE_ADDR_EQUAL(&as_ipv6(a)->sin6_addr,
                                 &as_ipv6(b)->sin6_addr);
}

bool addr_ip_bytes(const struct addr *addr, uint8_t ip[IPRANGE_BYTES])
{
    struct iprange range;
    char text[ADDR_TEXT_SIZE];
    addr_ip_text(addr, text);
    if (!iprange_parse(slice_text(text), &range))
        return false;
    memcpy(ip, range.ip, sizeof range.ip);
    return true;
}

bool addr_is_loopback(const struct addr *addr)
{
    uint32_t ipv4 = 0;
    if (get_ipv4(addr, &ipv4))
        return ipv4 >> 24 == 127 || ipv4 >> 24 == 0;
    return addr_is_ipv6(addr)
           && (IN6_IS_ADDR_LOOPBACK(&as_ipv6(addr)->sin6_addr)
               || IN6_IS_ADDR_UNSPECIFIED(&as_ipv6(addr)->sin6_addr));
}

bool addr_is_local(const struct addr *addr)
{
    struct addr any_port = *addr;
    if (addr_is_ipv6(addr))
        ((struct sockaddr_in6 *)(void *)&any_port.storage)->sin6_port = 0;
    else if (addr->storage.ss_family == AF_INET)
        ((struct sockaddr_in *)(void *)&any_port.storage)->sin_port = 0;
    else
        return false;

    /* A datagram socket takes no port from those of connections. */
    int fd = socket(addr->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool bound =
        bind(fd, (const struct sockaddr *)&any_port.storage, any_port.len) == 0;
    (void)close(fd);
    return bound;
}

static bool prepare_listener(int fd, const struct addr *addr)
{
    const int on = 1;
    if (addr->storage.ss_family == AF_UNIX)
        return true;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        return false;
    return !addr_is_ipv6(addr)
           || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
}

int addr_listen(const struct addr *addr, int backlog)
{
    int fd = socket(addr->storage.ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (prepare_listener(fd, addr)
        && bind(fd, (const struct sockaddr *)&addr->storage, addr->len) == 0
        && listen(fd, backlog) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static bool bind_source(int fd, const struct addr *from)
{
    /* The port is chosen at connect, where one per destination is enough;
     * bound without this each would take a port of its own from all. */
    const int on = 1;
    if (addr_port(from) == 0
        && setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on)
               != 0)
        return false;
    return bind(fd, (const struct sockaddr *)&from->storage, from->len) == 0;
}

int addr_connect(const struct addr *from, const struct addr *to,
                 struct fault *fault)
{
    int fd = socket(to->storage.ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        (void)fault_set(fault, RC_IO, errno, "socket");
        return -1;
    }
    const char *step = "bind";
    if (!from || bind_source(fd, from)) {
        step = "connect";
        if (connect(fd, (const struct sockaddr *)&to->storage, to->len) == 0
            || errno == EINPROGRESS)
            return fd;
    }
    (void)fault_set(fault, RC_IO, errno, "%s", step);
    (void)close(fd);
    return -1;
}
