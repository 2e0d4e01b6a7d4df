/* iprange.c - a range of IP addresses. */
#include "common/base/iprange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define IPV4_AT    12 /* where an IPv4 address stands in its mapped form */
#define MAPPED_MAX 128u

static bool parse_ip(struct slice text, uint8_t ip[IPRANGE_BYTES],
                     uint64_t *bits_max)
{
    char literal[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof literal
        || slice_find(text, '\0') < text.len)
        return false;
    memcpy(literal, text.ptr, text.len);
    literal[text.len] = '\0';
    *bits_max = MAPPED_MAX;
    if (inet_pton(AF_INET6, literal, ip) == 1)
        return true;
    static const uint8_t mapped[IPV4_AT] = { [10] = 0xff, [11] = 0xff };
    memcpy(ip, mapped, sizeof mapped);
    *bits_max = MAPPED_MAX - 8u * IPV4_AT;
    return inet_pton(AF_INET, literal, &ip[IPV4_AT]) == 1;
}

/* The bits of byte `at` that belong to the first `bits` of the address. */
static uint8_t mask(unsigned bits, unsigned at)
{
    if (bits >= 8 * (at + 1))
        return 0xff;
    if (bits <= 8 * at)
        return 0;
    return (uint8_t)(0xff00u >> (bits - 8 * at));
}

bool iprange_parse(struct slice text, struct iprange *range)
{
    struct iprange made;
    uint64_t bits_max = 0;
    const size_t slash = slice_find(text, '/');
    if (!parse_ip(slice_head(text, slash), made.ip, &bits_max))
        return false;
    uint64_t bits = bits_max;
    if (slash < text.len
        && !slice_number(slice_from(text, slash + 1), bits_max, &bits))
        return false;
    made.bits = (uint8_t)(bits + MAPPED_MAX - bits_max);
    for (unsigned i = 0; i < IPRANGE_BYTES; i++)
        if ((made.ip[i] & ~mask(made.bits, i)) != 0)
            return false;
    *range = made;
    return true;
}

bool iprange_has(const struct iprange *range, const uint8_t ip[IPRANGE_BYTES])
{
    for (unsigned i = 0; i < IPRANGE_BYTES; i++)
        if (((range->ip[i] ^ ip[i]) & mask(range->bits, i)) != 0)
            return false;
    return true;
}
