/*
 * wire_schema.h - which member of a frame travels under which key.
 *
 * One table per kind of frame; both directions of wire.c walk the same table,
 * so they cannot disagree. The key is the position in the table. A key is never
 * given a new meaning: a member that goes leaves a hole, a new one gets the
 * next key. For wire.c alone.
 */
#ifndef COMMON_PROTO_WIRE_SCHEMA_H
#define COMMON_PROTO_WIRE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/proto/wire.h"

enum wire_field_type {
    FIELD_NONE,   /* no such key */
    FIELD_NUMBER, /* unsigned or enum, of `size` bytes */
    FIELD_FLAG,
    FIELD_TEXT,  /* struct slice into the frame; no CR, LF, NUL */
    FIELD_CHARS, /* char array of `size` bytes, NUL-terminated; cut to fit */
    FIELD_LIST,  /* pointer to items, see struct wire_list */
    FIELD_RECORD /* struct, see struct wire_record */
};

struct wire_field {
    enum wire_field_type type;
    bool needed; /* without it the frame means nothing */
    size_t offset;
    size_t size;
    uint64_t max; /* of a number */
    const struct wire_list *list;
    const struct wire_record *record;
};

struct wire_list {
    struct wire_field item;
    size_t item_size;
    size_t count_offset; /* of the size_t that counts the items */
    size_t max;
};

struct wire_record {
    const struct wire_field *fields;
    size_t keys; /* one more than the last */
};

/* Keys of one record, so that a 32-bit mask holds those seen. */
#define WIRE_KEYS_MAX 32

/* The members of a frame's `as`; NULL when there is no such kind. */
const struct wire_record *wire_schema_of(size_t kind);

#endif
