/* style.c - the declarations of a style attribute, where CSS sees them. */
#include "classifier/reading/style.h"

#include <stdbool.h>
#include <string.h>

#include "classifier/reading/entity.h"
#include "common/base/chars.h"
#include "common/base/chunk.h"

#define DEPTH_MAX  16u /* of brackets; deeper ones never close */
#define ESCAPE_MAX 6u  /* hexadecimal digits */
#define OTHER      '_' /* for what is no part of a word that matters */

/* What a byte may change about how those behind it are read. */
enum { OPENS = 1, CLOSES = 2, PARTS = 4, CODES = 8 };

static uint8_t role_of(char byte)
{
    static const uint8_t roles[256] = {
        ['"'] = OPENS | CLOSES, ['\''] = OPENS | CLOSES, ['('] = OPENS,
        ['['] = OPENS,          ['{'] = OPENS,           [')'] = CLOSES,
        [']'] = CLOSES,         ['}'] = CLOSES,          ['\n'] = CLOSES,
        ['\r'] = CLOSES,        ['\f'] = CLOSES,         [':'] = PARTS,
        [';'] = PARTS,          ['!'] = PARTS,           ['/'] = CODES,
        ['\\'] = CODES,
    };
    return roles[(unsigned char)byte];
}

/* What ends a string or bracket. */
static char closing(char opening)
{
    switch (opening) {
    case '(':
        return ')';
    case '[':
        return ']';
    case '{':
        return '}';
    default:
        return opening;
    }
}

static chunk nesting(chunk bytes)
{
    return chunk_is(bytes, '"') | chunk_is(bytes, '\'') | chunk_is(bytes, '(')
           | chunk_is(bytes, '[') | chunk_is(bytes, '{');
}

static chunk coding(chunk bytes)
{
    return chunk_is(bytes, '&') | chunk_is(bytes, '*') | chunk_is(bytes, '\\');
}

/* Takes all before the next byte of one of these roles. */
static void skip_to(struct cursor *cursor, uint8_t roles)
{
    while (!cursor_done(cursor) && (role_of(*cursor->at) & roles) == 0)
        cursor->at++;
}

/* Are all strings and brackets closed, with nothing in them that could mean
 * something else elsewhere: "Helvetica Neue", rgb(0, 0, 0)? */
static bool is_harmless(struct slice style)
{
    struct cursor cursor = cursor_of(style);
    for (;;) {
        skip_to(&cursor, OPENS);
        if (cursor_done(&cursor))
            return true;
        const char close = closing(*cursor.at++);
        skip_to(&cursor, OPENS | CLOSES | PARTS);
        if (!cursor_byte(&cursor, close))
            return false;
    }
}

enum style_form style_form(struct slice style)
{
    chunk nested = { 0 };
    chunk coded = { 0 };
    struct slice left = style;
    for (; left.len >= CHUNK_BYTES; left = slice_from(left, CHUNK_BYTES)) {
        nested |= nesting(chunk_read(left.ptr));
        coded |= coding(chunk_read(left.ptr));
    }
    const chunk rest = chunk_of(left);
    if (chunk_any(coded | coding(rest)))
        return STYLE_CODED;
    if (!chunk_any(nested | nesting(rest)) || is_harmless(style))
        return STYLE_PLAIN;
    return STYLE_NESTED;
}

/* References of HTML, which are there before CSS is. One is never shorter than
 * what it stands for. */
static struct slice write_references(struct slice style, char *room)
{
    char *to = room;
    struct cursor cursor = cursor_of(style);
    while (!cursor_done(&cursor)) {
        uint32_t character = (unsigned char)*cursor.at;
        if (character == '&')
            cursor.at += entity_read(cursor_rest(&cursor), &character);
        else
            cursor.at++;
        *to++ = (char)(character < 0x80 ? character : OTHER);
    }
    return slice_of(room, (size_t)(to - room));
}

struct plain {
    const char *at;
    const char *end;
    char *to;
    char quote;            /* of the string that runs; 0: none does */
    bool is_address;       /* of url(), where quotes and comments are neither */
    char close[DEPTH_MAX]; /* what ends the brackets that are open */
    size_t depth;
};

/* Behind "\": a character by its number, or any other that stands for itself;
 * a line end is nothing. */
static void take_escape(struct plain *plain)
{
    uint32_t character = 0;
    unsigned digits = 0;
    for (; plain->at < plain->end && digits < ESCAPE_MAX
           && char_is(*plain->at, CHAR_HEX);
         digits++)
        character = character * 16 + (uint32_t)char_hex_value(*plain->at++);
    if (digits == 0 && plain->at < plain->end)
        character = (unsigned char)*plain->at++;
    else if (plain->at < plain->end && char_is_space(*plain->at))
        plain->at++;
    /* Escaped it is never what parts declarations. */
    const bool is_plain =
        character < 0x80 && char_is((char)character, CHAR_LDH);
    *plain->to++ = (char)(is_plain ? character : OTHER);
}

static void skip_comment(struct plain *plain)
{
    const struct slice rest =
        slice_of(plain->at, (size_t)(plain->end - plain->at));
    const size_t len = slice_find_slice(rest, SLICE("*/"));
    plain->at += len < rest.len ? len + 2 : len;
    *plain->to++ = ' ';
}

/* An address without quotes. */
static bool begins_address(const struct plain *plain)
{
    const char *at = plain->at;
    while (at < plain->end && char_is_space(*at))
        at++;
    return at < plain->end && *at != '"' && *at != '\'';
}

static void open_bracket(struct plain *plain, const char *begin, char close)
{
    if (plain->depth < DEPTH_MAX)
        plain->close[plain->depth] = close;
    plain->depth++;
    plain->is_address =
        close == ')' && plain->to - begin >= 3 && begins_address(plain)
        && slice_starts_nocase(slice_of(plain->to - 3, 3), SLICE("url"));
}

static bool is_nested(const struct plain *plain)
{
    return plain->quote != 0 || plain->depth > 0;
}

/* What the byte opens or closes. */
static void follow(struct plain *plain, const char *begin, char byte)
{
    if (plain->quote != 0) {
        if (byte == plain->quote || byte == '\n' || byte == '\r'
            || byte == '\f')
            plain->quote = 0;
    } else if (plain->depth > 0 && plain->depth <= DEPTH_MAX
               && byte == plain->close[plain->depth - 1]) {
        plain->depth--;
        plain->is_address = false;
    } else if (plain->is_address || (role_of(byte) & OPENS) == 0) {
        return;
    } else if (closing(byte) == byte) {
        plain->quote = byte;
    } else {
        open_bracket(plain, begin, closing(byte));
    }
}

/* What parts declarations, or ends one, and is nested does neither. */
static void take_byte(struct plain *plain, const char *begin)
{
    const char byte = *plain->at++;
    follow(plain, begin, byte);
    const bool parts = (role_of(byte) & PARTS) != 0;
    *plain->to++ = (char)(parts && is_nested(plain) ? OTHER : byte);
}

static bool is_at_comment(const struct plain *plain)
{
    return plain->quote == 0 && !plain->is_address
           && plain->end - plain->at >= 2 && plain->at[0] == '/'
           && plain->at[1] == '*';
}

struct slice style_plain(struct slice style, char *room)
{
    const struct slice text = write_references(style, room);
    struct plain plain = { .at = text.ptr,
                           .end = text.ptr + text.len,
                           .to = room };
    /* What is written never overtakes what is read. */
    while (plain.at < plain.end) {
        if (role_of(*plain.at) == 0) {
            *plain.to++ = *plain.at++;
        } else if (is_at_comment(&plain)) {
            plain.at += 2;
            skip_comment(&plain);
        } else if (*plain.at == '\\') {
            plain.at++;
            take_escape(&plain);
        } else {
            take_byte(&plain, room);
        }
    }
    return slice_of(room, (size_t)(plain.to - room));
}
