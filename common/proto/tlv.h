/*
 * tlv.h - tags, lengths and values: how we pack what only we read back.
 *
 * A packed text is a run of fields. A field is a key and a value:
 *
 *     key    varint: tag * 2 + (1 when the value is bytes, 0 when a number)
 *     value  a number: varint         bytes: varint length, then the bytes
 *
 * A varint carries seven bits a byte, lowest first; the top bit says that more
 * follow. It has one form only: at most ten bytes, no needless zero at its end.
 * A reader that does not know a tag can still step over it. What repeated and
 * missing tags mean is for the user of this file to say.
 */
#ifndef COMMON_PROTO_TLV_H
#define COMMON_PROTO_TLV_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define TLV_TAG_MAX    0x7fffffffu
#define TLV_VARINT_MAX 10 /* bytes of the longest varint */

struct tlv_field {
    uint32_t tag;
    bool is_bytes;
    uint64_t number;    /* when not is_bytes */
    struct slice bytes; /* when is_bytes; points into what is read */
};

/* Appends one field; false when it does not fit (buf->full is set). */
bool tlv_add_number(struct buf *buf, uint32_t tag, uint64_t number);
bool tlv_add_bytes(struct buf *buf, uint32_t tag, struct slice bytes);

/* Takes the next field: RC_OK; RC_NONE at the end; RC_SYNTAX, and the cursor
 * stays, when no whole field comes next. */
enum rc tlv_next(struct cursor *cursor, struct tlv_field *field) must_check;

/* How many fields of the whole of `fields` have the tag. RC_OK; RC_SYNTAX when
 * one is not whole; RC_LIMIT when more than `max` have it. */
enum rc tlv_count(struct slice fields, uint32_t tag, size_t max,
                  size_t *count) must_check;

#endif
