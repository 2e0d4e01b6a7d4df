/*
 * bytes.h - a byte string that grows, for what waits to be written.
 *
 * Both load tools stand on it. Memory is plain malloc: a tool that cannot
 * get a few kilobytes has nothing left to measure, so failure aborts.
 * An all-zero struct is an empty string; bytes_release() gives it back.
 */
#ifndef TESTS_TOOLS_LOAD_BYTES_H
#define TESTS_TOOLS_LOAD_BYTES_H

#include <stddef.h>

struct bytes {
    char *ptr;
    size_t len;
    size_t cap;
};

void bytes_release(struct bytes *bytes);

/* Makes room for `extra` more bytes behind what is there. */
void bytes_reserve(struct bytes *bytes, size_t extra);

void bytes_add(struct bytes *bytes, const void *ptr, size_t len);
void bytes_add_text(struct bytes *bytes, const char *text);
void bytes_addf(struct bytes *bytes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops the first `len` bytes, at most all. */
void bytes_drop(struct bytes *bytes, size_t len);

#endif
