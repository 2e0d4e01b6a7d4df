/* buf.c - a growing run of bytes with a cap. */
#include "common/base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/mem.h"

#define BUF_SIZE_MIN 256

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){ .max = max };
}

void buf_release(struct buf *buf)
{
    mem_free(buf->ptr);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->start = 0;
    buf->len = 0;
    buf->full = false;
}

/* Moves the content to the front when that alone makes the room: cheaper than
 * growing, and it keeps a buffer that is drained and filled at one size. */
static void compact(struct buf *buf)
{
    if (buf->start == 0)
        return;
    if (buf->len > 0)
        memmove(buf->ptr, buf->ptr + buf->start, buf->len);
    buf->start = 0;
}

static size_t grown(const struct buf *buf, size_t need, size_t max)
{
    size_t size = buf->size < BUF_SIZE_MIN ? BUF_SIZE_MIN : buf->size;
    while (size < need)
        size *= 2;
    return size < max ? size : max;
}

/* Memory for `len` bytes behind the content, in all at most `max`. */
static void make_room(struct buf *buf, size_t len, size_t max)
{
    if (buf->ptr && buf->start + buf->len + len <= buf->size)
        return;
    compact(buf);
    if (buf->ptr && buf->len + len <= buf->size)
        return;
    buf->size = grown(buf, buf->len + len, max);
    buf->ptr = mem_resize(buf->ptr, buf->size, 1);
}

char *buf_room(struct buf *buf, size_t len)
{
    if (len > buf->max || buf->len > buf->max - len) {
        buf->full = true;
        return NULL;
    }
    make_room(buf, len, buf->max);
    return buf->ptr + buf->start + buf->len;
}

void buf_pad(struct buf *buf, size_t len)
{
    make_room(buf, len, buf->len + len);
}

void buf_added(struct buf *buf, size_t len)
{
    CHECK(buf->start + buf->len + len <= buf->size);
    buf->len += len;
}

bool buf_add(struct buf *buf, struct slice bytes)
{
    char *room = buf_room(buf, bytes.len);
    if (!room)
        return bytes.len == 0 && !buf->full;
    if (bytes.len > 0)
        memcpy(room, bytes.ptr, bytes.len);
    buf->len += bytes.len;
    return true;
}

bool buf_add_byte(struct buf *buf, char byte)
{
    return buf_add(buf, slice_of(&byte, 1));
}

bool buf_add_text(struct buf *buf, const char *text)
{
    return buf_add(buf, slice_text(text));
}

bool buf_add_number(struct buf *buf, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return buf_add(buf, slice_of(digits + at, sizeof digits - at));
}

bool buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);

    /* vsnprintf writes a NUL behind the text: ask for its room, too. */
    char *room = buf_room(buf, (size_t)len + 1);
    if (room) {
        (void)vsnprintf(room, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    return room != NULL;
}

void buf_take(struct buf *buf, size_t len)
{
    CHECK(len <= buf->len);
    buf->start += len;
    buf->len -= len;
    if (buf->len == 0)
        buf->start = 0;
}

void buf_cut(struct buf *buf, size_t len)
{
    CHECK(len <= buf->len);
    buf->len = len;
}

char *buf_steal(struct buf *buf, size_t *len)
{
    compact(buf);
    char *memory = buf->ptr;
    *len = buf->len;
    buf_init(buf, buf->max);
    return memory;
}
