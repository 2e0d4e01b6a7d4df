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

/* Two words of eight values each, worked on at once. */
typedef uint64_t pair __attribute__((vector_size(CHUNK_BYTES)));

/* Four values of six bits are three bytes: the values of eight digits, the first
 * lowest, become a number of 48 bits, the first highest. */
static pair join_values(pair v)
{
    v = (v & 0x003F003F003F003Fu) << 6 | (v >> 8 & 0x003F003F003F003Fu);
    v = (v & 0x00000FFF00000FFFu) << 12 | (v >> 16 & 0x00000FFF00000FFFu);
    return (v & 0x0000000000FFFFFFu) << 24 | v >> 32;
}

static void write_values(chunk values, char *to)
{
    pair v;
    memcpy(&v, &values, sizeof v);
    v = join_values((pair){ le64toh(v[0]), le64toh(v[1]) }) << 16;
    const uint64_t first = htobe64(v[0]);
    const uint64_t second = htobe64(v[1]);
    memcpy(to, &first, sizeof first);
    memcpy(to + WORD_DECODED, &second, sizeof second);
}

/* Fours of digits, sixteen digits at a time, as long as there is nothing else
 * and room; how many. A four is at *at, and three bytes at `to`. */
static size_t decode_fours(const char *at, const char *end, char *to,
                           size_t room)
{
    size_t count = 0;
    size_t more = CHUNK_BYTES / 4;
    while (more == CHUNK_BYTES / 4 && end - at >= (ptrdiff_t)CHUNK_BYTES
           && room - 3 * count >= CHUNK_ROOM) {
        chunk values;
        more = read_values(at, &values) / 4;
        write_values(values, to + 3 * count);
        at += 4 * more;
        count += more;
    }
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
        if (value < 64 && held == 0 && size - done >= CHUNK_ROOM) {
            const size_t count = decode_fours(at, end, to + done, size - done);
            at += 4 * count;
            done += 3 * count;
            if (count > 0)
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
