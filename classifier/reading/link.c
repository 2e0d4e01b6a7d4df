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
    enum place place;
    uint32_t count; /* offset of the counter in struct html_shape */
};

#define LETTERS       26u
#define NEEDLES_A_ROW 4u /* the longest row, and the empty one that ends it */

/* By the first letter, so that few are looked at. */
/* clang-format off */
static const struct needle needles[LETTERS][NEEDLES_A_ROW] = {
#define SOCIAL   PLACE_HOST, offsetof(struct html_shape, social_links)
#define STORE    PLACE_HOST, offsetof(struct html_shape, store_links)
#define LEAVING  PLACE_PATH, offsetof(struct html_shape, leaving_links)
#define CAMPAIGN PLACE_PATH, offsetof(struct html_shape, campaign_links)
    ['a' - 'a'] = { { { "apps.apple.", 11 }, STORE },
                    { { "abmeld", 6 },       LEAVING } },
    ['c' - 'a'] = { { { "campaign", 8 },     CAMPAIGN } },
    ['d' - 'a'] = { { { "desinscri", 9 },    LEAVING },
                    { { "desuscri", 8 },     LEAVING } },
    ['f' - 'a'] = { { { "facebook.", 9 },    SOCIAL } },
    ['i' - 'a'] = { { { "instagram.", 10 },  SOCIAL },
                    { { "itunes.", 7 },      STORE } },
    ['l' - 'a'] = { { { "linkedin.", 9 },    SOCIAL } },
    ['m' - 'a'] = { { { "mastodon", 8 },     SOCIAL },
                    { { "mc_cid", 6 },       CAMPAIGN } },
    ['o' - 'a'] = { { { "optout", 6 },       LEAVING },
                    { { "opt-out", 7 },      LEAVING },
                    { { "opt_out", 7 },      LEAVING } },
    ['p' - 'a'] = { { { "pinterest.", 10 },  SOCIAL },
                    { { "play.google.", 12 }, STORE },
                    { { "preferences", 11 }, LEAVING } },
    ['t' - 'a'] = { { { "twitter.", 8 },     SOCIAL },
                    { { "tiktok.", 7 },      SOCIAL } },
    ['u' - 'a'] = { { { "unsub", 5 },        LEAVING },
                    { { "utm_", 4 },         CAMPAIGN } },
    ['y' - 'a'] = { { { "youtube.", 8 },     SOCIAL } },
#undef SOCIAL
#undef STORE
#undef LEAVING
#undef CAMPAIGN
};
/* clang-format on */

/* Counts each needle that begins at the front of `rest`. */
static void match_needles(struct slice rest, enum place place,
                          struct html_shape *shape)
{
    const unsigned row = (unsigned char)char_lower(rest.ptr[0]) - 'a';
    if (row >= LETTERS || rest.len < 2)
        return;
    const char second = char_lower(rest.ptr[1]);
    for (const struct needle *needle = needles[row]; needle->text.len > 0;
         needle++) {
        if (needle->place != place || needle->text.ptr[1] != second
            || !slice_starts_nocase(rest, needle->text))
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

void link_count(struct slice target, struct html_shape *shape)
{
    if (slice_starts_nocase(target, SLICE("mailto:"))) {
        shape->mail_links++;
        return;
    }
    if (!slice_starts_nocase(target, SLICE("http")))
        return;
    target = slice_head(target, TARGET_MAX);
    size_t host_at = slice_find_slice(target, SLICE("//"));
    struct slice rest = slice_from(target, host_at + 2);
    size_t host_len = 0;
    while (host_len < rest.len && rest.ptr[host_len] != '/'
           && rest.ptr[host_len] != '?')
        host_len++;
    struct slice host = slice_head(rest, host_len);
    struct slice path = slice_from(rest, host_len);
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
