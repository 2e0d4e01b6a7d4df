/* parts.c - the parts of a MIME message, one after the other. */
#include "classifier/reading/parts.h"

#include "common/base/chars.h"
#include "common/base/chunk.h"
#include "common/proto/header.h"

/* What the header of a message or a part says of what follows. */
struct form {
    struct part part;
    struct slice boundary; /* of a multipart; empty: none */
    bool is_message;       /* message/rfc822 */
    bool is_report;        /* multipart/report */
};

/* Takes blanks, folds and the rest of RFC 822's white space. */
static void skip_space(struct cursor *cursor)
{
    while (!cursor_done(cursor)
           && (char_is(*cursor->at, CHAR_BLANK) || *cursor->at == '\r'
               || *cursor->at == '\n'))
        cursor->at++;
}

/* token or quoted-string; the quotes are left out, pairs stay as they are. */
static struct slice take_value(struct cursor *cursor)
{
    struct slice value;
    if (cursor_byte(cursor, '"')) {
        if (cursor_until(cursor, '"', &value))
            return value;
        value = cursor_rest(cursor);
        cursor->at = cursor->end;
        return slice_trim(value);
    }
    const char *from = cursor->at;
    while (!cursor_done(cursor) && *cursor->at != ';')
        cursor->at++;
    return slice_trim(slice_of(from, (size_t)(cursor->at - from)));
}

/* The value of a parameter of a Content- field: RFC 2045 section 5.1. */
static struct slice find_parameter(struct slice field, struct slice name)
{
    struct cursor cursor = cursor_of(slice_from(field, slice_find(field, ';')));
    while (cursor_byte(&cursor, ';')) {
        struct slice found;
        skip_space(&cursor);
        if (!cursor_until(&cursor, '=', &found))
            break;
        skip_space(&cursor);
        struct slice value = take_value(&cursor);
        if (slice_equal_nocase(slice_trim(found), name))
            return value;
        while (!cursor_done(&cursor) && *cursor.at != ';')
            cursor.at++;
    }
    return slice_text("");
}

/* clang-format off */
static const struct {
    struct slice type; /* what it begins with */
    enum part_kind kind;
} kinds[] = {
    { { "text/html", 9 },               PART_HTML     },
    { { "text/calendar", 13 },          PART_CALENDAR },
    { { "text/", 5 },                   PART_TEXT     },
    { { "image/", 6 },                  PART_IMAGE    },
    { { "message/delivery-status", 23}, PART_REPORT   },
    { { "message/feedback-report", 23}, PART_REPORT   },
};
/* clang-format on */

static void hear_type(struct form *form, struct slice value)
{
    struct slice type = slice_trim(slice_head(value, slice_find(value, ';')));
    form->part.kind = PART_OTHER;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_starts_nocase(type, kinds[i].type)) {
            form->part.kind = kinds[i].kind;
            break;
        }
    form->part.charset = find_parameter(value, SLICE("charset"));
    form->is_message = slice_equal_nocase(type, SLICE("message/rfc822"));
    if (slice_starts_nocase(type, SLICE("multipart/")))
        form->boundary = find_parameter(value, SLICE("boundary"));
    form->is_report = slice_equal_nocase(type, SLICE("multipart/report"));
}

static void hear_encoding(struct form *form, struct slice value)
{
    value = slice_trim(value);
    if (slice_equal_nocase(value, SLICE("base64")))
        form->part.encoding = PART_BASE64;
    else if (slice_equal_nocase(value, SLICE("quoted-printable")))
        form->part.encoding = PART_QUOTED;
}

/* Reads the Content- fields; the cursor ends behind the header. */
static struct form read_form(struct cursor *cursor)
{
    struct form form = { .part.kind = PART_TEXT };
    struct header_field field;
    while (header_next(cursor, &field) == RC_OK) {
        if (!slice_starts_nocase(field.name, SLICE("Content-")))
            continue;
        struct slice what = slice_from(field.name, 8);
        if (slice_equal_nocase(what, SLICE("Type")))
            hear_type(&form, slice_trim(field.value));
        else if (slice_equal_nocase(what, SLICE("Transfer-Encoding")))
            hear_encoding(&form, field.value);
        else if (slice_equal_nocase(what, SLICE("Disposition")))
            form.part.is_attached = slice_starts_nocase(slice_trim(field.value),
                                                        SLICE("attachment"));
    }
    return form;
}

/* Opens what the form wraps: true when a leaf follows. */
static bool enter(struct parts *parts, struct form *form)
{
    while (form->is_message) {
        if (parts->depth == PARTS_DEPTH_MAX) {
            parts->is_cut = true;
            break;
        }
        *form = read_form(&parts->cursor);
        parts->depth++; /* counted, so that a chain of messages ends */
        parts->boundaries[parts->depth - 1] = slice_text("");
    }
    if (slice_is_empty(form->boundary))
        return true;
    if (parts->depth == PARTS_DEPTH_MAX) {
        parts->is_cut = true;
        return false;
    }
    parts->boundaries[parts->depth++] = form->boundary;
    return false;
}

void parts_init(struct parts *parts, struct slice header, struct slice body)
{
    struct cursor cursor = cursor_of(header);
    struct form form = read_form(&cursor);
    *parts = (struct parts){ .cursor = cursor_of(body),
                             .is_report = form.is_report };
    parts->state = enter(parts, &form) ? PARTS_WHOLE : PARTS_SKIP;
    parts->whole = form.part;
}

/* "--boundary" or "--boundary--": the level that it ends, or -1. */
static int match_boundary(const struct parts *parts, struct slice line,
                          bool *is_close)
{
    for (size_t i = parts->depth; i > 0; i--) {
        struct slice boundary = parts->boundaries[i - 1];
        if (slice_is_empty(boundary) || line.len < boundary.len
            || memcmp(line.ptr, boundary.ptr, boundary.len) != 0)
            continue;
        struct slice rest = slice_from(line, boundary.len);
        *is_close = rest.len >= 2 && rest.ptr[0] == '-' && rest.ptr[1] == '-';
        if (slice_is_empty(slice_trim(*is_close ? slice_from(rest, 2) : rest)))
            return (int)(i - 1);
    }
    return -1;
}

/* Lines of a chunk that begin with a dash; a byte of the next is read. */
static chunk dash_lines(const char *from)
{
    return chunk_is(chunk_read(from), '\n')
           & chunk_is(chunk_read(from + 1), '-');
}

/* Where in a text a line that begins with "--" is parted from the one before;
 * its length: nowhere. Two chunks at once, since all of a message is searched. */
static size_t find_dash_line(struct slice text)
{
    const struct slice wanted = SLICE("\n--");
    const size_t step = (size_t)2 * CHUNK_BYTES;
    size_t at = 0;
    for (; text.len - at >= step + wanted.len - 1; at += step) {
        const char *from = text.ptr + at;
        if (chunk_bits(dash_lines(from) | dash_lines(from + CHUNK_BYTES)) == 0)
            continue;
        const struct slice near = slice_of(from, step + wanted.len - 1);
        const size_t len = slice_find_slice(near, wanted);
        if (len < near.len)
            return at + len;
    }
    return at + slice_find_slice(slice_from(text, at), wanted);
}

/* Moves the cursor, which is where a line begins, to the next line that begins
 * with "--"; false, and to the end, when there is none. */
static bool find_dashes(struct cursor *cursor)
{
    const struct slice rest = cursor_rest(cursor);
    if (rest.len > 2 && rest.ptr[0] == '-' && rest.ptr[1] == '-')
        return true;
    const size_t next = find_dash_line(rest);
    cursor->at += next < rest.len ? next + 1 : next;
    return next < rest.len;
}

/* Walks to the next line that is a boundary: what stood before it, without
 * the line end that belongs to the boundary. False at the end of the body. */
static bool find_boundary(struct parts *parts, struct slice *before,
                          bool *is_close)
{
    const char *from = parts->cursor.at;
    while (find_dashes(&parts->cursor)) {
        if (++parts->dash_lines > PARTS_DASH_LINES_MAX) {
            parts->is_cut = true;
            parts->cursor.at = parts->cursor.end;
            break;
        }
        struct slice rest = cursor_rest(&parts->cursor);
        size_t len = slice_find(rest, '\n');
        struct slice line = slice_head(rest, len);
        int level = match_boundary(parts, slice_from(line, 2), is_close);
        parts->cursor.at += len < rest.len ? len + 1 : len;
        if (level < 0)
            continue;
        size_t size = (size_t)(line.ptr - from);
        size -= size > 0 && from[size - 1] == '\n';
        size -= size > 0 && from[size - 1] == '\r';
        *before = slice_of(from, size);
        parts->depth = (size_t)level + (*is_close ? 0 : 1);
        return true;
    }
    *before = slice_of(from, (size_t)(parts->cursor.at - from));
    return false;
}

static bool give(struct parts *parts, struct part *part, struct slice body)
{
    if (++parts->count > PARTS_MAX) {
        parts->is_cut = true;
        parts->state = PARTS_OVER;
        return false;
    }
    part->body = body;
    return true;
}

/* The leaf whose header was just read, up to the boundary that ends it. */
static bool give_inner(struct parts *parts, const struct form *form,
                       struct part *part)
{
    struct slice body;
    bool is_close = false;
    parts->state = PARTS_OVER;
    if (find_boundary(parts, &body, &is_close))
        parts->state = is_close ? PARTS_SKIP : PARTS_HEAD;
    *part = form->part;
    return give(parts, part, body);
}

bool parts_next(struct parts *parts, struct part *part)
{
    struct slice skipped;
    bool is_close = false;
    if (parts->state == PARTS_WHOLE) {
        parts->state = PARTS_OVER;
        *part = parts->whole;
        return give(parts, part, cursor_rest(&parts->cursor));
    }
    while (parts->state != PARTS_OVER) {
        if (parts->state == PARTS_HEAD) {
            struct form form = read_form(&parts->cursor);
            if (enter(parts, &form))
                return give_inner(parts, &form, part);
            parts->state = parts->is_cut ? PARTS_OVER : PARTS_SKIP;
        } else if (!find_boundary(parts, &skipped, &is_close)) {
            parts->state = PARTS_OVER;
        } else if (!is_close) {
            parts->state = PARTS_HEAD;
        }
    }
    return false;
}
