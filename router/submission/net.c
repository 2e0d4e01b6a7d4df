/* net.c - whom we take for one client. */
#include "router/submission/net.h"

#include <netinet/in.h>
#include <string.h>

#define MAPPED_LEN 12 /* ::ffff: before the IPv4 address */
#define PREFIX_LEN 8  /* a /64 */

static const uint8_t mapped[MAPPED_LEN] = { [10] = 0xff, [11] = 0xff };

struct net net_of(const struct addr *addr)
{
    struct net net = { 0 };
    if (addr->storage.ss_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, &addr->storage, sizeof ipv4);
        memcpy(net.bytes, mapped, MAPPED_LEN);
        memcpy(net.bytes + MAPPED_LEN, &ipv4.sin_addr, sizeof ipv4.sin_addr);
    } else if (addr->storage.ss_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, &addr->storage, sizeof ipv6);
        bool is_mapped = memcmp(&ipv6.sin6_addr, mapped, MAPPED_LEN) == 0;
        memcpy(net.bytes, &ipv6.sin6_addr,
               is_mapped ? sizeof net.bytes : PREFIX_LEN);
    }
    return net;
}

bool net_equal(const struct net *a, const struct net *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
