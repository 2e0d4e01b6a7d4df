/*
 * table.h - a hash table from numbers or texts to pointers.
 *
 * Open addressing, linear probing, at most 7/8 full; a removal closes the gap,
 * so that there are no tombstones. The table owns nothing but its slots: the
 * text of a key lives in the value, and a function of the user's tells whether
 * a value is the one of a text. One table has keys of one sort.
 *
 * Hashes are not keyed. Where strangers choose the keys (domains, addresses)
 * the number of entries is bounded by the user.
 */
#ifndef COMMON_BASE_TABLE_H
#define COMMON_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"

struct table_slot {
    uint64_t key; /* the number, or the hash of the text */
    void *value;  /* NULL: the slot is empty */
};

struct table {
    struct table_slot *slots;
    size_t size; /* 0 or a power of two */
    size_t count;
};

/* Is `value` the one called `text`? */
typedef bool table_is_fn(const void *value, struct slice text);

/* An empty table; allocates nothing yet. */
void table_init(struct table *table);

/* Frees the slots; the table is empty and may be used again. */
void table_release(struct table *table);

/* The value of a number; NULL when there is none. */
void *table_get(const struct table *table, uint64_t key);

/* `value` is not NULL; the key must not be in the table. */
void table_put(struct table *table, uint64_t key, void *value);

/* Takes the value out and returns it; NULL when there is none. */
void *table_take(struct table *table, uint64_t key);

/* The same with texts as keys. */
void *table_get_text(const struct table *table, struct slice text,
                     table_is_fn *is);
void table_put_text(struct table *table, struct slice text, void *value);
void *table_take_text(struct table *table, struct slice text, table_is_fn *is);

/* Walks over all values: begin with *at = 0; NULL at the end. The table must
 * not change meanwhile. */
void *table_next(const struct table *table, size_t *at);

#endif
