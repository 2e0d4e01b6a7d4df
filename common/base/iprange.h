/*
 * iprange.h - a range of IP addresses: "127.0.0.0/8", "fc00::/7".
 *
 * IPv4 is kept as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2), so that
 * ::ffff:127.0.0.1 lies in 127.0.0.0/8 as the kernel takes it.
 */
#ifndef COMMON_BASE_IPRANGE_H
#define COMMON_BASE_IPRANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"

#define IPRANGE_BYTES 16

struct iprange {
    uint8_t ip[IPRANGE_BYTES];
    uint8_t bits; /* of the address that all in the range share, 0-128 */
};

/* An IP literal without brackets, alone or with "/BITS". False, and nothing is
 * written, when it is none, or has bits set behind BITS: a slip of the pen. */
bool iprange_parse(struct slice text, struct iprange *range);

/* `ip` in the form of struct iprange. */
bool iprange_has(const struct iprange *range, const uint8_t ip[IPRANGE_BYTES]);

#endif
