/* ehlo.c - what a server offers in its reply to EHLO. */
#include "common/proto/ehlo.h"

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/chars.h"

/* Takes the next word, and the blanks around it. */
static bool take_word(struct cursor *cursor, struct slice *word)
{
    cursor_blanks(cursor);
    const char *from = cursor->at;
    while (!cursor_done(cursor) && !char_is(*cursor->at, CHAR_BLANK))
        cursor->at++;
    *word = slice_of(from, (size_t)(cursor->at - from));
    return word->len > 0;
}

static const struct {
    struct slice name;
    uint8_t bit;
} mechanisms[] = {
    { { "PLAIN", 5 }, EHLO_AUTH_PLAIN },
    { { "LOGIN", 5 }, EHLO_AUTH_LOGIN },
    { { "CRAM-MD5", 8 }, EHLO_AUTH_CRAM_MD5 },
    { { "XOAUTH2", 7 }, EHLO_AUTH_XOAUTH2 },
    { { "OAUTHBEARER", 11 }, EHLO_AUTH_OAUTHBEARER },
    { { "SCRAM-SHA-256", 13 }, EHLO_AUTH_SCRAM_SHA_256 },
    { { "EXTERNAL", 8 }, EHLO_AUTH_EXTERNAL },
};

static uint8_t mechanism_bit(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
        if (slice_equal_nocase(name, mechanisms[i].name))
            return mechanisms[i].bit;
    return EHLO_AUTH_OTHER;
}

static void read_auth(struct cursor *parameters, struct ehlo *ehlo)
{
    struct slice word;
    while (take_word(parameters, &word))
        ehlo->auth = (uint8_t)(ehlo->auth | mechanism_bit(word));
}

static void read_size(struct cursor *parameters, struct ehlo *ehlo)
{
    struct slice word;
    ehlo->size = true;
    ehlo->size_max = 0;
    if (take_word(parameters, &word))
        (void)slice_number(word, UINT64_MAX, &ehlo->size_max);
}

static void read_limits(struct cursor *parameters, struct ehlo *ehlo)
{
    struct slice word;
    while (take_word(parameters, &word)) {
        struct cursor at = cursor_of(word);
        struct slice name;
        uint64_t number = 0;
        if (!cursor_until(&at, '=', &name)
            || !slice_number(cursor_rest(&at), UINT32_MAX, &number))
            continue;
        if (slice_equal_nocase(name, SLICE("RCPTMAX")))
            ehlo->recipients_max = (uint32_t)number;
        else if (slice_equal_nocase(name, SLICE("MAILMAX")))
            ehlo->mails_max = (uint32_t)number;
    }
}

typedef void read_fn(struct cursor *parameters, struct ehlo *ehlo);

/* A keyword sets a flag, or has parameters to read. */
static const struct {
    struct slice keyword;
    size_t flag; /* offset in struct ehlo; with `read`: not used */
    read_fn *read;
} keywords[] = {
    { { "PIPELINING", 10 }, offsetof(struct ehlo, pipelining), NULL },
    { { "SIZE", 4 }, 0, read_size },
    { { "8BITMIME", 8 }, offsetof(struct ehlo, eight_bit_mime), NULL },
    { { "SMTPUTF8", 8 }, offsetof(struct ehlo, smtputf8), NULL },
    { { "STARTTLS", 8 }, offsetof(struct ehlo, starttls), NULL },
    { { "CHUNKING", 8 }, offsetof(struct ehlo, chunking), NULL },
    { { "DSN", 3 }, offsetof(struct ehlo, dsn), NULL },
    { { "ENHANCEDSTATUSCODES", 19 },
      offsetof(struct ehlo, enhanced_codes),
      NULL },
    { { "REQUIRETLS", 10 }, offsetof(struct ehlo, requiretls), NULL },
    { { "AUTH", 4 }, 0, read_auth },
    { { "LIMITS", 6 }, 0, read_limits },
};

static void read_offer(struct slice text, struct ehlo *ehlo)
{
    struct cursor at = cursor_of(text);
    if (cursor_word(&at, SLICE("AUTH="))) {
        read_auth(&at, ehlo);
        return;
    }
    struct slice keyword;
    if (!take_word(&at, &keyword))
        return;
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        if (!slice_equal_nocase(keyword, keywords[i].keyword))
            continue;
        if (keywords[i].read)
            keywords[i].read(&at, ehlo);
        else
            *(bool *)(void *)((char *)ehlo + keywords[i].flag) = true;
        return;
    }
}

void ehlo_read(const struct reply *reply, struct ehlo *ehlo)
{
    *ehlo = (struct ehlo){ 0 };
    struct cursor lines = cursor_of(reply->whole);
    struct slice text;
    if (!reply_next_line(&lines, &text))
        return;
    struct cursor greeting = cursor_of(text);
    (void)take_word(&greeting, &ehlo->domain);
    while (reply_next_line(&lines, &text))
        read_offer(text, ehlo);
}
