/*
 * escape.h - making bytes of strangers safe to print.
 *
 * What comes out is one line of valid UTF-8 that no terminal, log reader or
 * mail header takes for something else. Printable ASCII and valid UTF-8 stay
 * as they are; each byte of everything else becomes \xNN: control bytes,
 * invalid UTF-8, the C1 controls (U+0080 to U+009F), the line and paragraph
 * separators, and the marks that turn the direction of text (U+200E, U+200F,
 * U+202A to U+202E, U+2066 to U+2069). A tab becomes a space. The backslash
 * stays single: the result is for people, not for decoding.
 */
#ifndef COMMON_PROTO_ESCAPE_H
#define COMMON_PROTO_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/slice.h"

/* A NUL-terminated text in a caller's array, cut between characters when it is
 * full. */
struct escape {
    char *text;
    size_t size; /* of the array, at least 1 */
    size_t len;
};

void escape_init(struct escape *escape, char *text, size_t size);

/* Appends the escaped form of `bytes`. */
void escape_add(struct escape *escape, struct slice bytes);

#endif
