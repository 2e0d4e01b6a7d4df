/*
 * encoded_word.h - text of a header field as encoded words, RFC 2047.
 *
 *     encoded-word = "=?" charset "?B?" base64 "?="        ; at most 75 bytes
 *
 * Charset is utf-8 when the text is that, else unknown-8bit (RFC 1428): nobody
 * told. Characters are never split between two words.
 */
#ifndef COMMON_PROTO_ENCODED_WORD_H
#define COMMON_PROTO_ENCODED_WORD_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/slice.h"

/* The charset's name, as above. */
struct slice encoded_word_charset(struct slice text);

/* Whether it has what a reader may take for an encoded word. Such text must not
 * be encoded once more, for some of it would then be shown as it is. */
bool encoded_word_is_near(struct slice text);

/* Appends the text without its CRs and LFs, as words each of which has a blank
 * before it; that begins a new line where the last line in `out` has no room.
 * False when `out` has none: then a part may be there. */
bool encoded_word_add(struct slice text, struct buf *out) must_check;

/* Bytes in the last line of `out`. */
size_t encoded_word_column(const struct buf *out);

#endif
