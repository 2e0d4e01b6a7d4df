/* codec.c - base64 (RFC 4648) and xtext (RFC 3461). */
#include "common/proto/codec.h"

#include "common/base/chars.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                               "uvwxyz0123456789+/";

/* 24 bits as four digits. */
static void put_group(uint32_t bits, char *text)
{
    for (int i = 0; i < 4; i++)
        text[i] = alphabet[bits >> (18 - 6 * i) & 63];
}

bool base64_encode(struct slice bytes, struct buf *out)
{
    char *text = buf_room(out, BASE64_LEN(bytes.len));
    if (!text)
        return bytes.len == 0;
    const unsigned char *byte = (const unsigned char *)bytes.ptr;
    size_t at = 0;
    for (; bytes.len - at >= 3; at += 3, text += 4)
        put_group((uint32_t)byte[at] << 16 | (uint32_t)byte[at + 1] << 8
                      | byte[at + 2],
                  text);
    if (at < bytes.len) {
        bool two = bytes.len - at == 2;
        put_group((uint32_t)byte[at] << 16
                      | (two ? (uint32_t)byte[at + 1] << 8 : 0),
                  text);
        text[3] = '=';
        if (!two)
            text[2] = '=';
    }
    buf_added(out, BASE64_LEN(bytes.len));
    return true;
}

/* Value of a digit; 64 when it is none. */
static uint32_t digit_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return (uint32_t)(digit - 'A');
    if (digit >= 'a' && digit <= 'z')
        return (uint32_t)(digit - 'a') + 26;
    if (digit >= '0' && digit <= '9')
        return (uint32_t)(digit - '0') + 52;
    if (digit == '+')
        return 62;
    return digit == '/' ? 63 : 64;
}

/* Four digits, of which the last `pads` are padding, as 24 bits. */
static bool read_group(const char *text, size_t pads, uint32_t *bits)
{
    *bits = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t value = i < 4 - pads ? digit_value(text[i]) : 0;
        if (value == 64)
            return false;
        *bits = *bits << 6 | value;
    }
    /* What the padding cuts off must be zero. */
    return (*bits & ((1u << 8 * pads) - 1)) == 0;
}

enum rc base64_decode(struct slice text, struct buf *out)
{
    if (text.len % 4 != 0)
        return RC_SYNTAX;
    if (text.len == 0)
        return RC_OK;
    size_t pads = 0;
    while (pads < 2 && text.ptr[text.len - 1 - pads] == '=')
        pads++;
    size_t len = text.len / 4 * 3 - pads;
    char *bytes = buf_room(out, len);
    if (!bytes)
        return RC_LIMIT;
    for (size_t at = 0, made = 0; at < text.len; at += 4) {
        uint32_t bits = 0;
        if (!read_group(text.ptr + at, at + 4 == text.len ? pads : 0, &bits))
            return RC_SYNTAX;
        for (int shift = 16; shift >= 0 && made < len; shift -= 8)
            bytes[made++] = (char)(bits >> shift & 0xff);
    }
    buf_added(out, len);
    return RC_OK;
}

bool xtext_encode(struct slice bytes, struct buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t before = out->len;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned value = (unsigned char)bytes.ptr[i];
        char code[] = { '+', digits[value >> 4], digits[value & 15] };
        bool plain = char_is(bytes.ptr[i], CHAR_XCHAR);
        if (!buf_add(out, plain ? slice_of(bytes.ptr + i, 1)
                                : slice_of(code, sizeof code))) {
            buf_cut(out, before);
            return false;
        }
    }
    return true;
}

/* Takes one xchar or hexchar; false when the next is neither. */
static bool take_xtext(struct cursor *cursor, char *byte)
{
    if (cursor_done(cursor))
        return false;
    if (char_is(*cursor->at, CHAR_XCHAR)) {
        *byte = *cursor->at++;
        return true;
    }
    if (*cursor->at != '+' || cursor_rest(cursor).len < 3)
        return false;
    int high = char_hex_value(cursor->at[1]);
    int low = char_hex_value(cursor->at[2]);
    if (high < 0 || low < 0)
        return false;
    *byte = (char)(high * 16 + low);
    cursor->at += 3;
    return true;
}

bool xtext_is_valid(struct slice text)
{
    struct cursor cursor = cursor_of(text);
    char byte = 0;
    while (take_xtext(&cursor, &byte))
        ;
    return cursor_done(&cursor);
}

enum rc xtext_decode(struct slice text, struct buf *out)
{
    if (!xtext_is_valid(text))
        return RC_SYNTAX;
    size_t before = out->len;
    struct cursor cursor = cursor_of(text);
    for (char byte = 0; take_xtext(&cursor, &byte);) {
        if (!buf_add_byte(out, byte)) {
            buf_cut(out, before);
            return RC_LIMIT;
        }
    }
    return RC_OK;
}
