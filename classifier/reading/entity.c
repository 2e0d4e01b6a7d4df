/* entity.c - character references of HTML. */
#include "classifier/reading/entity.h"

#include "common/base/chars.h"

#define NAME_MAX_LEN 8u

/* clang-format off */
/* Sorted by how often mail has them; the walk ends soon for nearly all. */
static const struct {
    struct slice name;
    uint32_t character;
} names[] = {
    { { "nbsp", 4 }, 0xA0 },     { { "amp", 3 }, '&' },
    { { "zwnj", 4 }, 0x200C },   { { "copy", 4 }, 0xA9 },
    { { "rsquo", 5 }, 0x2019 },  { { "quot", 4 }, '"' },
    { { "gt", 2 }, '>' },        { { "lt", 2 }, '<' },
    { { "mdash", 5 }, 0x2014 },  { { "ndash", 5 }, 0x2013 },
    { { "bull", 4 }, 0x2022 },   { { "middot", 6 }, 0xB7 },
    { { "raquo", 5 }, 0xBB },    { { "laquo", 5 }, 0xAB },
    { { "rarr", 4 }, 0x2192 },   { { "larr", 4 }, 0x2190 },
    { { "hellip", 6 }, 0x2026 }, { { "ldquo", 5 }, 0x201C },
    { { "rdquo", 5 }, 0x201D },  { { "lsquo", 5 }, 0x2018 },
    { { "apos", 4 }, '\'' },     { { "reg", 3 }, 0xAE },
    { { "trade", 5 }, 0x2122 },  { { "euro", 4 }, 0x20AC },
    { { "pound", 5 }, 0xA3 },    { { "zwj", 3 }, 0x200D },
    { { "shy", 3 }, 0xAD },      { { "times", 5 }, 0xD7 },
    { { "eacute", 6 }, 0xE9 },   { { "egrave", 6 }, 0xE8 },
    { { "agrave", 6 }, 0xE0 },   { { "aacute", 6 }, 0xE1 },
    { { "auml", 4 }, 0xE4 },     { { "ouml", 4 }, 0xF6 },
    { { "uuml", 4 }, 0xFC },     { { "Auml", 4 }, 0xC4 },
    { { "Ouml", 4 }, 0xD6 },     { { "Uuml", 4 }, 0xDC },
    { { "szlig", 5 }, 0xDF },    { { "ccedil", 6 }, 0xE7 },
    { { "ntilde", 6 }, 0xF1 },   { { "oacute", 6 }, 0xF3 },
    { { "iacute", 6 }, 0xED },   { { "uacute", 6 }, 0xFA },
    { { "atilde", 6 }, 0xE3 },   { { "otilde", 6 }, 0xF5 },
    { { "acirc", 5 }, 0xE2 },    { { "ecirc", 5 }, 0xEA },
    { { "icirc", 5 }, 0xEE },    { { "ocirc", 5 }, 0xF4 },
    { { "ucirc", 5 }, 0xFB },    { { "ugrave", 6 }, 0xF9 },
    { { "igrave", 6 }, 0xEC },   { { "ograve", 6 }, 0xF2 },
    { { "aring", 5 }, 0xE5 },    { { "aelig", 5 }, 0xE6 },
    { { "oslash", 6 }, 0xF8 },   { { "Eacute", 6 }, 0xC9 },
    { { "euml", 4 }, 0xEB },     { { "iuml", 4 }, 0xEF },
    { { "iexcl", 5 }, 0xA1 },    { { "iquest", 6 }, 0xBF },
    { { "deg", 3 }, 0xB0 },      { { "emsp", 4 }, 0x2003 },
    { { "ensp", 4 }, 0x2002 },   { { "thinsp", 6 }, 0x2009 },
};
/* clang-format on */

size_t entity_write(uint32_t character, char bytes[ENTITY_BYTES_MAX])
{
    size_t len = 0;
    if (character < 0x80) {
        bytes[len++] = (char)character;
    } else if (character < 0x800) {
        bytes[len++] = (char)(0xC0 | character >> 6);
        bytes[len++] = (char)(0x80 | (character & 0x3F));
    } else if (character < 0x10000) {
        bytes[len++] = (char)(0xE0 | character >> 12);
        bytes[len++] = (char)(0x80 | (character >> 6 & 0x3F));
        bytes[len++] = (char)(0x80 | (character & 0x3F));
    } else if (character < 0x110000) {
        bytes[len++] = (char)(0xF0 | character >> 18);
        bytes[len++] = (char)(0x80 | (character >> 12 & 0x3F));
        bytes[len++] = (char)(0x80 | (character >> 6 & 0x3F));
        bytes[len++] = (char)(0x80 | (character & 0x3F));
    }
    return len;
}

/* "#160" or "#xA0" behind "&"; the bytes taken, 0: neither. */
static size_t read_number(struct slice text, uint32_t *character)
{
    bool is_hex = text.len > 1 && char_lower(text.ptr[1]) == 'x';
    size_t at = is_hex ? 2 : 1;
    size_t from = at;
    uint32_t value = 0;
    for (; at < text.len && at < from + 7; at++) {
        int digit = char_hex_value(text.ptr[at]);
        if (digit < 0 || (!is_hex && digit > 9))
            break;
        value = value * (is_hex ? 16 : 10) + (uint32_t)digit;
    }
    *character = value;
    return at == from ? 0 : at;
}

static size_t read_name(struct slice text, uint32_t *character)
{
    size_t len = 0;
    while (len < text.len && len < NAME_MAX_LEN
           && char_is(text.ptr[len], CHAR_ALPHA | CHAR_DIGIT))
        len++;
    if (len == 0)
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal(slice_head(text, len), names[i].name)) {
            *character = names[i].character;
            return len;
        }
    return 0;
}

size_t entity_read(struct slice text, uint32_t *character)
{
    struct slice rest = slice_from(text, 1);
    size_t len = rest.len > 0 && rest.ptr[0] == '#'
                     ? read_number(rest, character)
                     : read_name(rest, character);
    if (len == 0) {
        *character = '&';
        return 1;
    }
    return 1 + len + (len < rest.len && rest.ptr[len] == ';');
}
