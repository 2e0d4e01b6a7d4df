/*
 * names.h - small numbers for names that come again and again.
 *
 * Tenants, sources and workers are named by text on disk and on the wire; in
 * memory a number stands for the name, from 0 in the order of first sight. A
 * name is never forgotten: their count is bounded by what the config has held.
 */
#ifndef ROUTER_LANES_NAMES_H
#define ROUTER_LANES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/slice.h"
#include "common/base/table.h"

struct name;

struct names {
    struct table by_text;
    struct name **items;
    size_t count;
    size_t size;
};

void names_init(struct names *names);
void names_release(struct names *names);

/* The number of a name, new or known. */
uint32_t names_number(struct names *names, struct slice text);

/* Without making one: false when the name was never seen. */
bool names_find(const struct names *names, struct slice text, uint32_t *number);

/* The name of a number that names_number() gave; lives as long as `names`. */
struct slice names_text(const struct names *names, uint32_t number);

#endif
