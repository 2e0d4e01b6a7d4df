/*
 * sevenbit.h - a message with bytes over 127 made one without, that says the
 * same.
 *
 * For receivers without 8BITMIME (RFC 6152 section 3: a gateway may convert to
 * RFC 2045) or without SMTPUTF8. The message is a tree; only its leaves that
 * have such bytes are encoded, and all else is copied byte by byte:
 *
 *     message, part   its header's fields: ascii_field.h
 *     text/...        quoted-printable, or base64 when much is quoted
 *     other data      base64
 *     multipart/...   its parts; a preamble and an epilogue, which no reader
 *                     shows, get a "?" for each such byte
 *     message/rfc822  the message in it
 *
 * Content-Transfer-Encoding is set to what was done, on the way down to "7bit".
 * A message that lacks MIME-Version or, where a text was encoded, Content-Type
 * gets them: charset utf-8 when it is that, else unknown-8bit (RFC 1428).
 *
 * Refused, for it could not be read as before: multipart/signed, message/partial
 * and its like, an encoded part with bytes that no encoding has, header fields
 * as in ascii_field.h, and structures that two readers could take for different
 * ones. A boundary that never ends its multipart is none of these.
 *
 * Time is linear: each level of nesting reads its bytes three times at most.
 * What is written has at most SEVENBIT_MAX(len) bytes.
 */
#ifndef COMMON_PROTO_SEVENBIT_H
#define COMMON_PROTO_SEVENBIT_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define SEVENBIT_DEPTH_MAX 16u
#define SEVENBIT_LINE_MAX  998u

/* For the `max` of a buffer. Text grows by two fifths; what grows by more is a
 * multitude of tiny parts, which is no mail. */
#define SEVENBIT_MAX(len) ((len) + (len) / 2 + 65536u)

enum sevenbit_what {
    SEVENBIT_ALL,
    SEVENBIT_HEADER, /* of the message itself; the body is as it was */
};

/* Appends the converted message. It must be as DATA wants it: lines of at most
 * 998 bytes that end in CRLF, no NUL. RC_SYNTAX: cannot be converted safely;
 * RC_LIMIT: `out` has no room. On both `out` is unchanged. */
enum rc sevenbit_convert(struct slice message, enum sevenbit_what what,
                         struct buf *out) must_check;

/* Whether somebody signed the message, so that no byte of it may change: it
 * carries a DKIM-Signature (RFC 6376), or one of its kin. */
bool sevenbit_is_signed(struct slice message);

#endif
