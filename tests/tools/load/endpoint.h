/*
 * endpoint.h - numbers and addresses from the command line.
 *
 * Addresses are numeric: 127.0.0.1:2525, [::1]:2525, and for the generator
 * a host name, looked up once at the start.
 */
#ifndef TESTS_TOOLS_LOAD_ENDPOINT_H
#define TESTS_TOOLS_LOAD_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ENDPOINT_TEXT_MAX = 64 }; /* an IPv6 address and its NUL fit */

struct endpoint {
    struct sockaddr_storage address;
    socklen_t len;
};

/* Decimal digits alone, up to `max`; false leaves `value` alone. */
bool number_parse(const char *text, uint64_t max, uint64_t *value);

/* HOST:PORT; false when it does not parse or the host is unknown. */
bool endpoint_parse(const char *text, struct endpoint *endpoint);

/* An address without port, to bind a client to. */
bool endpoint_parse_host(const char *text, struct endpoint *endpoint);

/* A.B.C.D/BITS:PORT, IPv4, /20 or narrower: `first` is the lowest address. */
bool endpoint_parse_net(const char *text, struct endpoint *first,
                        uint32_t *count);

/* The IPv4 endpoint `step` addresses above `first`. */
struct endpoint endpoint_above(const struct endpoint *first, uint32_t step);

/* Writes the address without its port. */
void endpoint_print_host(const struct endpoint *endpoint,
                         char text[ENDPOINT_TEXT_MAX]);

#endif
