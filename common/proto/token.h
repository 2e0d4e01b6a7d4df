/*
 * token.h - pieces of grammar that several parsers of mail share.
 *
 * As in slice.h, the cursor stays where it is when the answer is false.
 */
#ifndef COMMON_PROTO_TOKEN_H
#define COMMON_PROTO_TOKEN_H

#include <stdbool.h>

#include "common/base/slice.h"

/* Between two positions of the same input. */
static inline struct slice token_between(const char *from, const char *end)
{
    return slice_of(from, (size_t)(end - from));
}

/* Is `byte` the next one? Takes nothing. */
static inline bool token_is_next(const struct cursor *cursor, char byte)
{
    return cursor->at != cursor->end && *cursor->at == byte;
}

/* RFC 5322 section 3.2.3, RFC 6532 section 3.2:
 *
 *     dot-atom-text = 1*atext *("." 1*atext)     ; atext with bytes over 127
 */
bool token_dot_atom(struct cursor *cursor);

/* RFC 5322 section 3.4.1, without blanks:
 *
 *     literal = "[" *dtext "]"
 *     dtext   = %d33-90 / %d94-126
 */
bool token_literal(struct cursor *cursor);

#endif
