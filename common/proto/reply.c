/* reply.c - one SMTP reply out of the bytes a server sent. */
#include "common/proto/reply.h"

#include "common/base/chars.h"
#include "common/proto/escape.h"

#define CODE_LEN 3

struct line {
    uint16_t code;
    bool is_last;
    struct slice text;
};

/* Reads one line given without its end. */
static bool read_line(struct slice bytes, struct line *line)
{
    uint64_t code = 0;
    if (!slice_number(slice_head(bytes, CODE_LEN), 599, &code) || code < 200)
        return false;
    *line = (struct line){
        .code = (uint16_t)code,
        .is_last = true,
        .text = slice_from(bytes, CODE_LEN),
    };
    if (bytes.len == CODE_LEN) /* "250" CRLF: section 4.2 wants it accepted */
        return true;
    char separator = bytes.ptr[CODE_LEN];
    if (separator != ' ' && separator != '-')
        return false;
    line->is_last = separator == ' ';
    line->text = slice_from(bytes, CODE_LEN + 1);
    return true;
}

/* Takes the bytes up to a CRLF or LF, without it. RC_MORE, RC_LIMIT. */
static enum rc take_line(struct cursor *cursor, struct slice *bytes)
{
    struct slice window = slice_head(cursor_rest(cursor), REPLY_LINE_MAX);
    size_t end = slice_find(window, '\n');
    if (end == window.len)
        return window.len == REPLY_LINE_MAX ? RC_LIMIT : RC_MORE;
    cursor->at += end + 1;
    *bytes = slice_head(window, end);
    if (end > 0 && window.ptr[end - 1] == '\r')
        bytes->len--;
    return RC_OK;
}

bool reply_next_line(struct cursor *lines, struct slice *text)
{
    struct slice bytes;
    struct line line;
    if (take_line(lines, &bytes) != RC_OK || !read_line(bytes, &line))
        return false;
    *text = line.text;
    return true;
}

/* Servers repeat the enhanced code on each line: it is said once in ours. */
static void join_text(struct reply *reply)
{
    struct escape escape;
    escape_init(&escape, reply->text, sizeof reply->text);
    struct cursor lines = cursor_of(reply->whole);
    struct slice text;
    while (reply_next_line(&lines, &text)) {
        struct cursor at = cursor_of(text);
        struct enhanced enhanced;
        if (enhanced_take(&at, &enhanced)
            && enhanced.class == reply->code / 100u) {
            text = cursor_rest(&at);
            if (reply->enhanced.class == 0)
                reply->enhanced = enhanced;
        }
        text = slice_trim(text);
        if (escape.len > 0 && text.len > 0)
            escape_add(&escape, SLICE(" "));
        escape_add(&escape, text);
    }
}

/* Finds the last line of the reply that begins at the cursor. The text is read
 * only once the whole is there, so slow bytes cannot make us work twice. */
static enum rc find_end(struct cursor *cursor, struct reply *found)
{
    const char *from = cursor->at;
    for (found->lines = 1; found->lines <= REPLY_LINES_MAX; found->lines++) {
        struct slice bytes;
        enum rc rc = take_line(cursor, &bytes);
        if ((size_t)(cursor->at - from) > REPLY_BYTES_MAX)
            return RC_LIMIT;
        if (rc != RC_OK)
            return rc;
        struct line line;
        if (!read_line(bytes, &line))
            return RC_SYNTAX;
        if (found->lines > 1 && line.code != found->code)
            return RC_SYNTAX;
        found->code = line.code;
        if (line.is_last)
            return RC_OK;
    }
    return RC_LIMIT;
}

enum rc reply_take(struct cursor *cursor, struct reply *reply)
{
    struct cursor ahead = *cursor;
    struct reply found = { 0 };
    enum rc rc = find_end(&ahead, &found);
    if (rc != RC_OK)
        return rc;
    found.whole = slice_of(cursor->at, (size_t)(ahead.at - cursor->at));
    join_text(&found);
    *reply = found;
    *cursor = ahead;
    return RC_OK;
}
