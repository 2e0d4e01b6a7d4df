/* mime.c - the form of a message or body part, as its header tells it. */
#include "common/proto/mime.h"

#include "common/base/chars.h"
#include "common/proto/header.h"
#include "common/proto/token.h"
#include "common/proto/utf8.h"

static bool is_gap(char byte)
{
    return char_is(byte, CHAR_BLANK) || byte == '\r' || byte == '\n';
}

static bool take_comment(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    size_t depth = 0;
    do {
        if (cursor_done(&ahead))
            return false;
        const char byte = *ahead.at++;
        if (byte == '(' && ++depth > MIME_COMMENT_DEPTH)
            return false;
        if (byte == ')')
            depth--;
        if (byte == '\\' && !cursor_done(&ahead))
            ahead.at++;
    } while (depth > 0);
    *cursor = ahead;
    return true;
}

/* Blanks, folds and comments. False: a comment that does not end. */
static bool skip_gap(struct cursor *cursor)
{
    while (!cursor_done(cursor)) {
        if (is_gap(*cursor->at))
            cursor->at++;
        else if (*cursor->at != '(')
            return true;
        else if (!take_comment(cursor))
            return false;
    }
    return true;
}

static bool take_word(struct cursor *cursor, const char *stops,
                      struct slice *word)
{
    const char *start = cursor->at;
    while (!cursor_done(cursor) && !is_gap(*cursor->at)
           && slice_find(slice_text(stops), *cursor->at) == strlen(stops))
        cursor->at++;
    *word = token_between(start, cursor->at);
    return word->len > 0;
}

enum rc mime_take_type(struct cursor *value, struct slice *type,
                       struct slice *subtype)
{
    struct cursor ahead = *value;
    struct slice first;
    struct slice second = slice_text(NULL);
    if (!skip_gap(&ahead) || !take_word(&ahead, "/;(\"", &first)
        || !skip_gap(&ahead))
        return RC_SYNTAX;
    if (cursor_byte(&ahead, '/')
        && (!skip_gap(&ahead) || !take_word(&ahead, "/;(\"", &second)))
        return RC_SYNTAX;
    *type = first;
    *subtype = second;
    *value = ahead;
    return RC_OK;
}

static bool take_quoted(struct cursor *cursor, struct slice *text)
{
    const char *start = cursor->at;
    for (; !cursor_done(cursor); cursor->at++) {
        if (*cursor->at == '"') {
            *text = token_between(start, cursor->at++);
            return true;
        }
        if (*cursor->at == '\\' && ++cursor->at == cursor->end)
            return false;
    }
    return false;
}

static bool take_value(struct cursor *cursor, struct mime_param *param)
{
    param->is_quoted = cursor_byte(cursor, '"');
    return param->is_quoted ? take_quoted(cursor, &param->value)
                            : take_word(cursor, ";\"", &param->value);
}

enum rc mime_next_param(struct cursor *value, struct mime_param *param)
{
    struct cursor ahead = *value;
    bool is_parted = false;
    if (!skip_gap(&ahead))
        return RC_SYNTAX;
    while (cursor_byte(&ahead, ';')) {
        is_parted = true;
        if (!skip_gap(&ahead))
            return RC_SYNTAX;
    }
    if (cursor_done(&ahead))
        return RC_NONE;
    struct mime_param found;
    const char *start = ahead.at;
    if (!is_parted || !take_word(&ahead, "=;(\"", &found.name)
        || !skip_gap(&ahead) || !cursor_byte(&ahead, '=') || !skip_gap(&ahead)
        || !take_value(&ahead, &found))
        return RC_SYNTAX;
    found.whole = token_between(start, ahead.at);
    *param = found;
    *value = ahead;
    return RC_OK;
}

static bool is_boundary(const struct mime_param *param)
{
    const struct slice text = param->value;
    return text.len > 0 && text.len <= MIME_BOUNDARY_MAX && utf8_is_ascii(text)
           && slice_find(text, '\\') == text.len
           && slice_find(text, '\r') == text.len
           && slice_find(text, '\n') == text.len
           && !char_is(text.ptr[text.len - 1], CHAR_BLANK);
}

/* The only one of its name, in the plain form: RFC 2231 has others. */
static enum rc find_boundary(struct cursor *params, struct slice *boundary)
{
    struct mime_param param;
    bool is_found = false;
    enum rc rc;
    while ((rc = mime_next_param(params, &param)) == RC_OK) {
        if (!slice_starts_nocase(param.name, SLICE("boundary")))
            continue;
        if (is_found || param.name.len > strlen("boundary")
            || !is_boundary(&param))
            return RC_SYNTAX;
        is_found = true;
        *boundary = param.value;
    }
    return rc == RC_NONE && is_found ? RC_OK : RC_SYNTAX;
}

static enum mime_form message_form(struct slice subtype)
{
    if (slice_equal_nocase(subtype, SLICE("rfc822")))
        return MIME_MESSAGE;
    /* RFC 6532 section 3.7 and RFC 6533 section 4 let these be encoded. */
    return slice_starts_nocase(subtype, SLICE("global")) ? MIME_TEXT
                                                         : MIME_FIXED;
}

/* A type without a subtype is text or data to all readers; what is named a
 * multipart has parts to some of them, so these must be found. */
static enum rc read_type(struct slice value, struct mime *mime)
{
    struct cursor cursor = cursor_of(value);
    struct slice type;
    struct slice subtype;
    if (mime_take_type(&cursor, &type, &subtype) != RC_OK)
        return RC_SYNTAX;
    if (slice_equal_nocase(type, SLICE("multipart"))) {
        mime->form = slice_equal_nocase(subtype, SLICE("signed"))
                         ? MIME_SIGNED
                         : MIME_MULTIPART;
        mime->is_digest = slice_equal_nocase(subtype, SLICE("digest"));
        return find_boundary(&cursor, &mime->boundary);
    }
    if (slice_equal_nocase(type, SLICE("message")))
        mime->form = message_form(subtype);
    else
        mime->form =
            slice_equal_nocase(type, SLICE("text")) ? MIME_TEXT : MIME_DATA;
    return RC_OK;
}

static enum mime_encoding read_encoding(struct slice value)
{
    const struct slice word = slice_trim(value);
    if (slice_equal_nocase(word, SLICE("7bit"))
        || slice_equal_nocase(word, SLICE("8bit")))
        return MIME_PLAIN;
    if (slice_equal_nocase(word, SLICE("binary")))
        return MIME_BINARY;
    if (slice_equal_nocase(word, SLICE("quoted-printable"))
        || slice_equal_nocase(word, SLICE("base64")))
        return MIME_ENCODED;
    return MIME_UNKNOWN;
}

static enum rc read_field(const struct header_field *field, struct mime *mime)
{
    if (slice_equal_nocase(field->name, SLICE("MIME-Version"))) {
        mime->has_version = true;
    } else if (slice_equal_nocase(field->name, SLICE("Content-Type"))) {
        if (mime->has_type)
            return RC_SYNTAX;
        mime->has_type = true;
        return read_type(field->value, mime);
    } else if (slice_equal_nocase(field->name,
                                  SLICE("Content-Transfer-Encoding"))) {
        if (mime->has_encoding)
            return RC_SYNTAX;
        mime->has_encoding = true;
        mime->encoding = read_encoding(field->value);
    }
    return RC_OK;
}

enum rc mime_read(struct slice header, bool in_digest, struct mime *mime)
{
    struct mime found = {
        .form = in_digest ? MIME_MESSAGE : MIME_TEXT,
        .encoding = MIME_PLAIN,
    };
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    while (header_next(&cursor, &field) == RC_OK)
        if (read_field(&field, &found) != RC_OK)
            return RC_SYNTAX;
    *mime = found;
    return RC_OK;
}

static bool is_delimiter(struct slice line, struct slice boundary,
                         struct mime_delimiter *delimiter)
{
    struct cursor cursor = cursor_of(line);
    if (!cursor_word(&cursor, SLICE("--"))
        || cursor_rest(&cursor).len < boundary.len
        || memcmp(cursor.at, boundary.ptr, boundary.len) != 0)
        return false;
    cursor.at += boundary.len;
    delimiter->is_last = cursor_word(&cursor, SLICE("--"));
    delimiter->line = line;
    return slice_is_empty(slice_trim(cursor_rest(&cursor)));
}

bool mime_next_delimiter(struct cursor *lines, struct slice boundary,
                         struct mime_delimiter *delimiter)
{
    struct cursor ahead = *lines;
    while (!cursor_done(&ahead)) {
        const struct slice rest = cursor_rest(&ahead);
        const struct slice line = slice_head(rest, slice_find(rest, '\n') + 1);
        ahead.at += line.len;
        struct mime_delimiter found;
        if (is_delimiter(line, boundary, &found)) {
            *delimiter = found;
            *lines = ahead;
            return true;
        }
    }
    return false;
}
