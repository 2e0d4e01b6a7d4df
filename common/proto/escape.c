/* escape.c - making bytes of strangers safe to print. */
#include "common/proto/escape.h"

#include <string.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/proto/utf8.h"

void escape_init(struct escape *escape, char *text, size_t size)
{
    CHECK(size > 0);
    *escape = (struct escape){ .text = text, .size = size };
    text[0] = '\0';
}

static bool append(struct escape *escape, struct slice bytes)
{
    if (bytes.len >= escape->size - escape->len)
        return false;
    memcpy(escape->text + escape->len, bytes.ptr, bytes.len);
    escape->len += bytes.len;
    escape->text[escape->len] = '\0';
    return true;
}

static bool append_hex(struct escape *escape, char byte)
{
    static const char digits[] = "0123456789abcdef";
    unsigned value = (unsigned char)byte;
    const char code[] = { '\\', 'x', digits[value >> 4], digits[value & 15] };
    return append(escape, slice_of(code, sizeof code));
}

/* Well-formed characters that act on a terminal or reader instead of showing;
 * given as the bytes of their UTF-8. */
static bool is_acting(struct slice sequence)
{
    const unsigned char *byte = (const unsigned char *)sequence.ptr;
    if (sequence.len == 2)
        return byte[0] == 0xc2 && byte[1] < 0xa0; /* C1 */
    if (sequence.len != 3 || byte[0] != 0xe2)
        return false;
    if (byte[1] == 0x80) /* U+200E, U+200F, U+2028 to U+202E */
        return byte[2] == 0x8e || byte[2] == 0x8f
               || (byte[2] >= 0xa8 && byte[2] <= 0xae);
    return byte[1] == 0x81 && byte[2] >= 0xa6 && byte[2] <= 0xa9;
}

void escape_add(struct escape *escape, struct slice bytes)
{
    bool room = true;
    while (room && bytes.len > 0) {
        size_t len = utf8_sequence(bytes);
        struct slice head = slice_head(bytes, len > 0 ? len : 1);
        if (*head.ptr == '\t')
            room = append(escape, SLICE(" "));
        else if (len == 0 || char_is(*head.ptr, CHAR_CTRL) || is_acting(head))
            for (size_t i = 0; room && i < head.len; i++)
                room = append_hex(escape, head.ptr[i]);
        else
            room = append(escape, head);
        bytes = slice_from(bytes, head.len);
    }
    /* Once something did not fit, nothing shorter may follow in its place. */
    if (!room)
        escape->size = escape->len + 1;
}
