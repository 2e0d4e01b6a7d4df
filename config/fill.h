/*
 * fill.h - from a tree of settings to the typed structs, by the tables.
 *
 * Two walks over the same tree: the first makes the objects and gives every
 * member its value, the second points references at the objects, which may
 * stand anywhere in the file. Errors do not stop a walk.
 */
#ifndef CONFIG_FILL_H
#define CONFIG_FILL_H

#include "config/holder.h"
#include "config/loader.h"
#include "config/tree.h"

struct fill {
    struct holder *holder;
    struct conf_errors *errors;
    const char *folder; /* of the config file: relative paths begin here */
    enum conf_files files;
};

/* Fills `object`, a struct of the section, from the group. */
void fill_values(struct fill *fill, const struct schema_section *section,
                 const struct node *group, void *object);

/* Sets the references of the same object. */
void fill_references(struct fill *fill, const struct schema_section *section,
                     const struct node *group, void *object);

#endif
