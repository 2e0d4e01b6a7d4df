/*
 * text.h - a growable run of bytes, and the JSON strings made from it.
 *
 * A text owns its bytes; `{ 0 }` is an empty one. It always has one byte more
 * than `len`, a NUL, so that text which holds none can be printed with %s.
 * This is a tool for tests: running out of memory ends the process, therefore
 * nothing here can fail.
 */
#ifndef RECEIVER_TEXT_H
#define RECEIVER_TEXT_H

#include <stddef.h>

struct text {
    char *bytes; /* NULL until something was added */
    size_t len;
    size_t room; /* bytes allocated */
};

/* Zeroed memory for `count` objects; ends the process when there is none. */
void *must_allocate(size_t count, size_t object_bytes);

void text_add(struct text *text, const void *bytes, size_t len);
void text_add_string(struct text *text, const char *string);
void text_addf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));

/* Adds `len` bytes as one quoted JSON string. Bytes that are not UTF-8 become
 * U+FFFD each, so that the result is JSON whatever a client sent. */
void text_add_json(struct text *text, const char *bytes, size_t len);

/* The bytes as a C string; "" for an empty text. Valid until the next add. */
const char *text_string(const struct text *text);

void text_set(struct text *text, const char *bytes, size_t len);
void text_drop_front(struct text *text, size_t len);
void text_clear(struct text *text);
void text_release(struct text *text);

#endif
