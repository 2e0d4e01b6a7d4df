/* encoded_word.c - text of a header field as encoded words, RFC 2047. */
#include "common/proto/encoded_word.h"

#include "common/proto/codec.h"
#include "common/proto/utf8.h"

#define COLUMN_MAX  76u
#define TEXT_MAX    42u /* a word of unknown-8bit then has 75 bytes */
#define FRAME_BYTES 7u  /* of a word, but for its charset and text */

struct slice encoded_word_charset(struct slice text)
{
    return utf8_is_valid(text) ? SLICE("utf-8") : SLICE("unknown-8bit");
}

bool encoded_word_is_near(struct slice text)
{
    return slice_find_slice(text, SLICE("=?")) < text.len;
}

size_t encoded_word_column(const struct buf *out)
{
    const struct slice built = buf_slice(out);
    size_t column = 0;
    while (column < built.len && built.ptr[built.len - 1 - column] != '\n')
        column++;
    return column;
}

/* How much of the text a word takes: whole characters. */
static size_t word_len(struct slice text, bool is_utf8)
{
    if (text.len <= TEXT_MAX)
        return text.len;
    size_t len = TEXT_MAX;
    while (is_utf8 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static bool add_words(struct slice text, struct buf *out)
{
    const struct slice charset = encoded_word_charset(text);
    const bool is_utf8 = utf8_is_valid(text);
    while (text.len > 0) {
        const size_t len = word_len(text, is_utf8);
        const size_t bytes = FRAME_BYTES + charset.len + BASE64_LEN(len);
        if (encoded_word_column(out) + 1 + bytes > COLUMN_MAX
            && !buf_add(out, SLICE("\r\n")))
            return false;
        if (!buf_add(out, SLICE(" =?")) || !buf_add(out, charset)
            || !buf_add(out, SLICE("?B?"))
            || !base64_encode(slice_head(text, len), out)
            || !buf_add(out, SLICE("?=")))
            return false;
        text = slice_from(text, len);
    }
    return true;
}

bool encoded_word_add(struct slice text, struct buf *out)
{
    struct buf line;
    buf_init(&line, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\r' && text.ptr[i] != '\n')
            (void)buf_add_byte(&line, text.ptr[i]);
    const bool is_added = add_words(buf_slice(&line), out);
    buf_release(&line);
    return is_added;
}
