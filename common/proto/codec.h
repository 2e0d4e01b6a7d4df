/*
 * codec.h - base64 (RFC 4648 section 4) and xtext (RFC 3461 section 4).
 *
 *     xtext   = *( xchar / hexchar )
 *     xchar   = any ASCII CHAR between "!" (33) and "~" (126) inclusive,
 *               except for "+" and "="
 *     hexchar = "+" two upper-case hexadecimal digits
 *
 * Base64 is strict: the standard alphabet, padding, no line breaks or blanks,
 * and no bits set that padding cuts off, so that each text has one meaning.
 * Hexadecimal digits of xtext are read in either case.
 */
#ifndef COMMON_PROTO_CODEC_H
#define COMMON_PROTO_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

/* Bytes of base64 text for `len` bytes. */
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Append to `out`; false, with `out` unchanged, when it has no room. */
bool base64_encode(struct slice bytes, struct buf *out);
bool xtext_encode(struct slice bytes, struct buf *out);

/* Append to `out`. RC_OK, RC_SYNTAX, RC_LIMIT when `out` has no room; on both
 * `out` is unchanged. */
enum rc base64_decode(struct slice text, struct buf *out) must_check;
enum rc xtext_decode(struct slice text, struct buf *out) must_check;

bool xtext_is_valid(struct slice text);

#endif
