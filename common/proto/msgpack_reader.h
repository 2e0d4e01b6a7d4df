/*
 * msgpack_reader.h - takes msgpack values one by one from bytes nobody trusts.
 *
 * A pull parser: the caller says what must come next. Nothing is allocated and
 * nothing recurses, so no input can cost more than its own length; that is why
 * it stands here in place of msgpack-c's unpacker, which builds a tree first.
 * Like every cursor function these leave the cursor where it was when they
 * return false: the value is of another type, or it is cut off.
 *
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
#ifndef COMMON_PROTO_MSGPACK_READER_H
#define COMMON_PROTO_MSGPACK_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"

/* Takes the head of a map of *count pairs; the pairs follow. The count is the
 * sender's claim: check it before you believe it. */
bool msgpack_read_map(struct cursor *cursor, uint32_t *count);

/* Takes the head of an array of *count items; see msgpack_read_map(). */
bool msgpack_read_array(struct cursor *cursor, uint32_t *count);

/* Takes an integer that is not negative, of whatever width. */
bool msgpack_read_number(struct cursor *cursor, uint64_t *number);

bool msgpack_read_flag(struct cursor *cursor, bool *flag);

/* Takes a str or a bin; *bytes points into the input. */
bool msgpack_read_bytes(struct cursor *cursor, struct slice *bytes);

/* Takes one value of any type with all that is inside it. */
bool msgpack_skip(struct cursor *cursor);

#endif
