/*
 * utf8.h - is it UTF-8, is it ASCII? RFC 3629 section 4.
 *
 * Well-formed means: no overlong forms, no surrogates, at most U+10FFFF.
 */
#ifndef COMMON_PROTO_UTF8_H
#define COMMON_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/slice.h"

/* Length of the well-formed sequence that `bytes` begin with; 0: none. */
size_t utf8_sequence(struct slice bytes);

bool utf8_is_valid(struct slice bytes);

/* No byte over 127. Fast enough for whole bodies. */
bool utf8_is_ascii(struct slice bytes);

#endif
