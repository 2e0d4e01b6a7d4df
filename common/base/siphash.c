/* siphash.c - SipHash-2-4. */
#include "common/base/siphash.h"

#include <string.h>
#include <sys/random.h>

#include "common/base/check.h"

struct state {
    uint64_t a, b, c, d;
};

void siphash_key_make(struct siphash_key *key)
{
    /* 16 bytes are never cut short, and cannot fail once the system is up. */
    CHECK(getrandom(key, sizeof *key, 0) == (ssize_t)sizeof *key);
}

static uint64_t rotated(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(struct state *s, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        s->a += s->b;
        s->c += s->d;
        s->b = rotated(s->b, 13) ^ s->a;
        s->d = rotated(s->d, 16) ^ s->c;
        s->a = rotated(s->a, 32);
        s->c += s->b;
        s->a += s->d;
        s->b = rotated(s->b, 17) ^ s->c;
        s->d = rotated(s->d, 21) ^ s->a;
        s->c = rotated(s->c, 32);
    }
}

static void take(struct state *s, uint64_t word)
{
    s->d ^= word;
    mix(s, 2);
    s->a ^= word;
}

static uint64_t little_endian(const char *bytes, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return word;
}

uint64_t siphash(const struct siphash_key *key, struct slice bytes)
{
    struct state s = {
        .a = key->words[0] ^ UINT64_C(0x736f6d6570736575),
        .b = key->words[1] ^ UINT64_C(0x646f72616e646f6d),
        .c = key->words[0] ^ UINT64_C(0x6c7967656e657261),
        .d = key->words[1] ^ UINT64_C(0x7465646279746573),
    };
    size_t whole = bytes.len - bytes.len % 8;
    for (size_t at = 0; at < whole; at += 8)
        take(&s, little_endian(bytes.ptr + at, 8));
    const struct slice rest = slice_from(bytes, whole);
    take(&s, little_endian(rest.ptr, rest.len) | (uint64_t)bytes.len << 56);
    s.c ^= 0xff;
    mix(&s, 4);
    return s.a ^ s.b ^ s.c ^ s.d;
}
