/* base64.c - what base64 stands for. */
#include "classifier/reading/base64.h"

#include <endian.h>
#include <stdint.h>

#include "common/base/chunk.h"

#define WORD_DECODED 6u  /* bytes that eight digits stand for */
#define CHUNK_ROOM   14u /* what two such words are written to */

/* Value of a digit; more than 63: it is none. */
static unsigned value_of(char byte)
{
    /* One more than the value; what is not named is 0. */
    /* clang-format off */
    static const uint8_t after[256] = {
        ['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
        19, 20, 21, 22, 23, 24, 25, 26,
        ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
        43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
        ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
    };
    /* clang-format on */
    return after[(unsigned char)byte] - 1u;
}

/* The values of sixteen digits at once; how many there are before one that is
 * none. */
static size_t read_values(const char *from, chunk *values)
{
    const chunk bytes = chunk_read(from);
    const chunk large = chunk_below(bytes - 'A', 26);
    const chunk small = chunk_below(bytes - 'a', 26);
    const chunk digit = chunk_digits(bytes);
    const chunk plus = chunk_is(bytes, '+');
    const chunk slash = chunk_is(bytes, '/');
    *values = (large & (bytes - 'A')) | (small & (bytes - 'a' + 26))
              | (digit & (bytes - '0' + 52)) | (plus & 62) | (slash & 63);
    return chunk_first(~(large | small | digit | plus | slash));
}

/* Four values of six bits are three bytes: in each of the two words, the values
 * of eight digits become six bytes at its low end, the first lowest. */
static void write_values(chunk values, char *to)
{
    uint64_t words[2];
    memcpy(words, &values, sizeof words);
    for (size_t i = 0; i < 2; i++, to += WORD_DECODED) {
        uint64_t v = be64toh(words[i]); /* the first value highest */
        v = (v & 0x003F003F003F003Fu) | (v & 0x3F003F003F003F00u) >> 2;
        v = (v & 0x00000FFF00000FFFu) | (v & 0x0FFF00000FFF0000u) >> 4;
        v = (v & 0x0000000000FFFFFFu) | (v & 0x00FFFFFF00000000u) >> 8;
        v = htobe64(v << 16);
        memcpy(to, &v, sizeof v);
    }
}

/* Sixteen digits, or as many fours of them as there are: how many. Writes to
 * CHUNK_ROOM bytes, whatever they are worth. */
static size_t decode_fours(const char *from, char *to)
{
    chunk values;
    const size_t count = read_values(from, &values) / 4;
    write_values(values, to);
    return count;
}

bool base64_read(struct slice text, char *to, size_t size, size_t *len)
{
    const char *at = text.ptr;
    const char *end = cursor_of(text).end;
    size_t done = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    while (at < end) {
        const unsigned value = value_of(*at);
        size_t fours = 0;
        if (value < 64 && held == 0 && end - at >= (ptrdiff_t)CHUNK_BYTES
            && size - done >= CHUNK_ROOM)
            fours = decode_fours(at, to + done);
        if (fours > 0) {
            at += 4 * fours;
            done += 3 * fours;
            continue;
        }
        at++;
        if (value >= 64)
            continue;
        bits = bits << 6 | value;
        held += 6;
        if (held < 8)
            continue;
        if (done == size)
            break;
        held -= 8;
        to[done++] = (char)(bits >> held);
        bits &= (1u << held) - 1;
    }
    *len = done;
    return held < 8;
}
