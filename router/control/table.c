/* table.c - rows of text in aligned columns. */
#include "router/control/table.h"

#include <stdarg.h>
#include <string.h>

#include "common/base/mem.h"

#define CELL_MAX 200

struct text_table {
    size_t columns;
    size_t *widths;
    char **cells;
    size_t count;
};

struct text_table *text_table_new(const char *const *heads, size_t columns)
{
    struct text_table *table = NEW(struct text_table);
    table->columns = columns;
    table->widths = mem_new(columns, sizeof *table->widths);
    for (size_t i = 0; i < columns; i++)
        text_table_add(table, heads[i]);
    return table;
}

void text_table_free(struct text_table **table)
{
    struct text_table *held = steal(*table);
    if (!held)
        return;
    for (size_t i = 0; i < held->count; i++)
        mem_free(held->cells[i]);
    mem_free(held->cells);
    mem_free(held->widths);
    mem_free(held);
}

void text_table_add(struct text_table *table, const char *text)
{
    size_t len = strnlen(text, CELL_MAX);
    size_t *width = &table->widths[table->count % table->columns];
    if (len > *width)
        *width = len;
    table->cells =
        mem_resize(table->cells, table->count + 1, sizeof *table->cells);
    table->cells[table->count++] = mem_copy_text(text, len);
}

void text_table_addf(struct text_table *table, const char *format, ...)
{
    char text[CELL_MAX + 1];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_table_add(table, text);
}

void text_table_print(const struct text_table *table, FILE *out)
{
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        if (column + 1 == table->columns)
            (void)fprintf(out, "%s\n", table->cells[i]);
        else
            (void)fprintf(out, "%-*s  ", (int)table->widths[column],
                          table->cells[i]);
    }
}
