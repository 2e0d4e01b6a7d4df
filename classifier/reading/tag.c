/* tag.c - one start tag of HTML, and what matters of its attributes. */
#include "classifier/reading/tag.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "classifier/reading/style.h"
#include "common/base/attr.h"
#include "common/base/chars.h"
#include "common/base/chunk.h"

#define NAME_BYTES 8u
#define NAME_OTHER (UINT64_C(1) << 63) /* no letter or digit has that bit */

/* Letters and digits in lower case; 0: no part of a name. */
static unsigned char name_byte(char byte)
{
    /* clang-format off */
    static const unsigned char bytes[256] = {
        ['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
        ['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l',
        'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
        ['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l',
        'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    };
    /* clang-format on */
    return bytes[(unsigned char)byte];
}

/* Byte by byte, where no chunk is left. */
static not_inlined uint64_t name_at_end(struct cursor *cursor)
{
    uint64_t name = 0;
    unsigned char byte;
    for (unsigned i = 0;
         !cursor_done(cursor) && (byte = name_byte(*cursor->at)) != 0; i++) {
        if (i < NAME_BYTES)
            name |= (uint64_t)byte << (8 * i);
        cursor->at++;
    }
    return name;
}

/* Letters and digits. A message has hundreds of names, of all lengths: where
 * they end is found without a branch. */
static inline uint64_t take_name(struct cursor *cursor)
{
    const char *at = cursor->at;
    if (cursor->end - at < (ptrdiff_t)CHUNK_BYTES)
        return name_at_end(cursor);
    const chunk bytes = chunk_read(at);
    const size_t len =
        chunk_first(~(chunk_letters(bytes) | chunk_digits(bytes)));
    /* No digit lacks the bit that makes letters small. */
    const chunk small = (bytes | ('a' ^ 'A')) & chunk_heads(len);
    uint64_t name;
    memcpy(&name, &small, sizeof name);
    cursor->at += len;
    if (len == CHUNK_BYTES)
        (void)name_at_end(cursor);
    return le64toh(name);
}

static bool ends_name(char byte)
{
    return char_is_space(byte) || byte == '/' || byte == '>';
}

uint64_t tag_name(struct cursor *cursor)
{
    const uint64_t name = take_name(cursor);
    const char *end = cursor->at;
    while (!cursor_done(cursor) && !ends_name(*cursor->at))
        cursor->at++;
    return cursor->at == end ? name : name | NAME_OTHER;
}

static void skip_space(struct cursor *cursor)
{
    while (!cursor_done(cursor) && char_is_space(*cursor->at))
        cursor->at++;
}

/* The value behind "=": quoted, or up to a blank or ">". */
static struct slice take_value(struct cursor *cursor)
{
    skip_space(cursor);
    const char quote = cursor_peek(cursor);
    if (quote == '"' || quote == '\'') {
        cursor->at++;
        struct slice rest = cursor_rest(cursor);
        size_t len = chunk_find(rest, quote);
        cursor->at += len < rest.len ? len + 1 : len;
        return slice_head(rest, len);
    }
    const char *from = cursor->at;
    while (!cursor_done(cursor) && !char_is_space(*cursor->at)
           && *cursor->at != '>')
        cursor->at++;
    return slice_of(from, (size_t)(cursor->at - from));
}

/* Leading digits, as browsers read a length. UINT32_MAX: none, or "50%". */
static uint32_t read_length(struct slice value)
{
    uint32_t length = 0;
    size_t i = 0;
    value = slice_trim(value);
    for (; i < value.len && i < 6 && char_is(value.ptr[i], CHAR_DIGIT); i++)
        length = length * 10 + (uint32_t)(value.ptr[i] - '0');
    bool is_share = i < value.len && value.ptr[i] == '%';
    return i == 0 || is_share ? UINT32_MAX : length;
}

static bool is_white(struct slice colour)
{
    return slice_starts_nocase(colour, SLICE("#fff"))
           || slice_starts_nocase(colour, SLICE("white"))
           || slice_starts_nocase(colour, SLICE("rgb(255,255,255"))
           || slice_starts_nocase(colour, SLICE("rgb(255, 255, 255"))
           || slice_starts_nocase(colour, SLICE("#fefefe"));
}

/* "0", ".0px", "0.1em": nothing to see. */
static bool is_nothing(struct slice length)
{
    size_t at = 0;
    while (at < length.len && length.ptr[at] == '0')
        at++;
    if (at + 1 < length.len && length.ptr[at] == '.'
        && char_is(length.ptr[at + 1], CHAR_DIGIT))
        return length.ptr[at + 1] <= '1';
    return at > 0 && (at == length.len || !char_is(length.ptr[at], CHAR_DIGIT));
}

/* A name as TAG() makes it, of any bytes. */
static uint64_t pack_name(struct slice name)
{
    uint64_t packed = 0;
    for (size_t i = 0; i < name.len && i < NAME_BYTES; i++)
        packed |= (uint64_t)(unsigned char)char_lower(name.ptr[i]) << (8 * i);
    return packed;
}

/* The last of a property counts, and before that the last "!important": what a
 * browser shows must not pass for hidden. */
static void decide(struct tag *tag, unsigned property, bool hides,
                   bool is_important)
{
    tag->may_hide |= hides;
    if ((tag->settled & property) != 0 && !is_important)
        return;
    if (is_important)
        tag->settled |= (uint8_t)property;
    tag->wavers |= !hides && (tag->hiding & property) != 0;
    tag->decided |= (uint8_t)property;
    tag->hiding =
        (uint8_t)(hides ? tag->hiding | property : tag->hiding & ~property);
}

/* Takes "!important" off a value. False: what is behind "!" is another word,
 * and nothing of the declaration holds. */
static bool take_importance(struct slice *value, bool *is_important)
{
    const size_t at = slice_find(*value, '!');
    const struct slice word = slice_trim(slice_from(*value, at + 1));
    *is_important = at < value->len;
    *value = slice_trim(slice_head(*value, at));
    return !*is_important || slice_equal_nocase(word, SLICE("important"));
}

static void hear_property(struct tag *tag, struct slice property,
                          struct slice value)
{
    uint64_t name = pack_name(property);
    bool is_important;
    if (!take_importance(&value, &is_important))
        return;
    if (name == TAG("color")) {
        const bool was_white = tag->is_white;
        tag->is_white = is_white(value);
        tag->may_hide |= tag->is_white;
        tag->wavers |= was_white && !tag->is_white;
    } else if (name == TAG("backgrou")) { /* and -color, -image */
        tag->has_colour |= value.len > 0 && !is_white(value)
                           && !slice_starts_nocase(value, SLICE("none"))
                           && !slice_starts_nocase(value, SLICE("transparent"));
    } else if (name == TAG("display")) {
        decide(tag, TAG_HIDES_DISPLAY, slice_equal_nocase(value, SLICE("none")),
               is_important);
    } else if (name == TAG("visibili")) {
        decide(tag, TAG_HIDES_VISIBILITY,
               slice_equal_nocase(value, SLICE("hidden")), is_important);
    } else if (name == TAG("opacity")) {
        decide(tag, TAG_HIDES_OPACITY, is_nothing(value), is_important);
    } else if (name == TAG("font-siz")) {
        const bool had_none = tag->size == TAG_SIZE_NOTHING;
        tag->size = is_nothing(value) ? TAG_SIZE_NOTHING : TAG_SIZE_SOME;
        tag->may_hide |= tag->size == TAG_SIZE_NOTHING;
        tag->wavers |= had_none && tag->size != TAG_SIZE_NOTHING;
    }
}

/* Most properties tell nothing, and most of a style is made of them. Those that
 * might have such a value (none, 0, #fff, white), or such an end of their name
 * (background, color, font-size, display), or a blank that hides it. */
static bool is_telling(char before_colon, char value)
{
    enum { END = 1, VALUE = 2 };
    static const uint8_t bytes[256] = {
        ['d'] = END,   ['D'] = END,   ['r'] = END,   ['R'] = END,
        ['e'] = END,   ['E'] = END,   ['y'] = END,   ['Y'] = END,
        [' '] = END,   ['\t'] = END,  ['\r'] = END,  ['\n'] = END,
        ['n'] = VALUE, ['N'] = VALUE, ['w'] = VALUE, ['W'] = VALUE,
        ['0'] = VALUE, ['#'] = VALUE,
    };
    return ((bytes[(unsigned char)before_colon] & END)
            | (bytes[(unsigned char)value] & VALUE))
           != 0;
}

/* A style that is not plain and longer hides nothing: what hides a text is
 * short. */
#define STYLE_BYTES_MAX 4096u

/* The property whose colon is at `colon` and begins behind the last ";". */
static void hear_declaration(struct tag *tag, struct slice before,
                             struct slice value)
{
    size_t from = before.len;
    while (from > 0 && before.ptr[from - 1] != ';')
        from--;
    hear_property(tag, slice_trim(slice_from(before, from)), value);
}

/* From colon to colon, since most of what is between is passed over. */
static void hear_declarations(struct tag *tag, struct slice rest)
{
    for (;;) {
        size_t colon = chunk_find(rest, ':');
        struct slice value = slice_from(rest, colon + 1);
        if (colon == rest.len)
            return;
        size_t len = chunk_find(value, ';');
        value = slice_trim(slice_head(value, len));
        if (colon > 0 && value.len > 0
            && is_telling(rest.ptr[colon - 1], value.ptr[0]))
            hear_declaration(tag, slice_head(rest, colon), value);
        rest = slice_from(rest, colon + 1 + len + 1);
    }
}

/* As CSS reads it, with what is quoted and escaped. Apart, since the compiler
 * clears its buffer (-ftrivial-auto-var-init), and few styles need it. */
static not_inlined void hear_coded(struct tag *tag, struct slice style)
{
    char room[STYLE_BYTES_MAX];
    if (style.len <= sizeof room)
        hear_declarations(tag, style_plain(style, room));
}

/* Few styles are not plain, and of those with strings and brackets few say
 * anything that matters where those stand. */
static void hear_style(struct tag *tag, struct slice style)
{
    const enum style_form form = style_form(style);
    const struct tag before = *tag;
    if (form != STYLE_CODED)
        hear_declarations(tag, style);
    if (form == STYLE_PLAIN
        || (form == STYLE_NESTED && !tag->may_hide && !tag->has_colour))
        return;
    *tag = before;
    hear_coded(tag, style);
}

/* Of attributes given twice browsers take the first. */
static bool is_first(struct tag *tag, unsigned attribute)
{
    const bool is_first = (tag->given & attribute) == 0;
    tag->given |= (uint8_t)attribute;
    return is_first;
}

static bool is_image(const struct tag *tag)
{
    return tag->name == TAG("img");
}

static void hear_attribute(struct tag *tag, uint64_t name, struct slice value)
{
    if (name == TAG("style")) {
        tag->has_style = true;
        if (is_first(tag, TAG_GIVES_STYLE))
            hear_style(tag, value);
    } else if (name == TAG("class")) {
        tag->has_style = true;
    } else if (name == TAG("href")) {
        if (is_first(tag, TAG_GIVES_TARGET))
            tag->target = slice_trim(value);
    } else if (name == TAG("width")) {
        if (is_image(tag) && is_first(tag, TAG_GIVES_WIDTH))
            tag->width = read_length(value);
    } else if (name == TAG("height")) {
        if (is_image(tag) && is_first(tag, TAG_GIVES_HEIGHT))
            tag->height = read_length(value);
    } else if (name == TAG("bgcolor")) {
        if (is_first(tag, TAG_GIVES_GROUND))
            tag->has_colour |= !is_white(slice_trim(value));
    } else if (name == TAG("backgrou")) {
        tag->has_colour = true;
    } else if (name == TAG("color")) {
        if (is_first(tag, TAG_GIVES_COLOUR))
            tag->is_white = is_white(slice_trim(value));
    } else if (name == TAG("hidden")) {
        tag->is_hidden = true;
    }
}

/* At least one byte, whatever it is, up to what ends a name. One that has other
 * bytes than letters and digits is none of ours: "aria-hidden" hides nothing. */
static uint64_t attribute_name(struct cursor *cursor)
{
    const char *from = cursor->at;
    const uint64_t name = take_name(cursor);
    const char *end = cursor->at;
    while (!cursor_done(cursor)
           && (cursor->at == from
               || (*cursor->at != '=' && !ends_name(*cursor->at))))
        cursor->at++;
    return cursor->at == end ? name : 0;
}

static void hear_next(struct cursor *cursor, struct tag *tag)
{
    uint64_t name = attribute_name(cursor);
    struct slice value = slice_text("");
    skip_space(cursor);
    if (cursor_byte(cursor, '='))
        value = take_value(cursor);
    hear_attribute(tag, name, value);
}

/* With a cursor of its own, which the compiler can keep in registers. */
static void hear_attributes(struct cursor *held, struct tag *tag)
{
    struct cursor cursor = *held;
    while (!cursor_done(&cursor) && *cursor.at != '>') {
        if (*cursor.at == '/' || char_is_space(*cursor.at))
            cursor.at++;
        else
            hear_next(&cursor, tag);
    }
    *held = cursor;
}

void tag_read(struct cursor *cursor, struct tag *tag)
{
    *tag = (struct tag){ .width = UINT32_MAX, .height = UINT32_MAX };
    tag->name = tag_name(cursor);
    if (cursor_byte(cursor, '>')) /* no attributes */
        return;
    hear_attributes(cursor, tag);
    (void)cursor_byte(cursor, '>');
    /* A display of its own outranks the attribute "hidden". */
    if ((tag->decided & TAG_HIDES_DISPLAY) != 0)
        tag->is_hidden = false;
    tag->is_hidden |= tag->hiding != 0;
}
