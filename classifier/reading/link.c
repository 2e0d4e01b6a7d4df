/* link.c - where a link leads. */
#include "classifier/reading/link.h"

#include <stddef.h>

#include "common/base/chars.h"
#include "common/base/chunk.h"

#define TARGET_MAX     160u /* of a link; the rest is not looked at */
#define LINKS_READ_MAX 48u  /* links whose targets are looked at */
#define TOKEN_LEN      20u  /* letters and digits in a row that no word has */

/* What may stand in a link, and what it is counted as. */
enum place { PLACE_HOST, PLACE_PATH };

struct needle {
    struct slice text; /* in lower case; empty: no more of this letter */
    uint32_t count;    /* offset of the counter in struct html_shape */
};

#define LETTERS       26u
#define NEEDLES_A_ROW 4u /* the longest row, and the empty one that ends it */

/* Those that begin with one letter. Hardly any word of a link has the second
 * letter of one of them, too: that turns nearly all down. */
struct row {
    uint32_t seconds; /* a bit for each letter */
    struct needle needles[NEEDLES_A_ROW];
};

/* clang-format off */
#define BIT(letter) (1u << ((letter) - 'a'))
#define SOCIAL      offsetof(struct html_shape, social_links)
#define STORE       offsetof(struct html_shape, store_links)
#define LEAVING     offsetof(struct html_shape, leaving_links)
#define CAMPAIGN    offsetof(struct html_shape, campaign_links)
static const struct row rows[][LETTERS] = {
    [PLACE_HOST] = {
        ['a' - 'a'] = { BIT('p'), { { { "apps.apple.", 11 }, STORE } } },
        ['f' - 'a'] = { BIT('a'), { { { "facebook.", 9 }, SOCIAL } } },
        ['i' - 'a'] = { BIT('n') | BIT('t'),
                        { { { "instagram.", 10 }, SOCIAL },
                          { { "itunes.", 7 }, STORE } } },
        ['l' - 'a'] = { BIT('i'), { { { "linkedin.", 9 }, SOCIAL } } },
        ['m' - 'a'] = { BIT('a'), { { { "mastodon", 8 }, SOCIAL } } },
        ['p' - 'a'] = { BIT('i') | BIT('l'),
                        { { { "pinterest.", 10 }, SOCIAL },
                          { { "play.google.", 12 }, STORE } } },
        ['t' - 'a'] = { BIT('i') | BIT('w'),
                        { { { "tiktok.", 7 }, SOCIAL },
                          { { "twitter.", 8 }, SOCIAL } } },
        ['y' - 'a'] = { BIT('o'), { { { "youtube.", 8 }, SOCIAL } } },
    },
    [PLACE_PATH] = {
        ['a' - 'a'] = { BIT('b'), { { { "abmeld", 6 }, LEAVING } } },
        ['c' - 'a'] = { BIT('a'), { { { "campaign", 8 }, CAMPAIGN } } },
        ['d' - 'a'] = { BIT('e'), { { { "desinscri", 9 }, LEAVING },
                                    { { "desuscri", 8 }, LEAVING } } },
        ['m' - 'a'] = { BIT('c'), { { { "mc_cid", 6 }, CAMPAIGN } } },
        ['o' - 'a'] = { BIT('p'), { { { "optout", 6 }, LEAVING },
                                    { { "opt-out", 7 }, LEAVING },
                                    { { "opt_out", 7 }, LEAVING } } },
        ['p' - 'a'] = { BIT('r'), { { { "preferences", 11 }, LEAVING } } },
        ['u' - 'a'] = { BIT('n') | BIT('t'), { { { "unsub", 5 }, LEAVING },
                                               { { "utm_", 4 }, CAMPAIGN } } },
    },
};
#undef BIT
#undef SOCIAL
#undef STORE
#undef LEAVING
#undef CAMPAIGN
/* clang-format on */

/* Position of an ASCII letter in the alphabet; more than it has: it is none. */
static unsigned letter_of(char byte)
{
    return ((unsigned char)byte | ('a' ^ 'A')) - (unsigned)'a';
}

/* Counts each needle that begins at the front of `rest`. */
static void match_needles(struct slice rest, enum place place,
                          struct html_shape *shape)
{
    if (rest.len < 2)
        return;
    const unsigned first = letter_of(rest.ptr[0]);
    const unsigned second = letter_of(rest.ptr[1]);
    if (first >= LETTERS || second >= LETTERS
        || (rows[place][first].seconds >> second & 1) == 0)
        return;
    for (const struct needle *needle = rows[place][first].needles;
         needle->text.len > 0; needle++) {
        if (!slice_starts_nocase(rest, needle->text))
            continue;
        uint32_t *count = (void *)((char *)shape + needle->count);
        (*count)++;
    }
}

/* So long and with a digit in it. */
static bool is_token(struct slice run)
{
    bool has_digit = false;
    for (size_t i = 0; run.len >= TOKEN_LEN && i < run.len && !has_digit; i++)
        has_digit = char_is(run.ptr[i], CHAR_DIGIT);
    return has_digit;
}

/* Walks the runs of letters and digits, from edge to edge. Needles count where
 * they begin; within a word they mean nothing. True: one is a token. */
static bool read_runs(struct slice text, enum place place,
                      struct html_shape *shape)
{
    bool has_token = false;
    uint32_t before = 0; /* 1: a run goes on */
    size_t from = 0;
    for (size_t at = 0; at < text.len; at += CHUNK_BYTES) {
        const chunk bytes = chunk_of(slice_from(text, at));
        const uint32_t bits =
            chunk_bits(chunk_letters(bytes) | chunk_digits(bytes));
        uint32_t edges = (bits ^ (bits << 1 | before)) & 0xffff;
        for (; edges != 0; edges &= edges - 1) {
            const unsigned edge = (unsigned)__builtin_ctz(edges);
            if ((bits >> edge & 1) != 0) {
                from = at + edge;
                match_needles(slice_from(text, from), place, shape);
            } else {
                has_token |=
                    is_token(slice_of(text.ptr + from, at + edge - from));
            }
        }
        before = bits >> (CHUNK_BYTES - 1);
    }
    return has_token || (before != 0 && is_token(slice_from(text, from)));
}

/* Bytes that differ in what `alike` has are alike: 0x20, for large letters. */
static uint64_t hash_bytes(uint64_t hash, struct slice bytes, uint8_t alike)
{
    for (size_t at = 0; at < bytes.len; at += CHUNK_BYTES) {
        const chunk next = chunk_of(slice_from(bytes, at)) | alike;
        uint64_t halves[2];
        memcpy(halves, &next, sizeof halves);
        hash = (hash ^ halves[0]) * 0x9E3779B97F4A7C15u;
        hash = (hash ^ hash >> 32 ^ halves[1]) * 0xD6E8FEB86659FD93u;
        hash ^= hash >> 32;
    }
    return hash;
}

/* False: it was there before. */
static bool add_host(struct slice host, struct html_shape *shape)
{
    const uint32_t hash = (uint32_t)hash_bytes(0, host, 'a' ^ 'A');
    for (uint32_t i = 0; i < shape->hosts; i++)
        if (shape->host_hashes[i] == hash)
            return false;
    if (shape->hosts < HTML_HOSTS_MAX)
        shape->host_hashes[shape->hosts++] = hash;
    return true;
}

/* Where the host is: behind the first "//". */
static size_t find_host(struct slice target)
{
    const uint32_t slashes = chunk_bits(chunk_is(chunk_of(target), '/'));
    const uint32_t pairs = slashes & slashes >> 1;
    const size_t at = pairs != 0 ? (size_t)__builtin_ctz(pairs)
                                 : slice_find_slice(target, SLICE("//"));
    return at + 2;
}

/* Up to the "/" or "?" that ends it. */
static size_t host_len(struct slice rest)
{
    size_t len = 0;
    size_t step = CHUNK_BYTES;
    while (step == CHUNK_BYTES && len < rest.len) {
        const chunk bytes = chunk_of(slice_from(rest, len));
        step = chunk_first(chunk_is(bytes, '/') | chunk_is(bytes, '?'));
        len += step;
    }
    return len; /* or more than all of it has */
}

void link_count(struct slice target, struct html_shape *shape)
{
    if (slice_starts_nocase(target, SLICE("mailto:"))) {
        shape->mail_links++;
        return;
    }
    if (!slice_starts_nocase(target, SLICE("http")))
        return;
    target = slice_head(target, TARGET_MAX);
    const struct slice rest = slice_from(target, find_host(target));
    const struct slice host = slice_head(rest, host_len(rest));
    const struct slice path = slice_from(rest, host.len);
    if (++shape->links > LINKS_READ_MAX)
        return;
    if (add_host(host, shape))
        (void)read_runs(host, PLACE_HOST, shape);
    if (read_runs(path, PLACE_PATH, shape)) {
        shape->token_links++;
        shape->own_hash =
            hash_bytes(shape->own_hash, path, 0) | 1u; /* 0: none */
    }
}
