/* text.c - a growable run of bytes, and the JSON strings made from it. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_ROOM_MIN 256u

void *must_allocate(size_t count, size_t object_bytes)
{
    void *memory = calloc(count, object_bytes);

    if (memory == NULL)
        abort();
    return memory;
}

static void text_reserve(struct text *text, size_t more)
{
    const size_t needed = text->len + more + 1;
    size_t room = text->room > 0 ? text->room : TEXT_ROOM_MIN;

    if (needed <= text->room)
        return;
    while (room < needed)
        room *= 2;
    char *bytes = realloc(text->bytes, room);
    if (bytes == NULL)
        abort();
    text->bytes = bytes;
    text->room = room;
}

void text_add(struct text *text, const void *bytes, size_t len)
{
    text_reserve(text, len);
    if (len > 0)
        memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_list again;

    va_start(arguments, format);
    va_copy(again, arguments);
    const int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (len < 0)
        abort();
    text_reserve(text, (size_t)len);
    (void)vsnprintf(text->bytes + text->len, (size_t)len + 1, format, again);
    va_end(again);
    text->len += (size_t)len;
}

/* Length of the UTF-8 character that `bytes` starts with, 0 if it is none.
 * The four exceptions are those of RFC 3629, section 4. */
static size_t utf8_length(const unsigned char *bytes, size_t len)
{
    size_t wanted = 0;

    if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf)
        wanted = 2;
    else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef)
        wanted = 3;
    else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4)
        wanted = 4;
    if (wanted == 0 || wanted > len)
        return 0;
    if ((bytes[0] == 0xe0 && bytes[1] < 0xa0)
        || (bytes[0] == 0xed && bytes[1] > 0x9f)
        || (bytes[0] == 0xf0 && bytes[1] < 0x90)
        || (bytes[0] == 0xf4 && bytes[1] > 0x8f))
        return 0;
    for (size_t i = 1; i < wanted; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    return wanted;
}

void text_add_json(struct text *text, const char *bytes, size_t len)
{
    const unsigned char *at = (const unsigned char *)bytes;

    text_add(text, "\"", 1);
    for (size_t i = 0; i < len;) {
        size_t step = 1;

        if (at[i] == '"' || at[i] == '\\') {
            text_addf(text, "\\%c", at[i]);
        } else if (at[i] < 0x20 || at[i] == 0x7f) {
            text_addf(text, "\\u%04x", (unsigned)at[i]);
        } else if (at[i] < 0x80) {
            text_add(text, at + i, 1);
        } else if ((step = utf8_length(at + i, len - i)) > 0) {
            text_add(text, at + i, step);
        } else {
            text_add_string(text, "\\ufffd");
            step = 1;
        }
        i += step;
    }
    text_add(text, "\"", 1);
}

const char *text_string(const struct text *text)
{
    return text->bytes == NULL ? "" : text->bytes;
}

void text_set(struct text *text, const char *bytes, size_t len)
{
    text_clear(text);
    text_add(text, bytes, len);
}

void text_drop_front(struct text *text, size_t len)
{
    if (len == 0)
        return;
    text->len -= len;
    memmove(text->bytes, text->bytes + len, text->len);
    text->bytes[text->len] = '\0';
}

void text_clear(struct text *text)
{
    text->len = 0;
    if (text->bytes != NULL)
        text->bytes[0] = '\0';
}

void text_release(struct text *text)
{
    free(text->bytes);
    *text = (struct text){ 0 };
}
