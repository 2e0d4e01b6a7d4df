/* header.c - walking the header of a message, without copying it. */
#include "common/proto/header.h"

#include "common/base/chars.h"
#include "common/base/chunk.h"
#include "common/base/glob.h"
#include "common/proto/message_id.h"
#include "common/proto/token.h"

/* Up to the next LF, which is taken as well, or to the end. */
static void skip_line(struct cursor *cursor)
{
    struct slice rest = cursor_rest(cursor);
    size_t end = slice_find(rest, '\n');
    cursor->at += end < rest.len ? end + 1 : end;
}

/* Takes a line with nothing in it. */
static bool take_empty_line(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    (void)cursor_byte(&ahead, '\r');
    if (!cursor_byte(&ahead, '\n'))
        return false;
    *cursor = ahead;
    return true;
}

static struct slice without_line_end(struct slice line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Takes a name, sixteen letters at a time: a name is short, but how short is as
 * good as chance. */
static void skip_name(struct cursor *cursor)
{
    size_t len = CHUNK_BYTES;
    while (len == CHUNK_BYTES
           && cursor->end - cursor->at >= (ptrdiff_t)CHUNK_BYTES) {
        const chunk bytes = chunk_read(cursor->at);
        const chunk printable = chunk_below(bytes - '!', '~' - '!' + 1);
        len = chunk_first(~printable | chunk_is(bytes, ':'));
        cursor->at += len;
    }
    while (!cursor_done(cursor) && char_is(*cursor->at, CHAR_FTEXT))
        cursor->at++;
}

enum rc header_next(struct cursor *cursor, struct header_field *field)
{
    if (cursor_done(cursor) || take_empty_line(cursor))
        return RC_NONE;

    struct cursor ahead = *cursor;
    skip_name(&ahead);
    struct header_field found;
    found.name = slice_of(cursor->at, (size_t)(ahead.at - cursor->at));
    if (!cursor_done(&ahead) && char_is(*ahead.at, CHAR_BLANK))
        cursor_blanks(&ahead);
    if (found.name.len == 0 || !cursor_byte(&ahead, ':'))
        return RC_SYNTAX;
    const char *value = ahead.at;
    do {
        skip_line(&ahead);
    } while (!cursor_done(&ahead) && char_is(*ahead.at, CHAR_BLANK));

    found.whole = slice_of(cursor->at, (size_t)(ahead.at - cursor->at));
    if (found.name.len > HEADER_NAME_MAX || found.whole.len > HEADER_FIELD_MAX)
        return RC_LIMIT;
    found.value = without_line_end(slice_of(value, (size_t)(ahead.at - value)));
    *field = found;
    *cursor = ahead;
    return RC_OK;
}

bool header_find(struct cursor *cursor, struct slice name,
                 struct header_field *field)
{
    struct header_field next;
    while (header_next(cursor, &next) == RC_OK) {
        if (slice_equal_nocase(next.name, name)) {
            *field = next;
            return true;
        }
    }
    return false;
}

bool header_matches(struct slice header, struct slice name,
                    struct slice pattern)
{
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    while (header_find(&cursor, name, &field))
        if (slice_is_empty(pattern)
            || glob_match(pattern, slice_trim(field.value)))
            return true;
    return false;
}

enum rc header_split(struct slice message, struct header_split *split)
{
    struct cursor cursor = cursor_of(message);
    const char *end = cursor.at;
    struct header_field field;
    enum rc rc;
    while ((rc = header_next(&cursor, &field)) == RC_OK)
        end = cursor.at;
    split->header = slice_of(message.ptr, (size_t)(end - message.ptr));
    split->body = cursor_rest(&cursor);
    return rc == RC_NONE ? RC_OK : rc;
}

bool header_unfold(struct slice value, struct buf *out)
{
    size_t before = out->len;
    value = slice_trim(value);
    while (value.len > 0) {
        size_t run = 0;
        while (run < value.len && value.ptr[run] != '\r'
               && value.ptr[run] != '\n')
            run++;
        if (!buf_add(out, slice_head(value, run))) {
            buf_cut(out, before);
            return false;
        }
        value = slice_from(value, run + 1);
    }
    return true;
}

bool header_is_msg_id(struct slice value)
{
    struct slice text = slice_trim(value);
    struct cursor cursor = cursor_of(text);
    if (text.len > HEADER_MSG_ID_MAX || !cursor_byte(&cursor, '<')
        || !token_dot_atom(&cursor) || !cursor_byte(&cursor, '@'))
        return false;
    bool right = token_literal(&cursor) || token_dot_atom(&cursor);
    return right && cursor_byte(&cursor, '>') && cursor_done(&cursor);
}

bool header_add_msg_id(uint64_t id, struct slice host, struct buf *out)
{
    char text[ID_TEXT_SIZE];
    return buf_addf(out, "<%s@%.*s>", id_format(id, text), SLICE_ARG(host));
}
