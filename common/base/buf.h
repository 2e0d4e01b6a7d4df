/*
 * buf.h - a growing run of bytes with a cap.
 *
 *     ptr            ptr+start          ptr+start+len        ptr+size
 *      | already taken   | content            | room            |
 *
 * Content is taken from the front (buf_take) and added at the back. A buffer
 * never grows beyond `max`: an add that would is refused whole and leaves the
 * content as it was, with `full` set, so a caller may build a long text and ask
 * once at the end. Built output goes through here only; buf_addf is for texts
 * whose parts were checked at the edge where they came in.
 */
#ifndef COMMON_BASE_BUF_H
#define COMMON_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"

struct buf {
    char *ptr;
    size_t start;
    size_t len;
    size_t size;
    size_t max;
    bool full; /* an add was refused since the last buf_clear */
};

/* An empty buffer that holds at most `max` bytes; allocates nothing yet. */
void buf_init(struct buf *buf, size_t max);

/* Frees the bytes; the buffer may be used again with the same cap. */
void buf_release(struct buf *buf);

/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *buf);

/* The content; valid until the next change of the buffer. */
static inline struct slice buf_slice(const struct buf *buf)
{
    /* An empty buffer may have no memory at all; NULL + 0 is undefined in C. */
    return slice_of(buf->ptr ? buf->ptr + buf->start : NULL, buf->len);
}

/* Makes room for `len` more bytes and returns where they go, or NULL at the
 * cap. Follow it with buf_added(). */
char *buf_room(struct buf *buf, size_t len) must_check;

/* Sees to it that `len` bytes can be read behind the content, whatever they are:
 * for loops that read more than one byte at a time. They are none of the content
 * and may be beyond the cap. */
void buf_pad(struct buf *buf, size_t len);

/* Says that `len` bytes were written where buf_room() pointed. */
void buf_added(struct buf *buf, size_t len);

bool buf_add(struct buf *buf, struct slice bytes);
bool buf_add_byte(struct buf *buf, char byte);
bool buf_add_text(struct buf *buf, const char *text);
bool buf_add_number(struct buf *buf, uint64_t number);
bool buf_addf(struct buf *buf, const char *format, ...) printf_like(2, 3);

/* Drops `len` bytes from the front, len <= buf->len. */
void buf_take(struct buf *buf, size_t len);

/* Cuts the content to its first `len` bytes, len <= buf->len. */
void buf_cut(struct buf *buf, size_t len);

/* Gives the memory away: the content starts at the pointer returned, the
 * caller frees it with mem_free(); the buffer is empty afterwards. */
char *buf_steal(struct buf *buf, size_t *len) must_check;

#endif
