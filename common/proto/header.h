/*
 * header.h - walking the header of a message, without copying it.
 *
 * RFC 5322 section 2.2 and 3.6.8, obsolete form of 4.5.8:
 *
 *     message       = *( field ) [ CRLF body ]
 *     field         = field-name *WSP ":" unstructured CRLF
 *     field-name    = 1*ftext           ; printable but ":"
 *     unstructured  = text, CRLF WSP being a fold
 *
 * Tolerant where it can be without guessing: lines may end in a lone LF, and
 * blanks may stand before the colon. A line that is no field ends the header,
 * and the walker says so; whether the message is refused then is the caller's
 * business.
 */
#ifndef COMMON_PROTO_HEADER_H
#define COMMON_PROTO_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define HEADER_NAME_MAX   128u    /* the longest registered one has 35 */
#define HEADER_FIELD_MAX  262144u /* a To: with thousands of addresses */
#define HEADER_MSG_ID_MAX 998u    /* a line, RFC 5322 section 2.1.1 */

/* All slices point into the input. */
struct header_field {
    struct slice name;
    struct slice
        value; /* behind the colon, folds included, last line end not */
    struct slice whole; /* the field's lines with all line ends */
};

/* Takes the next field.
 *
 * RC_OK      *field is filled, the cursor stands behind it
 * RC_NONE    the header is over: the cursor is at the body, the empty line is
 *            taken; or the input has ended
 * RC_SYNTAX  the next line is neither: the cursor is at this line
 * RC_LIMIT   the next field is too long: the cursor is at it
 */
enum rc header_next(struct cursor *cursor,
                    struct header_field *field) must_check;

/* Walks on to the next field called `name`, case ignored; false when the header
 * ends before one. To find the first, begin with cursor_of(message). */
bool header_find(struct cursor *cursor, struct slice name,
                 struct header_field *field);

/* Whether some field called `name` has a value that `pattern` matches (glob.h,
 * blanks at both ends of the value aside). An empty pattern matches any. */
bool header_matches(struct slice header, struct slice name,
                    struct slice pattern);

struct header_split {
    struct slice header; /* all fields with their line ends */
    struct slice body;   /* behind the empty line; empty when there is none */
};

/* Cuts a message at the end of its header. RC_OK; RC_SYNTAX or RC_LIMIT as
 * header_next(), with the body beginning at the line that stopped it. */
enum rc header_split(struct slice message,
                     struct header_split *split) must_check;

/* Appends a value in one line: folds are taken out (CR and LF vanish), blanks
 * at both ends, too. False, with `out` unchanged, when it has no room. */
bool header_unfold(struct slice value, struct buf *out);

/* Is the value of a Message-ID field one msg-id and nothing else?
 * RFC 5322 section 3.6.4, obsolete forms left out:
 *
 *     msg-id   = [CFWS] "<" id-left "@" id-right ">" [CFWS]
 *     id-left  = dot-atom-text
 *     id-right = dot-atom-text / "[" *dtext "]"
 */
bool header_is_msg_id(struct slice value);

/* Appends "<id@host>", the msg-id that we give a message without one. */
bool header_add_msg_id(uint64_t id, struct slice host, struct buf *out);

#endif
