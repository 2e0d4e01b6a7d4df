/*
 * table.h - rows of text in aligned columns, for terminals.
 */
#ifndef ROUTER_CONTROL_TABLE_H
#define ROUTER_CONTROL_TABLE_H

#include <stdio.h>

#include "common/base/attr.h"

struct text_table;

/* `columns` heads of the columns, the first row. */
struct text_table *text_table_new(const char *const *heads,
                                  size_t columns) must_check;
void text_table_free(struct text_table **table);

/* The next cell of the row under way; a row is over when it is full. */
void text_table_add(struct text_table *table, const char *text);
void text_table_addf(struct text_table *table, const char *format, ...)
    printf_like(2, 3);

void text_table_print(const struct text_table *table, FILE *out);

#endif
