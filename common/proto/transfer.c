/* transfer.c - content transfer encodings: any bytes as lines of ASCII. */
#include "common/proto/transfer.h"

#include "common/base/chars.h"
#include "common/proto/codec.h"

#define LINE_MAX_BYTES 76u
#define BASE64_LINE_BYTES                                                      \
    ((size_t)LINE_MAX_BYTES / 4 * 3) /* what a line carries */
#define QUOTED_IN_MAX 6u

static bool must_quote(char byte)
{
    return byte == '=' || char_is(byte, CHAR_UTF8)
           || (char_is(byte, CHAR_CTRL) && byte != '\t');
}

bool transfer_is_quotable(struct slice bytes)
{
    size_t quoted = 0;
    for (size_t i = 0; i < bytes.len; i++)
        quoted += must_quote(bytes.ptr[i]) && bytes.ptr[i] != '\r'
                  && bytes.ptr[i] != '\n';
    return quoted <= bytes.len / QUOTED_IN_MAX;
}

bool transfer_base64(struct slice bytes, struct buf *out)
{
    for (bool is_first = true; bytes.len > 0; is_first = false) {
        if ((!is_first && !buf_add(out, SLICE("\r\n")))
            || !base64_encode(slice_head(bytes, BASE64_LINE_BYTES), out))
            return false;
        bytes = slice_from(bytes, BASE64_LINE_BYTES);
    }
    return true;
}

/* A line of quoted-printable that grows. */
struct line {
    char text[LINE_MAX_BYTES + 2];
    size_t len;
    struct buf *out;
};

/* Ends the line with `end`, which has a place behind its 75 bytes. */
static bool end_line(struct line *line, struct slice end)
{
    memcpy(line->text + line->len, end.ptr, end.len);
    const size_t len = line->len + end.len;
    line->len = 0;
    return buf_add(line->out, slice_of(line->text, len));
}

/* A line that is full goes on behind a soft break; RFC 2045 section 6.7 (5). */
static bool make_room(struct line *line, size_t len)
{
    return line->len + len <= LINE_MAX_BYTES - 1
           || end_line(line, SLICE("=\r\n"));
}

static bool put_literal(struct line *line, char byte)
{
    line->text[line->len++] = byte;
    return true;
}

static bool put_quoted(struct line *line, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned value = (unsigned char)byte;
    if (!make_room(line, 3))
        return false;
    line->text[line->len++] = '=';
    line->text[line->len++] = digits[value >> 4];
    line->text[line->len++] = digits[value & 15];
    return true;
}

/* Blanks at the end of a line do not survive all transports; and no line may
 * begin with "--". */
static bool is_in_danger(const struct line *line, char byte, struct slice after)
{
    const bool ends_line = after.len == 0 || after.ptr[0] == '\r';
    if (char_is(byte, CHAR_BLANK))
        return ends_line;
    return byte == '-' && line->len == 0 && !ends_line && after.ptr[0] == '-';
}

static bool put(struct line *line, char byte, struct slice after)
{
    if (must_quote(byte))
        return put_quoted(line, byte);
    if (!make_room(line, 1))
        return false;
    return is_in_danger(line, byte, after) ? put_quoted(line, byte)
                                           : put_literal(line, byte);
}

bool transfer_quote(struct slice bytes, struct buf *out)
{
    struct line line = { .out = out };
    for (size_t i = 0; i < bytes.len; i++) {
        const struct slice after = slice_from(bytes, i + 1);
        if (bytes.ptr[i] == '\r' && after.len > 0 && after.ptr[0] == '\n') {
            if (!end_line(&line, SLICE("\r\n")))
                return false;
            i++;
        } else if (!put(&line, bytes.ptr[i], after)) {
            return false;
        }
    }
    return end_line(&line, SLICE(""));
}
