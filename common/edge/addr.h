/*
 * addr.h - a socket address: IP and port, or a Unix path.
 */
#ifndef COMMON_EDGE_ADDR_H
#define COMMON_EDGE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/attr.h"
#include "common/base/iprange.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

struct addr {
    struct sockaddr_storage storage;
    socklen_t len;
};

#define ADDR_TEXT_SIZE 64

/* An IP literal without brackets and a port. False when it is none. */
bool addr_of_ip(struct slice ip, uint16_t port, struct addr *addr);

/* A path of a Unix socket; false when it is too long. */
bool addr_of_path(const char *path, struct addr *addr);

/* The IP alone, without a port: "127.0.0.1", "::1"; "unix" for a path. */
void addr_ip_text(const struct addr *addr, char text[ADDR_TEXT_SIZE]);

uint16_t addr_port(const struct addr *addr);
bool addr_is_ipv6(const struct addr *addr);

/* Same IP, ports aside; an IPv4-mapped IPv6 address is its IPv4 one. */
bool addr_same_ip(const struct addr *a, const struct addr *b);

/* The bytes of the IP in the form of iprange.h; false: it has none. */
bool addr_ip_bytes(const struct addr *addr, uint8_t ip[IPRANGE_BYTES]);

/* 127/8, ::1, 0/8, ::, and IPv4-mapped forms of them. */
bool addr_is_loopback(const struct addr *addr);

/* Whether this host can bind the IP now. */
bool addr_is_local(const struct addr *addr);

/* A bound, listening, non-blocking, close-on-exec socket with SO_REUSEADDR and
 * SO_REUSEPORT, for IPv6 without IPv4 on the same port; -1 with errno. A Unix
 * path must not exist. */
int addr_listen(const struct addr *addr, int backlog);

/* A non-blocking, close-on-exec socket that connects to `to` from `from` (NULL:
 * any), or has; -1 with *fault. A `from` without a port shares ports with other
 * sources: the kernel picks one that is free for this destination. */
int addr_connect(const struct addr *from, const struct addr *to,
                 struct fault *fault) must_check;

#endif
