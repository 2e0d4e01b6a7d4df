/*
 * values.h - one setting: from a node to a member, checked by its type.
 *
 * values_store() has one small function per type. It knows nothing of groups,
 * lists and references, which are the walk's (fill.h).
 */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include "config/fill.h"

/* A setting under way. */
struct values_spot {
    struct fill *fill;
    const struct schema_key *key;
    const struct node *node;
    const char *path; /* of the object, for messages */
    void *target;     /* the member */
};

/* Writes the member, or adds an error and leaves it alone. */
void values_store(const struct values_spot *spot);

/* Adds an error at the setting: "PATH.KEY: text". */
void values_error(const struct values_spot *spot, const char *format, ...)
    printf_like(2, 3);

#endif
