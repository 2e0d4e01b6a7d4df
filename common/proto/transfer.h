/*
 * transfer.h - content transfer encodings: any bytes as lines of ASCII.
 *
 * RFC 2045 sections 6.7 (quoted-printable) and 6.8 (base64). Lines hold at most
 * 76 bytes. The bytes are in canonical form: what is text has lines that end in
 * CRLF, and these stay the ends of lines in quoted-printable. No CRLF is added
 * behind the last line: in a multipart it belongs to the boundary that follows.
 *
 * No line of the result begins with "--", so that none can be mistaken for the
 * boundary of a multipart around it, whatever that is.
 */
#ifndef COMMON_PROTO_TRANSFER_H
#define COMMON_PROTO_TRANSFER_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/slice.h"

/* Whether quoted-printable makes no more of it than base64 does, about: at most
 * one byte in six has to be quoted. Whichever is chosen by this, the result is
 * at most two fifths longer, and 4 bytes. */
bool transfer_is_quotable(struct slice bytes);

/* Append to `out`; false when it has no room: then a part may be there. */
bool transfer_quote(struct slice bytes, struct buf *out) must_check;
bool transfer_base64(struct slice bytes, struct buf *out) must_check;

#endif
