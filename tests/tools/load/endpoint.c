/* endpoint.c - numbers and addresses from the command line. */
#include "endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    HOST_MAX = 256,    /* RFC 1035, 2.3.4, and a NUL */
    NET_BITS_MIN = 20, /* 4096 listeners are plenty */
    PORT_MAX = 65535,
};

bool number_parse(const char *text, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        const uint64_t digit = (uint64_t)(*text - '0');
        if (sum > (max - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

static bool resolve(const char *host, const char *port,
                    struct endpoint *endpoint)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return false;
    memcpy(&endpoint->address, found->ai_addr, found->ai_addrlen);
    endpoint->len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

/* Copies what stands before `end` into `part`, without [ ] of IPv6. */
static bool copy_host(const char *text, const char *end, char part[HOST_MAX])
{
    if (end - text >= 2 && *text == '[' && end[-1] == ']') {
        text++;
        end--;
    }
    const size_t len = (size_t)(end - text);
    if (len == 0 || len >= HOST_MAX)
        return false;
    memcpy(part, text, len);
    part[len] = '\0';
    return true;
}

bool endpoint_parse(const char *text, struct endpoint *endpoint)
{
    char host[HOST_MAX];
    uint64_t port;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !copy_host(text, colon, host))
        return false;
    if (!number_parse(colon + 1, PORT_MAX, &port))
        return false;
    return resolve(host, colon + 1, endpoint);
}

bool endpoint_parse_host(const char *text, struct endpoint *endpoint)
{
    return resolve(text, "0", endpoint);
}

bool endpoint_parse_net(const char *text, struct endpoint *first,
                        uint32_t *count)
{
    char host[HOST_MAX];
    char bits_text[4] = "";
    uint64_t bits;
    uint64_t port;
    const char *slash = strchr(text, '/');
    const char *colon = strrchr(text, ':');
    if (slash == NULL || colon == NULL || colon <= slash
        || colon - slash > (ptrdiff_t)sizeof bits_text)
        return false;
    memcpy(bits_text, slash + 1, (size_t)(colon - slash - 1));
    if (!number_parse(bits_text, 32, &bits) || bits < NET_BITS_MIN
        || !number_parse(colon + 1, PORT_MAX, &port))
        return false;

    struct sockaddr_in lowest = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port) };
    if (!copy_host(text, slash, host)
        || inet_pton(AF_INET, host, &lowest.sin_addr) != 1)
        return false;
    *count = UINT32_C(1) << (32 - bits);
    lowest.sin_addr.s_addr &= htonl(~(*count - 1));
    memcpy(&first->address, &lowest, sizeof lowest);
    first->len = sizeof lowest;
    return true;
}

struct endpoint endpoint_above(const struct endpoint *first, uint32_t step)
{
    struct endpoint above = *first;
    struct sockaddr_in address;
    memcpy(&address, &above.address, sizeof address);
    address.sin_addr.s_addr = htonl(ntohl(address.sin_addr.s_addr) + step);
    memcpy(&above.address, &address, sizeof address);
    return above;
}

void endpoint_print_host(const struct endpoint *endpoint,
                         char text[ENDPOINT_TEXT_MAX])
{
    const struct sockaddr *address = (const void *)&endpoint->address;
    if (getnameinfo(address, endpoint->len, text, ENDPOINT_TEXT_MAX, NULL, 0,
                    NI_NUMERICHOST)
        != 0)
        snprintf(text, ENDPOINT_TEXT_MAX, "unknown");
}
