/* proxy.c - how a source that is elsewhere is reached. */
#include "workers/smtp/proxy.h"

#include "common/base/check.h"

#define IPV4_AT         12   /* in the form of iprange.h */
#define VERSION_COMMAND 0x21 /* version 2, PROXY */
#define TCP_IPV4        0x11
#define TCP_IPV6        0x21

static const struct slice signature = { "\r\n\r\n\0\r\nQUIT\n", 12 };

static void add_number(struct buf *out, unsigned number)
{
    (void)buf_add_byte(out, (char)(number >> 8));
    (void)buf_add_byte(out, (char)(number & 0xff));
}

static void add_ip(struct buf *out, const struct addr *addr, size_t from)
{
    uint8_t ip[IPRANGE_BYTES];
    const bool has_ip = addr_ip_bytes(addr, ip);
    CHECK(has_ip);
    (void)buf_add(out, slice_of((const char *)ip + from, sizeof ip - from));
}

void proxy_add_header(struct buf *out, const struct addr *from,
                      const struct addr *to)
{
    const bool is_ipv6 = addr_is_ipv6(to);
    const size_t at = is_ipv6 ? 0 : IPV4_AT;
    CHECK(addr_is_ipv6(from) == is_ipv6);
    (void)buf_add(out, signature);
    (void)buf_add_byte(out, VERSION_COMMAND);
    (void)buf_add_byte(out, is_ipv6 ? TCP_IPV6 : TCP_IPV4);
    add_number(out, (unsigned)(2 * (IPRANGE_BYTES - at) + 4));
    add_ip(out, from, at);
    add_ip(out, to, at);
    add_number(out, addr_port(from));
    add_number(out, addr_port(to));
}
