/* bytes.h - fixed-width little-endian numbers in memory, any alignment. */
#ifndef ROUTER_SPOOL_BYTES_H
#define ROUTER_SPOOL_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void bytes_put32(char *at, uint32_t number)
{
    const uint32_t little = htole32(number);
    memcpy(at, &little, sizeof little);
}

static inline void bytes_put64(char *at, uint64_t number)
{
    const uint64_t little = htole64(number);
    memcpy(at, &little, sizeof little);
}

static inline uint32_t bytes_get32(const char *at)
{
    uint32_t little;
    memcpy(&little, at, sizeof little);
    return le32toh(little);
}

static inline uint64_t bytes_get64(const char *at)
{
    uint64_t little;
    memcpy(&little, at, sizeof little);
    return le64toh(little);
}

#endif
