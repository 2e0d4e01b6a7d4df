/*
 * chunk.h - sixteen bytes at a time, for loops that pass over much text.
 *
 * Vectors as gcc and clang know them, which every 64-bit machine has registers
 * for; no intrinsics. A question is asked of all bytes at once:
 *
 *     chunk stops = chunk_is(bytes, '<') | chunk_is(bytes, '&');
 *     size_t plain = chunk_first(stops);
 *
 * The caller sees to it that CHUNK_BYTES can be read or written.
 */
#ifndef COMMON_BASE_CHUNK_H
#define COMMON_BASE_CHUNK_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/slice.h"

#define CHUNK_BYTES 16u

typedef uint8_t chunk __attribute__((vector_size(CHUNK_BYTES)));

static inline chunk chunk_read(const char *from)
{
    chunk bytes;
    memcpy(&bytes, from, sizeof bytes);
    return bytes;
}

static inline void chunk_write(chunk bytes, char *to)
{
    memcpy(to, &bytes, sizeof bytes);
}

/* All bits of each byte that is `byte`, none of the others. */
static inline chunk chunk_is(chunk bytes, uint8_t byte)
{
    return (chunk)(bytes == byte);
}

static inline chunk chunk_below(chunk bytes, uint8_t byte)
{
    return (chunk)(bytes < byte);
}

/* Of each byte that is an ASCII letter; so on. */
static inline chunk chunk_letters(chunk bytes)
{
    return chunk_below((bytes | ('a' ^ 'A')) - 'a', 26);
}

static inline chunk chunk_digits(chunk bytes)
{
    return chunk_below(bytes - '0', 10);
}

/* Position of the first byte of a mask that is set; CHUNK_BYTES: none is. */
static inline size_t chunk_first(chunk mask)
{
    uint64_t halves[2];
    memcpy(halves, &mask, sizeof halves);
    if (halves[0] != 0)
        return (size_t)__builtin_ctzll(le64toh(halves[0])) / 8;
    if (halves[1] != 0)
        return 8 + (size_t)__builtin_ctzll(le64toh(halves[1])) / 8;
    return CHUNK_BYTES;
}

/* As slice_find(), without a call for what is near. */
static inline size_t chunk_find(struct slice text, char byte)
{
    if (text.len >= CHUNK_BYTES) {
        const size_t at =
            chunk_first(chunk_is(chunk_read(text.ptr), (uint8_t)byte));
        if (at < CHUNK_BYTES)
            return at;
    }
    return slice_find(text, byte);
}

#endif
