/* html.c - what a reader sees of an HTML part, and how it is built. */
#include "classifier/reading/html.h"

#include "classifier/reading/entity.h"
#include "classifier/reading/link.h"
#include "classifier/reading/tag.h"
#include "common/base/chars.h"

#define REFERENCE_LEN_MAX 10u
/* End tags that end nothing, after which the rest are taken for such: looking
 * for what they end costs more than all else in markup made of them. */
#define FUTILE_ENDS_MAX 2000u

struct element {
    uint64_t name;
    unsigned kind;   /* ELEMENT_ bits */
    bool is_hidden;  /* it or one around it */
    bool is_small;   /* letters of no size, until one within has some */
    bool has_colour; /* it or one around it has a background of its own */
};

struct scan {
    struct html_shape *shape;
    char *text; /* where the next visible character goes */
    char *text_start;
    char *text_end; /* room for ENTITY_BYTES_MAX is behind it */
    struct element open[HTML_DEPTH_MAX];
    uint32_t depth;
    uint32_t futile;      /* end tags that ended nothing */
    uint64_t last_tag[2]; /* for runs: the two before */
    bool in_word;         /* the text so far ends within a word */
};

static bool is_hidden(const struct scan *scan)
{
    if (scan->depth == 0)
        return false;
    const struct element *inner = &scan->open[scan->depth - 1];
    return inner->is_hidden || inner->is_small;
}

static bool is_full(const struct scan *scan)
{
    return scan->text >= scan->text_end;
}

/* A blank or a line end, unless the text has one already. */
static void part_words(struct scan *scan, char with)
{
    scan->in_word = false;
    if (scan->text == scan->text_start || is_full(scan))
        return;
    if (scan->text[-1] == ' ')
        scan->text[-1] = with;
    else if (scan->text[-1] != '\n')
        *scan->text++ = with;
}

/* Hidden text: only how much there is. Spaces that do not show are no words. */
static size_t reference_len(struct slice text)
{
    size_t len = 1;
    while (len < text.len && len < REFERENCE_LEN_MAX
           && (char_is(text.ptr[len], CHAR_ALPHA | CHAR_DIGIT)
               || text.ptr[len] == '#'))
        len++;
    return len < text.len && text.ptr[len] == ';' ? len + 1 : 1;
}

static void count_hidden(struct scan *scan, struct slice text)
{
    bool in_word = scan->in_word;
    for (size_t i = 0; i < text.len; i++) {
        bool is_letter = char_is(text.ptr[i], CHAR_ALPHA | CHAR_DIGIT);
        if (text.ptr[i] == '&')
            i += reference_len(slice_from(text, i)) - 1;
        scan->shape->hidden_words += is_letter && !in_word;
        in_word = is_letter;
    }
    scan->in_word = in_word;
}

enum text_byte { TEXT_PLAIN, TEXT_SPACE, TEXT_REFERENCE };

static const uint8_t text_bytes[256] = {
    [' '] = TEXT_SPACE,  ['\n'] = TEXT_SPACE,    ['\t'] = TEXT_SPACE,
    ['\r'] = TEXT_SPACE, ['&'] = TEXT_REFERENCE,
};

/* Copies up to the next blank or reference, or to the room's end. */
static const char *add_plain(struct scan *scan, const char *at, const char *end)
{
    char *to = scan->text;
    if (end - at > scan->text_end - to)
        end = at + (scan->text_end - to);
    while (at < end && text_bytes[(unsigned char)*at] == TEXT_PLAIN)
        *to++ = *at++;
    scan->text = to;
    return at;
}

/* A run without markup: blanks become one, "&" may mean something else. */
static void add_text(struct scan *scan, struct slice text)
{
    if (is_hidden(scan)) {
        count_hidden(scan, text);
        return;
    }
    const char *end = text.ptr + text.len;
    for (const char *at = text.ptr; at < end && !is_full(scan);) {
        uint32_t character;
        switch ((enum text_byte)text_bytes[(unsigned char)*at]) {
        case TEXT_PLAIN:
            at = add_plain(scan, at, end);
            break;
        case TEXT_SPACE:
            part_words(scan, ' ');
            while (at < end && text_bytes[(unsigned char)*at] == TEXT_SPACE)
                at++;
            break;
        case TEXT_REFERENCE:
            at += entity_read(slice_of(at, (size_t)(end - at)), &character);
            scan->text += entity_write(character, scan->text);
            break;
        }
    }
}

/* What an element is: several may be true. */
#define ELEMENT_VOID   0x01u /* has no end tag: nothing is ever inside it */
#define ELEMENT_INLINE 0x02u /* within a line: parts no words */
#define ELEMENT_CELL   0x04u
#define ELEMENT_RAW    0x08u /* all up to its end tag is no text */

/* In the order of how often mail has them. */
static unsigned element_kind(uint64_t name)
{
    if (name == TAG("td") || name == TAG("th"))
        return ELEMENT_CELL;
    if (name == TAG("tr") || name == TAG("table") || name == TAG("div")
        || name == TAG("p"))
        return 0;
    if (name == TAG("a") || name == TAG("span") || name == TAG("strong")
        || name == TAG("b") || name == TAG("font") || name == TAG("i")
        || name == TAG("u") || name == TAG("em") || name == TAG("small")
        || name == TAG("sup") || name == TAG("sub") || name == TAG("code")
        || name == TAG("mark"))
        return ELEMENT_INLINE;
    if (name == TAG("img") || name == TAG("wbr"))
        return ELEMENT_VOID | ELEMENT_INLINE;
    if (name == TAG("br") || name == TAG("hr") || name == TAG("meta")
        || name == TAG("link") || name == TAG("input") || name == TAG("col")
        || name == TAG("base") || name == TAG("area") || name == TAG("source"))
        return ELEMENT_VOID;
    if (name == TAG("style") || name == TAG("script") || name == TAG("title")
        || name == TAG("textarea") || name == TAG("noscript")
        || name == TAG("svg"))
        return ELEMENT_RAW;
    return 0;
}

/* What a start tag ends by itself when it is the innermost: a paragraph before
 * a block, a cell before a cell or row, an item before an item. */
static bool ends_by(const struct element *inner, uint64_t starts, unsigned kind)
{
    if (inner->name == TAG("p"))
        return (kind & (ELEMENT_INLINE | ELEMENT_VOID)) == 0;
    if ((inner->kind & ELEMENT_CELL) != 0)
        return (kind & ELEMENT_CELL) != 0 || starts == TAG("tr");
    if (inner->name == TAG("tr"))
        return starts == TAG("tr");
    return inner->name == TAG("li") && starts == TAG("li");
}

static void push(struct scan *scan, const struct tag *tag, unsigned kind)
{
    while (scan->depth > 0
           && ends_by(&scan->open[scan->depth - 1], tag->name, kind))
        scan->depth--;
    if (scan->depth == HTML_DEPTH_MAX)
        return;
    const struct element *outer =
        scan->depth > 0 ? &scan->open[scan->depth - 1] : NULL;
    struct element *element = &scan->open[scan->depth++];
    element->name = tag->name;
    element->kind = kind;
    element->has_colour = tag->has_colour || (outer && outer->has_colour);
    element->is_small =
        tag->size == TAG_SIZE_NOTHING
        || (tag->size == TAG_SIZE_KEPT && outer && outer->is_small);
    element->is_hidden = tag->is_hidden || (outer && outer->is_hidden)
                         || (tag->is_white && !element->has_colour);
    if (scan->depth > scan->shape->deepest)
        scan->shape->deepest = scan->depth;
}

/* An end tag closes the innermost of its name and all in it; one that closes
 * nothing is passed over. Cells close nothing outside their table. */
static void pop(struct scan *scan, uint64_t name, unsigned kind)
{
    if (scan->futile > FUTILE_ENDS_MAX)
        return;
    for (uint32_t i = scan->depth; i > 0; i--) {
        if (scan->open[i - 1].name == name) {
            scan->depth = i - 1;
            return;
        }
        if (scan->open[i - 1].name == TAG("table")
            && (kind & ELEMENT_CELL) != 0)
            break;
    }
    scan->futile++;
}

static void see_image(struct scan *scan, const struct tag *tag)
{
    if (tag->width <= 2 && tag->height <= 2)
        scan->shape->pixels++;
    else if (!is_hidden(scan) && !tag->is_hidden)
        scan->shape->images++;
}

/* "h1" to "h6". */
static bool is_heading(uint64_t name)
{
    return (name & 0xff) == 'h' && name >> 8 >= '1' && name >> 8 <= '6';
}

static void count_tag(struct scan *scan, const struct tag *tag, unsigned kind)
{
    struct html_shape *shape = scan->shape;
    uint64_t name = tag->name;
    shape->tags++;
    shape->classes += tag->has_style;
    if ((kind & ELEMENT_CELL) != 0)
        shape->cells++;
    else if (name == TAG("a"))
        link_count(tag->target, shape);
    else if (name == TAG("img"))
        see_image(scan, tag);
    else if (name == TAG("table"))
        shape->tables++;
    else if (name == TAG("p"))
        shape->paragraphs++;
    else if (name == TAG("li"))
        shape->items++;
    else if (is_heading(name))
        shape->headings++;
    else if (name == TAG("hr"))
        shape->rules++;
    else if (name == TAG("blockquo"))
        shape->quotes++;
    else if (name == TAG("code") || name == TAG("pre"))
        shape->codes++;
    else if (name == TAG("form") || name == TAG("input"))
        shape->forms++;
}

/* The skeleton takes a tag that repeats, or a pair that does, only once, so
 * that a receipt of two lines and one of five have the same. */
static void add_bone(struct scan *scan, uint64_t name)
{
    if (name == scan->last_tag[0] || name == scan->last_tag[1])
        return;
    scan->last_tag[1] = scan->last_tag[0];
    scan->last_tag[0] = name;
    scan->shape->skeleton =
        (scan->shape->skeleton ^ name) * 0x9E3779B97F4A7C15u;
    scan->shape->skeleton ^= scan->shape->skeleton >> 29;
}

static void part_at(struct scan *scan, unsigned kind)
{
    if ((kind & ELEMENT_INLINE) == 0)
        part_words(scan, (kind & ELEMENT_CELL) != 0 ? ' ' : '\n');
}

static void skip_raw(struct scan *scan, struct cursor *cursor, uint64_t name)
{
    scan->shape->styles += name == TAG("style");
    while (!cursor_done(cursor)) {
        struct slice rest = cursor_rest(cursor);
        size_t at = slice_find(rest, '<');
        cursor->at += at < rest.len ? at + 1 : at;
        struct cursor ahead = *cursor;
        if (cursor_byte(&ahead, '/') && tag_name(&ahead) == name) {
            cursor->at = ahead.at;
            struct slice left = cursor_rest(cursor);
            size_t end = slice_find(left, '>');
            cursor->at += end < left.len ? end + 1 : end;
            return;
        }
    }
}

/* "<!-- ... -->", "<!DOCTYPE ...>", "<?xml ...?>", the cursor behind "<". */
static void skip_declaration(struct cursor *cursor)
{
    struct slice rest = cursor_rest(cursor);
    size_t end;
    if (slice_starts_nocase(rest, SLICE("!--"))) {
        end = slice_find_slice(slice_from(rest, 1), SLICE("-->"));
        cursor->at += 1 + end < rest.len ? 1 + end + 3 : rest.len;
        return;
    }
    end = slice_find(rest, '>');
    cursor->at += end < rest.len ? end + 1 : end;
}

static void see_start(struct scan *scan, struct cursor *cursor)
{
    struct tag tag;
    tag_read(cursor, &tag);
    unsigned kind = element_kind(tag.name);
    count_tag(scan, &tag, kind);
    add_bone(scan, tag.name);
    part_at(scan, kind);
    if (tag.is_closed || (kind & ELEMENT_VOID) != 0)
        return;
    if ((kind & ELEMENT_RAW) != 0)
        skip_raw(scan, cursor, tag.name);
    else
        push(scan, &tag, kind);
}

static void see_end(struct scan *scan, struct cursor *cursor)
{
    uint64_t name = tag_name(cursor);
    unsigned kind = element_kind(name);
    struct slice rest = cursor_rest(cursor);
    size_t end = slice_find(rest, '>');
    cursor->at += end < rest.len ? end + 1 : end;
    part_at(scan, kind);
    pop(scan, name, kind);
}

/* The cursor is behind a "<". */
static void see_markup(struct scan *scan, struct cursor *cursor)
{
    char next = cursor_peek(cursor);
    if (char_is(next, CHAR_ALPHA)) {
        see_start(scan, cursor);
    } else if (next == '/') {
        cursor->at++;
        see_end(scan, cursor);
    } else if (next == '!' || next == '?') {
        skip_declaration(cursor);
    } else {
        add_text(scan, SLICE("<"));
    }
}

static void read_markup(struct scan *scan, struct slice markup)
{
    struct cursor cursor = cursor_of(markup);
    while (!cursor_done(&cursor)) {
        struct slice rest = cursor_rest(&cursor);
        if (is_full(scan) && rest.len > HTML_TAIL_BYTES) {
            /* Enough was read; how it ends still tells something. */
            scan->shape->skipped_bytes +=
                (uint32_t)(rest.len - HTML_TAIL_BYTES);
            cursor.at = cursor.end - HTML_TAIL_BYTES;
            continue;
        }
        /* Between most tags there is nothing: no call to look for that. */
        if (*rest.ptr != '<') {
            size_t len = slice_find(rest, '<');
            add_text(scan, slice_head(rest, len));
            cursor.at += len;
        }
        if (cursor_byte(&cursor, '<'))
            see_markup(scan, &cursor);
    }
    part_words(scan, '\n');
}

void html_read(struct slice markup, struct html_shape *shape, struct buf *text)
{
    size_t size = text->max - text->len;
    char *room =
        size > (size_t)2 * ENTITY_BYTES_MAX ? buf_room(text, size) : NULL;
    if (!room) {
        shape->skipped_bytes += (uint32_t)markup.len;
        return;
    }
    struct scan scan = { .shape = shape, .text = room, .text_start = room };
    scan.text_end = room + size - ENTITY_BYTES_MAX;
    read_markup(&scan, markup);
    buf_added(text, (size_t)(scan.text - room));
}
