/* spamword.c - does a refusal speak of spam? */
#include "common/proto/spamword.h"

#include "common/base/attr.h"
#include "common/base/chars.h"

/* What a word is made of here: names, addresses and IP addresses are one. */
static bool is_part(char byte)
{
    return char_is(byte, CHAR_ALPHA | CHAR_DIGIT) || byte == '.' || byte == '-'
           || byte == '_' || byte == '@' || byte == '/' || byte == ':'
           || (unsigned char)byte >= 0x80;
}

/* Without the marks that end a sentence. */
static struct slice bare(struct slice word)
{
    while (word.len > 0
           && !char_is(word.ptr[word.len - 1], CHAR_ALPHA | CHAR_DIGIT))
        word.len--;
    while (word.len > 0 && !char_is(word.ptr[0], CHAR_ALPHA | CHAR_DIGIT))
        word = slice_from(word, 1);
    return word;
}

/* Four numbers, or groups with two colons and more. */
static bool is_address(struct slice word)
{
    size_t dots = 0;
    size_t colons = 0;
    for (size_t i = 0; i < word.len; i++) {
        dots += word.ptr[i] == '.';
        colons += word.ptr[i] == ':';
        if (word.ptr[i] != '.' && word.ptr[i] != ':'
            && !char_is(word.ptr[i], CHAR_HEX))
            return false;
    }
    return (dots == 3 && colons == 0) || colons >= 2;
}

static bool is_one_of(struct slice word, const struct slice *words,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_nocase(word, words[i]))
            return true;
    return false;
}

static bool speaks_of_spam(struct slice word)
{
    static const struct slice words[] = {
        { "spam", 4 },         { "spammy", 6 }, { "spamming", 8 },
        { "unsolicited", 11 }, { "junk", 4 },   { "bulk", 4 },
        { "uce", 3 },          { "ube", 3 },
    };
    return is_one_of(word, words, ARRAY_LEN(words));
}

static bool speaks_of_host(struct slice word)
{
    static const struct slice words[] = {
        { "ip", 2 },           { "listed", 6 },    { "blacklisted", 11 },
        { "blocklisted", 11 }, { "blacklist", 9 }, { "blocklist", 9 },
        { "dnsbl", 5 },        { "rbl", 3 },       { "greylisted", 10 },
        { "greylisting", 11 },
    };
    return is_one_of(word, words, ARRAY_LEN(words)) || is_address(word);
}

bool spamword_is_in(struct slice text)
{
    bool is_found = false;
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && is_part(text.ptr[end]))
            end++;
        const struct slice word = bare(slice_of(text.ptr + at, end - at));
        if (speaks_of_host(word))
            return false;
        is_found = is_found || speaks_of_spam(word);
        at = end + 1;
    }
    return is_found;
}
