/* sevenbit.c - a message with bytes over 127 made one without. */
#include "common/proto/sevenbit.h"

#include "common/proto/ascii_field.h"
#include "common/proto/encoded_word.h"
#include "common/proto/header.h"
#include "common/proto/mime.h"
#include "common/proto/token.h"
#include "common/proto/transfer.h"
#include "common/proto/utf8.h"

/* The multiparts that we are in, the innermost first. */
struct scope {
    const struct scope *outer;
    struct slice boundary;
    bool is_digest;
};

/* A message or a part of one. */
struct entity {
    struct slice whole;
    struct header_split split;
    struct mime mime;
    const struct scope *scope; /* NULL: in no multipart */
    unsigned depth;
    bool is_part;
};

/* What the header has to say of the body from now on. */
struct label {
    const char *encoding; /* NULL: what it said */
    struct slice charset; /* of a Content-Type that it lacks; empty: none */
};

static enum rc convert_entity(struct entity *entity, struct buf *out);

static enum rc added(bool is_added)
{
    return is_added ? RC_OK : RC_LIMIT;
}

/* Lines as DATA wants them, so that all readers see the same ones. */
static bool is_regular(struct slice message)
{
    if (slice_find(message, '\0') < message.len)
        return false;
    while (message.len > 0) {
        const size_t end = slice_find(message, '\n');
        const struct slice line = slice_head(message, end);
        const size_t cr = slice_find(line, '\r');
        if (cr > SEVENBIT_LINE_MAX || cr + (end < message.len) != line.len)
            return false;
        message = slice_from(message, end + 1);
    }
    return true;
}

static bool add_encoding(const char *encoding, struct buf *out)
{
    return buf_add_text(out, "Content-Transfer-Encoding: ")
           && buf_add_text(out, encoding) && buf_add(out, SLICE("\r\n"));
}

static enum rc add_field(const struct header_field *field,
                         const struct label *label, struct buf *out)
{
    if (label->encoding
        && slice_equal_nocase(field->name, SLICE("Content-Transfer-Encoding")))
        return added(add_encoding(label->encoding, out));
    return utf8_is_ascii(field->whole) ? added(buf_add(out, field->whole))
                                       : ascii_field_add(field, out);
}

/* Fields that were not there. */
static bool add_missing(const struct entity *entity, const struct label *label,
                        struct buf *out)
{
    const struct mime *mime = &entity->mime;
    if (!label->encoding)
        return true;
    if (!mime->has_version && !entity->is_part
        && !buf_add(out, SLICE("MIME-Version: 1.0\r\n")))
        return false;
    if (!slice_is_empty(label->charset)
        && !(buf_add(out, SLICE("Content-Type: text/plain; charset="))
             && buf_add(out, label->charset) && buf_add(out, SLICE("\r\n"))))
        return false;
    return mime->has_encoding || add_encoding(label->encoding, out);
}

/* Up to the body, with the empty line as it was. */
static enum rc add_header(const struct entity *entity,
                          const struct label *label, struct buf *out)
{
    const struct slice header = entity->split.header;
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    while (header_next(&cursor, &field) == RC_OK) {
        const enum rc rc = add_field(&field, label, out);
        if (rc != RC_OK)
            return rc;
    }
    const char *header_end = header.ptr + header.len;
    return added(
        add_missing(entity, label, out)
        && buf_add(out, token_between(header_end, entity->split.body.ptr)));
}

/* A line that begins like a boundary and is none to us is one to readers that
 * follow RFC 2046 section 5.1.1 to the letter. */
static bool is_near_boundary(struct slice line, const struct scope *scope)
{
    for (; scope; scope = scope->outer)
        if (slice_starts_nocase(slice_from(line, 2), scope->boundary))
            return true;
    return false;
}

static bool is_ambiguous(struct slice body, const struct scope *scope)
{
    while (scope && body.len > 0) {
        if (slice_starts_nocase(body, SLICE("--"))
            && is_near_boundary(body, scope))
            return true;
        body = slice_from(body, slice_find(body, '\n') + 1);
    }
    return false;
}

static enum rc convert_leaf(const struct entity *entity, struct buf *out)
{
    const struct mime *mime = &entity->mime;
    const struct slice body = entity->split.body;
    if (mime->encoding == MIME_ENCODED || mime->encoding == MIME_UNKNOWN
        || is_ambiguous(body, entity->scope))
        return RC_SYNTAX;
    const bool is_quoted = mime->form == MIME_TEXT
                           && mime->encoding == MIME_PLAIN
                           && transfer_is_quotable(body);
    const struct label label = {
        .encoding = is_quoted ? "quoted-printable" : "base64",
        .charset =
            mime->has_type ? slice_text(NULL) : encoded_word_charset(body),
    };
    const enum rc rc = add_header(entity, &label, out);
    if (rc != RC_OK)
        return rc;
    return added(is_quoted ? transfer_quote(body, out)
                           : transfer_base64(body, out));
}

static enum rc convert_message(const struct entity *entity, struct buf *out)
{
    struct entity inner = {
        .whole = entity->split.body,
        .scope = entity->scope,
        .depth = entity->depth + 1,
    };
    return convert_entity(&inner, out);
}

/* A preamble or an epilogue. */
static bool add_aside(struct slice text, struct buf *out)
{
    if (utf8_is_ascii(text))
        return buf_add(out, text);
    for (size_t i = 0; i < text.len; i++)
        if (!buf_add_byte(out, (char)(text.ptr[i] & 0x80 ? '?' : text.ptr[i])))
            return false;
    return true;
}

static enum rc convert_part(const struct entity *entity,
                            const struct scope *scope, struct slice part,
                            struct buf *out)
{
    struct entity inner = {
        .whole = part,
        .scope = scope,
        .depth = entity->depth + 1,
        .is_part = true,
    };
    return convert_entity(&inner, out);
}

/* The next part, and the delimiter behind it with the line end before, that
 * belongs to it. Where it is missing the rest is the last part. */
static enum rc take_part(const struct entity *entity, const struct scope *scope,
                         struct cursor *lines, bool *is_last, struct buf *out)
{
    struct slice part = cursor_rest(lines);
    struct mime_delimiter delimiter = { .is_last = true };
    if (mime_next_delimiter(lines, scope->boundary, &delimiter)) {
        part = token_between(part.ptr, delimiter.line.ptr);
        part = slice_head(part, part.len > 2 ? part.len - 2 : 0);
    } else {
        lines->at = lines->end;
    }
    const enum rc rc = convert_part(entity, scope, part, out);
    if (rc != RC_OK)
        return rc;
    *is_last = delimiter.is_last;
    return added(buf_add(out, token_between(part.ptr + part.len, lines->at)));
}

static enum rc convert_parts(const struct entity *entity, struct buf *out)
{
    const struct scope scope = {
        .outer = entity->scope,
        .boundary = entity->mime.boundary,
        .is_digest = entity->mime.is_digest,
    };
    struct cursor lines = cursor_of(entity->split.body);
    const char *start = lines.at;
    struct mime_delimiter first;
    if (!mime_next_delimiter(&lines, scope.boundary, &first))
        return RC_SYNTAX; /* all of it is preamble, or text to some readers */
    if (!add_aside(token_between(start, first.line.ptr), out)
        || !buf_add(out, first.line))
        return RC_LIMIT;
    for (bool is_last = first.is_last; !is_last;) {
        const enum rc rc = take_part(entity, &scope, &lines, &is_last, out);
        if (rc != RC_OK)
            return rc;
    }
    return added(add_aside(cursor_rest(&lines), out));
}

/* One that has others in it, and may not be encoded itself. */
static enum rc convert_composite(const struct entity *entity, struct buf *out)
{
    static const struct label label = { .encoding = "7bit" };
    if (entity->mime.encoding == MIME_ENCODED
        || entity->mime.encoding == MIME_UNKNOWN)
        return RC_SYNTAX;
    const enum rc rc = add_header(entity, &label, out);
    if (rc != RC_OK)
        return rc;
    return entity->mime.form == MIME_MESSAGE ? convert_message(entity, out)
                                             : convert_parts(entity, out);
}

/* Only the header has to change. */
static enum rc convert_header(const struct entity *entity, struct buf *out)
{
    static const struct label label = { .encoding = NULL };
    const enum rc rc = add_header(entity, &label, out);
    return rc == RC_OK ? added(buf_add(out, entity->split.body)) : rc;
}

static enum rc convert_body(const struct entity *entity, struct buf *out)
{
    switch (entity->mime.form) {
    case MIME_TEXT:
    case MIME_DATA:
        return convert_leaf(entity, out);
    case MIME_MULTIPART:
    case MIME_MESSAGE:
        return convert_composite(entity, out);
    case MIME_SIGNED:
    case MIME_FIXED:
        break;
    }
    return RC_SYNTAX;
}

static bool is_in_digest(const struct entity *entity)
{
    return entity->is_part && entity->scope->is_digest;
}

static enum rc convert_entity(struct entity *entity, struct buf *out)
{
    if (utf8_is_ascii(entity->whole))
        return added(buf_add(out, entity->whole));
    if (entity->depth > SEVENBIT_DEPTH_MAX
        || header_split(entity->whole, &entity->split) != RC_OK)
        return RC_SYNTAX;
    if (utf8_is_ascii(entity->split.body))
        return convert_header(entity, out);
    if (mime_read(entity->split.header, is_in_digest(entity), &entity->mime)
        != RC_OK)
        return RC_SYNTAX;
    return convert_body(entity, out);
}

static enum rc convert(struct slice message, enum sevenbit_what what,
                       struct buf *out)
{
    if (!is_regular(message))
        return RC_SYNTAX;
    struct entity entity = { .whole = message };
    if (what == SEVENBIT_ALL)
        return convert_entity(&entity, out);
    return header_split(message, &entity.split) == RC_OK
               ? convert_header(&entity, out)
               : RC_SYNTAX;
}

enum rc sevenbit_convert(struct slice message, enum sevenbit_what what,
                         struct buf *out)
{
    const size_t before = out->len;
    const enum rc rc = convert(message, what, out);
    if (rc != RC_OK)
        buf_cut(out, before);
    return rc;
}

bool sevenbit_is_signed(struct slice message)
{
    static const char *const names[] = { "DKIM-Signature",
                                         "DomainKey-Signature",
                                         "ARC-Message-Signature" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct cursor cursor = cursor_of(message);
        struct header_field field;
        if (header_find(&cursor, slice_text(names[i]), &field))
            return true;
    }
    return false;
}
