/* bytes.c - a byte string that grows, for what waits to be written. */
#include "bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_FIRST_BYTES = 4096 };

void bytes_release(struct bytes *bytes)
{
    free(bytes->ptr);
    *bytes = (struct bytes){ 0 };
}

void bytes_reserve(struct bytes *bytes, size_t extra)
{
    size_t cap = bytes->cap > 0 ? bytes->cap : CAP_FIRST_BYTES;
    while (cap - bytes->len < extra)
        cap *= 2;
    if (cap == bytes->cap)
        return;
    char *ptr = realloc(bytes->ptr, cap);
    if (ptr == NULL)
        abort();
    bytes->ptr = ptr;
    bytes->cap = cap;
}

void bytes_add(struct bytes *bytes, const void *ptr, size_t len)
{
    bytes_reserve(bytes, len);
    memcpy(bytes->ptr + bytes->len, ptr, len);
    bytes->len += len;
}

void bytes_add_text(struct bytes *bytes, const char *text)
{
    bytes_add(bytes, text, strlen(text));
}

void bytes_addf(struct bytes *bytes, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bytes_reserve(bytes, 256);
    size_t room = bytes->cap - bytes->len;
    int len = vsnprintf(bytes->ptr + bytes->len, room, format, args);
    va_end(args);
    if (len < 0)
        abort();
    if ((size_t)len >= room) {
        bytes_reserve(bytes, (size_t)len + 1);
        va_start(args, format);
        vsnprintf(bytes->ptr + bytes->len, (size_t)len + 1, format, args);
        va_end(args);
    }
    bytes->len += (size_t)len;
}

void bytes_drop(struct bytes *bytes, size_t len)
{
    if (len >= bytes->len) {
        bytes->len = 0;
        return;
    }
    memmove(bytes->ptr, bytes->ptr + len, bytes->len - len);
    bytes->len -= len;
}
