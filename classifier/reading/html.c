/* html.c - what a reader sees of an HTML part, and how it is built. */
#include "classifier/reading/html.h"

#include <stddef.h>

#include "classifier/reading/element.h"
#include "classifier/reading/entity.h"
#include "classifier/reading/link.h"
#include "classifier/reading/tag.h"
#include "common/base/chars.h"
#include "common/base/chunk.h"

#define REFERENCE_LEN_MAX 10u
/* End tags that end nothing, after which the rest are taken for such: looking
 * for what they end costs more than all else in markup made of them. */
#define FUTILE_ENDS_MAX 2000u

/* What an element is for the text in it: it or one around it. */
enum {
    STATE_HIDDEN = 1,
    STATE_SMALL = 2,    /* letters of no size, until one within has some */
    STATE_COLOUR = 4,   /* a background of its own */
    STATE_DOUBTFUL = 8, /* it says that it is hidden, and not */
};

struct element {
    uint64_t name;
    unsigned kind;  /* ELEMENT_ bits */
    unsigned state; /* STATE_ bits */
};

struct scan {
    struct html_shape *shape;
    char *text; /* where the next visible character goes */
    char *text_start;
    char *text_end; /* room for ENTITY_BYTES_MAX is behind it */
    struct element open[HTML_DEPTH_MAX + 1]; /* the first: all of it */
    uint32_t depth;                          /* of the innermost */
    uint32_t futile;                         /* end tags that ended nothing */
    uint64_t last_tag[2];                    /* for runs: the two before */
    bool in_word; /* the text so far ends within a word */
};

static bool is_hidden(const struct scan *scan)
{
    return (scan->open[scan->depth].state & (STATE_HIDDEN | STATE_SMALL)) != 0;
}

/* Which of two values a browser takes depends on whether it knows the second:
 * such text is read, and counts as hidden, too. */
static bool is_doubtful(const struct scan *scan)
{
    return (scan->open[scan->depth].state & STATE_DOUBTFUL) != 0;
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

enum text_byte { TEXT_PLAIN, TEXT_SPACE, TEXT_REFERENCE, TEXT_MARKUP };

static enum text_byte text_byte(char byte)
{
    static const uint8_t bytes[256] = {
        [' '] = TEXT_SPACE,  ['\n'] = TEXT_SPACE,    ['\t'] = TEXT_SPACE,
        ['\r'] = TEXT_SPACE, ['&'] = TEXT_REFERENCE, ['<'] = TEXT_MARKUP,
    };
    return (enum text_byte)bytes[(unsigned char)byte];
}

/* Bytes that are no text as they stand: markup, references, line ends, and
 * blanks before a blank. A single one between words is text. */
static chunk find_stops(const char *at)
{
    const chunk bytes = chunk_read(at);
    const chunk next = chunk_read(at + 1);
    return chunk_is(bytes, '<') | chunk_is(bytes, '&') | chunk_below(bytes, ' ')
           | (chunk_is(bytes, ' ') & chunk_is(next, ' '));
}

/* Copies words with single blanks between them. The first byte is plain, and
 * alone where no chunk is left of the text or the room. */
static const char *add_words(struct scan *scan, const char *at, const char *end)
{
    const char *from = at;
    char *to = scan->text;
    size_t len = CHUNK_BYTES;
    while (len == CHUNK_BYTES && end - at > (ptrdiff_t)CHUNK_BYTES
           && scan->text_end - to >= (ptrdiff_t)CHUNK_BYTES) {
        len = chunk_first(find_stops(at));
        chunk_write(chunk_read(at), to);
        at += len;
        to += len;
    }
    if (at == from)
        *to++ = *at++;
    scan->text = to;
    if (scan->in_word && memchr(from, ' ', (size_t)(at - from)))
        scan->in_word = false;
    return at;
}

/* Markup is indented: spaces come in numbers that nobody can foresee. */
static const char *skip_spaces(const char *at, const char *end)
{
    size_t len = CHUNK_BYTES;
    while (len == CHUNK_BYTES && end - at >= (ptrdiff_t)CHUNK_BYTES) {
        const chunk bytes = chunk_read(at);
        len = chunk_first(~(chunk_is(bytes, ' ') | chunk_is(bytes, '\n')
                            | chunk_is(bytes, '\t') | chunk_is(bytes, '\r')));
        at += len;
    }
    while (at < end && text_byte(*at) == TEXT_SPACE)
        at++;
    return at;
}

/* White space, if there is any, as one blank. */
static inline const char *add_space(struct scan *scan, const char *at,
                                    const char *end)
{
    if (text_byte(*at) != TEXT_SPACE)
        return at;
    part_words(scan, ' ');
    return skip_spaces(at, end);
}

/* Up to the next markup, which is where it returns to: blanks become one, "&"
 * may mean something else. */
static const char *add_text(struct scan *scan, const char *at, const char *end)
{
    while (at < end && !is_full(scan)) {
        uint32_t character;
        switch (text_byte(*at)) {
        case TEXT_PLAIN:
            at = add_words(scan, at, end);
            break;
        case TEXT_SPACE:
            part_words(scan, ' ');
            at = skip_spaces(at, end);
            break;
        case TEXT_REFERENCE:
            at += entity_read(slice_of(at, (size_t)(end - at)), &character);
            scan->text += entity_write(character, scan->text);
            break;
        case TEXT_MARKUP:
            return at;
        }
    }
    return at + slice_find(slice_of(at, (size_t)(end - at)), '<');
}

static const char *pass_text(struct scan *scan, struct slice rest)
{
    const bool shows = !is_hidden(scan);
    if (shows && !is_doubtful(scan)) {
        const char *end = rest.ptr + rest.len;
        /* Nothing but an indent is what is between most tags. */
        const char *at = add_space(scan, rest.ptr, end);
        return at < end && *at == '<' ? at : add_text(scan, at, end);
    }
    const size_t len = slice_find(rest, '<');
    count_hidden(scan, slice_head(rest, len));
    return shows ? add_text(scan, rest.ptr, rest.ptr + rest.len)
                 : rest.ptr + len;
}

/* One that begins no markup. */
static void add_less_than(struct scan *scan)
{
    if (is_hidden(scan))
        scan->in_word = false;
    else if (!is_full(scan))
        *scan->text++ = '<';
}

static unsigned state_within(unsigned outer, const struct tag *tag)
{
    unsigned state = outer;
    if (tag->size != TAG_SIZE_KEPT)
        state &= ~(unsigned)STATE_SMALL;
    if (tag->size == TAG_SIZE_NOTHING)
        state |= STATE_SMALL;
    if (tag->has_colour)
        state |= STATE_COLOUR;
    if (tag->wavers)
        state |= STATE_DOUBTFUL;
    if (tag->is_hidden || (tag->is_white && (state & STATE_COLOUR) == 0))
        state |= STATE_HIDDEN;
    return state;
}

static void push(struct scan *scan, const struct tag *tag, unsigned kind)
{
    while ((scan->open[scan->depth].kind & ELEMENT_ENDS_BEFORE(kind)) != 0)
        scan->depth--;
    if (scan->depth == HTML_DEPTH_MAX)
        return;
    const unsigned outer = scan->open[scan->depth].state;
    scan->open[++scan->depth] = (struct element){
        .name = tag->name, .kind = kind, .state = state_within(outer, tag)
    };
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
        if (scan->open[i].name == name) {
            scan->depth = i - 1;
            return;
        }
        if (scan->open[i].name == TAG("table") && (kind & ELEMENT_CELL) != 0)
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

static void count_tag(struct scan *scan, const struct tag *tag,
                      const struct element_form *form)
{
    struct html_shape *shape = scan->shape;
    shape->tags++;
    shape->classes += tag->has_style;
    if ((form->kind & ELEMENT_LINK) != 0) {
        link_count(tag->target, shape);
    } else if ((form->kind & ELEMENT_IMAGE) != 0) {
        see_image(scan, tag);
    } else if (form->count != 0) {
        uint32_t *count = (void *)((char *)shape + form->count);
        (*count)++;
    }
}

/* The first or the second, with no branch on which. */
static inline uint64_t pick(bool is_first, uint64_t first, uint64_t second)
{
    return second ^ ((first ^ second) & (0 - (uint64_t)is_first));
}

/* The skeleton takes a tag that repeats, or a pair that does, only once, so
 * that a receipt of two lines and one of five have the same. Whether it does is as
 * good as chance, so there is no branch on it. */
static void add_bone(struct scan *scan, uint64_t name)
{
    const uint64_t last = scan->last_tag[0];
    const uint64_t before_last = scan->last_tag[1];
    const uint64_t bones = scan->shape->skeleton;
    const bool repeats = (name == last) | (name == before_last);
    uint64_t longer = (bones ^ name) * 0x9E3779B97F4A7C15u;
    longer ^= longer >> 29;
    scan->shape->skeleton = pick(repeats, bones, longer);
    scan->last_tag[0] = pick(repeats, last, name);
    scan->last_tag[1] = pick(repeats, before_last, last);
}

static void part_at(struct scan *scan, unsigned kind)
{
    if ((kind & ELEMENT_INLINE) == 0)
        part_words(scan, (kind & ELEMENT_CELL) != 0 ? ' ' : '\n');
}

/* Takes all up to the next `byte` and that, or the rest. */
static void skip_behind(struct cursor *cursor, char byte)
{
    struct slice rest = cursor_rest(cursor);
    size_t at = chunk_find(rest, byte);
    cursor->at += at < rest.len ? at + 1 : at;
}

static void skip_raw(struct scan *scan, struct cursor *cursor, uint64_t name)
{
    scan->shape->styles += name == TAG("style");
    while (!cursor_done(cursor)) {
        skip_behind(cursor, '<');
        struct cursor ahead = *cursor;
        if (cursor_byte(&ahead, '/') && tag_name(&ahead) == name) {
            cursor->at = ahead.at;
            skip_behind(cursor, '>');
            return;
        }
    }
}

/* Does the ">" before `at` end the comment whose first two dashes are at `from`?
 * "<!-->" is one, too, and browsers take "--!>" for an end. */
static bool ends_comment(const char *from, const char *at)
{
    if (at - from >= 6 && at[-2] == '!')
        return at[-3] == '-' && at[-4] == '-';
    return at - from >= 3 && at[-2] == '-' && at[-3] == '-';
}

/* The cursor is before the two dashes. */
static void skip_comment(struct cursor *cursor)
{
    const char *from = cursor->at;
    do {
        skip_behind(cursor, '>');
    } while (!cursor_done(cursor) && !ends_comment(from, cursor->at));
}

/* "<!-- ... -->", "<!DOCTYPE ...>", "<?xml ...?>", the cursor behind "<". */
static void skip_declaration(struct cursor *cursor)
{
    if (slice_starts_nocase(cursor_rest(cursor), SLICE("!--"))) {
        cursor->at++;
        skip_comment(cursor);
    } else {
        skip_behind(cursor, '>');
    }
}

static void see_start(struct scan *scan, struct cursor *cursor)
{
    struct tag tag;
    tag_read(cursor, &tag);
    const struct element_form *form = element_form(tag.name);
    const unsigned kind = form->kind;
    count_tag(scan, &tag, form);
    add_bone(scan, tag.name);
    part_at(scan, kind);
    if ((kind & ELEMENT_VOID) != 0)
        return;
    if ((kind & ELEMENT_RAW) != 0)
        skip_raw(scan, cursor, tag.name);
    else
        push(scan, &tag, kind);
}

static void see_end(struct scan *scan, struct cursor *cursor)
{
    uint64_t name = tag_name(cursor);
    const unsigned kind = element_form(name)->kind;
    if (!cursor_byte(cursor, '>'))
        skip_behind(cursor, '>');
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
        add_less_than(scan);
    }
}

static void read_markup(struct scan *scan, struct slice markup)
{
    struct cursor cursor = cursor_of(markup);
    const char *tail = cursor.at;
    if (markup.len > HTML_TAIL_BYTES)
        tail = cursor.end - HTML_TAIL_BYTES;
    while (!cursor_done(&cursor)) {
        if (cursor.at < tail && is_full(scan)) {
            /* Enough was read; how it ends still tells something. */
            scan->shape->skipped_bytes += (uint32_t)(tail - cursor.at);
            cursor.at = tail;
        }
        if (*cursor.at != '<')
            cursor.at = pass_text(scan, cursor_rest(&cursor));
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
