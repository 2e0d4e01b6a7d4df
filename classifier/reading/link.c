/* link.c - where a link leads. */
#include "classifier/reading/link.h"

#include <stddef.h>

#include "common/base/chars.h"

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

/* Counts each needle that begins at the front of `rest`, which is a letter. */
static void match_needles(struct slice rest, enum place place,
                          struct html_shape *shape)
{
    const struct needle *needle = needles[char_lower(rest.ptr[0]) - 'a'];
    for (; needle->text.len > 0; needle++) {
        if (needle->place != place || !slice_starts_nocase(rest, needle->text))
            continue;
        uint32_t *count = (void *)((char *)shape + needle->count);
        (*count)++;
    }
}

/* Walks the runs of letters and digits. Needles count where letters begin;
 * within a word they mean nothing. True: a run is a token, so long and with a
 * digit in it. What is opaque has no pattern, so there is hardly a branch. */
static bool read_runs(struct slice text, enum place place,
                      struct html_shape *shape)
{
    bool has_token = false;
    unsigned before = 0;
    unsigned run_has = 0;
    size_t run = 0;
    for (size_t i = 0; i < text.len; i++) {
        const unsigned is =
            chars_table[(unsigned char)text.ptr[i]] & (CHAR_ALPHA | CHAR_DIGIT);
        if ((is & ~before & CHAR_ALPHA) != 0)
            match_needles(slice_from(text, i), place, shape);
        run = is != 0 ? run + 1 : 0;
        run_has = is != 0 ? run_has | is : 0;
        has_token |= run >= TOKEN_LEN && (run_has & CHAR_DIGIT) != 0;
        before = is;
    }
    return has_token;
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
        (void)read_runs(host, PLACE_HOST, shape);
    if (read_runs(path, PLACE_PATH, shape)) {
        shape->token_links++;
        shape->own_hash = hash_path(shape->own_hash, path);
    }
}
