/*
 * table.h - a hash table from strings to values of one fixed size.
 *
 * Holds everything that is counted by name: sources, greylist entries, reply
 * codes, kinds of violation. Values start zeroed, never move and live as long
 * as the table; nothing is ever removed, which suits the length of a test.
 */
#ifndef RECEIVER_TABLE_H
#define RECEIVER_TABLE_H

#include <stddef.h>

struct entry;

struct table {
    struct entry **slots;
    size_t slot_count; /* a power of two */
    size_t entry_count;
    size_t value_bytes;
};

typedef void table_visit_fn(const char *key, void *value, void *context);

void table_init(struct table *table, size_t value_bytes);
void table_release(struct table *table);

/* The value of `key`, made and zeroed if it is new. */
void *table_at(struct table *table, const char *key);

/* Calls `visit` once for each entry, in no special order. */
void table_each(const struct table *table, table_visit_fn *visit,
                void *context);

#endif
