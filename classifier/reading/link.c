/* link.c - where a link leads. */
#include "classifier/reading/link.h"

#include <stddef.h>

#include "common/base/chars.h"

#define TARGET_MAX     160u /* of a link; the rest is not looked at */
#define LINKS_READ_MAX 48u  /* links whose targets are looked at */
#define TOKEN_LEN      20u  /* letters and digits in a row that no word has */

/* What may stand in a link, and what it is counted as. */
enum place { PLACE_HOST, PLACE_PATH };

/* clang-format off */
static const struct needle {
    struct slice text; /* in lower case */
    enum place place;
    size_t count; /* offset of the counter in struct html_shape */
} needles[] = {
#define SOCIAL   PLACE_HOST, offsetof(struct html_shape, social_links)
#define STORE    PLACE_HOST, offsetof(struct html_shape, store_links)
#define LEAVING  PLACE_PATH, offsetof(struct html_shape, leaving_links)
#define CAMPAIGN PLACE_PATH, offsetof(struct html_shape, campaign_links)
    { { "facebook.", 9 },    SOCIAL },   { { "twitter.", 8 },    SOCIAL },
    { { "instagram.", 10 },  SOCIAL },   { { "linkedin.", 9 },   SOCIAL },
    { { "youtube.", 8 },     SOCIAL },   { { "tiktok.", 7 },     SOCIAL },
    { { "pinterest.", 10 },  SOCIAL },   { { "mastodon", 8 },    SOCIAL },
    { { "apps.apple.", 11 }, STORE },    { { "play.google.", 12 }, STORE },
    { { "itunes.", 7 },      STORE },
    { { "unsub", 5 },        LEAVING },  { { "optout", 6 },      LEAVING },
    { { "opt-out", 7 },      LEAVING },  { { "opt_out", 7 },     LEAVING },
    { { "preferences", 11 }, LEAVING },  { { "abmeld", 6 },      LEAVING },
    { { "desinscri", 9 },    LEAVING },  { { "desuscri", 8 },    LEAVING },
    { { "utm_", 4 },         CAMPAIGN }, { { "mc_cid", 6 },      CAMPAIGN },
    { { "campaign", 8 },     CAMPAIGN },
#undef SOCIAL
#undef STORE
#undef LEAVING
#undef CAMPAIGN
};

/* The first letters of the needles: others are passed over at once. */
static const bool starts[128] = {
    ['f'] = true, ['t'] = true, ['i'] = true, ['l'] = true, ['y'] = true,
    ['p'] = true, ['m'] = true, ['a'] = true, ['u'] = true, ['o'] = true,
    ['d'] = true, ['c'] = true,
};
/* clang-format on */

/* Counts each needle that begins at the front of `rest`. */
static void match_needles(struct slice rest, enum place place,
                          struct html_shape *shape)
{
    for (size_t i = 0; i < sizeof needles / sizeof needles[0]; i++) {
        const struct needle *needle = &needles[i];
        if (needle->place != place
            || char_lower(rest.ptr[0]) != needle->text.ptr[0]
            || !slice_starts_nocase(rest, needle->text))
            continue;
        uint32_t *count = (void *)((char *)shape + needle->count);
        (*count)++;
    }
}

/* Needles count where a word begins; within one they mean nothing. */
static void find_needles(struct slice text, enum place place,
                         struct html_shape *shape)
{
    bool in_word = false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = char_lower(text.ptr[i]);
        if (!in_word && byte > 0 && starts[(unsigned char)byte])
            match_needles(slice_from(text, i), place, shape);
        in_word = char_is(byte, CHAR_ALPHA);
    }
}

static bool has_token(struct slice path)
{
    size_t run = 0;
    bool has_digit = false;
    for (size_t i = 0; i < path.len; i++) {
        bool is_part = char_is(path.ptr[i], CHAR_ALPHA | CHAR_DIGIT);
        has_digit = is_part && (has_digit || char_is(path.ptr[i], CHAR_DIGIT));
        run = is_part ? run + 1 : 0;
        if (run >= TOKEN_LEN && has_digit)
            return true;
    }
    return false;
}

static uint64_t hash_path(uint64_t hash, struct slice path)
{
    for (size_t i = 0; i < path.len; i++)
        hash = (hash ^ (unsigned char)path.ptr[i]) * 0x9E3779B97F4A7C15u;
    return hash | 1u; /* 0: none */
}

/* False: it was there before. */
static bool add_host(struct slice host, struct html_shape *shape)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < host.len; i++)
        hash = (hash ^ (unsigned char)char_lower(host.ptr[i])) * 16777619u;
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
        find_needles(host, PLACE_HOST, shape);
    find_needles(path, PLACE_PATH, shape);
    if (has_token(path)) {
        shape->token_links++;
        shape->own_hash = hash_path(shape->own_hash, path);
    }
}
