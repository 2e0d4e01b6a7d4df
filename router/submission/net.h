/*
 * net.h - whom we take for one client: an IPv4 address, or an IPv6 /64.
 *
 * An IPv6 customer owns a whole /64, so counting single addresses would count
 * nothing. An IPv4-mapped address is its IPv4 one; all Unix sockets are one.
 */
#ifndef ROUTER_SUBMISSION_NET_H
#define ROUTER_SUBMISSION_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/edge/addr.h"

struct net {
    uint8_t bytes[16];
};

struct net net_of(const struct addr *addr);
bool net_equal(const struct net *a, const struct net *b);

static inline struct slice net_slice(const struct net *net)
{
    return slice_of((const char *)net->bytes, sizeof net->bytes);
}

#endif
