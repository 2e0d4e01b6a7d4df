/*
 * chunk.h - sixteen bytes at a time, for loops that pass over much text.
 *
 * Vectors as gcc and clang know them, which every 64-bit machine has registers
 * for. A question is asked of all bytes at once:
 *
 *     chunk stops = chunk_is(bytes, '<') | chunk_is(bytes, '&');
 *     size_t plain = chunk_first(stops);
 *
 * The caller sees to it that CHUNK_BYTES can be read or written.
 */
#ifndef COMMON_BASE_CHUNK_H
#define COMMON_BASE_CHUNK_H

#include <endian.h>
#include <stdbool.h>
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

/* All bits of the first `count` bytes. */
static inline chunk chunk_heads(size_t count)
{
    static const uint8_t heads_and_tails[2 * CHUNK_BYTES] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    };
    return chunk_read((const char *)heads_and_tails + CHUNK_BYTES - count);
}

static inline bool chunk_any(chunk mask)
{
    uint64_t halves[2];
    memcpy(halves, &mask, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/* A mask with a bit for each byte, the first lowest. */
static inline uint32_t chunk_bits(chunk mask)
{
#ifdef __SSE2__ /* one instruction, which compilers do not find */
    typedef char bytes __attribute__((vector_size(CHUNK_BYTES)));
    return (uint32_t)__builtin_ia32_pmovmskb128((bytes)mask);
#else
    uint64_t halves[2];
    memcpy(halves, &mask, sizeof halves);
    for (int i = 0; i < 2; i++)
        halves[i] =
            (le64toh(halves[i]) & 0x8040201008040201u) * 0x0101010101010101u
            >> 56;
    return (uint32_t)(halves[0] | halves[1] << 8);
#endif
}

/* Position of the first byte of a mask that is set; CHUNK_BYTES: none is. No
 * branch depends on where: in text that is as good as chance. */
static inline size_t chunk_first(chunk mask)
{
    return (size_t)__builtin_ctz(chunk_bits(mask) | 1u << CHUNK_BYTES);
}

/* The front of a text; zeros behind one that is shorter. */
static inline chunk chunk_of(struct slice text)
{
    chunk bytes = { 0 };
    if (text.len >= CHUNK_BYTES)
        return chunk_read(text.ptr);
    if (text.len > 0) /* else it may be NULL */
        memcpy(&bytes, text.ptr, text.len);
    return bytes;
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
