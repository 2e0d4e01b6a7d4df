/*
 * tree.h - the settings of a config text, as libconfig reads them.
 *
 * The one place that knows libconfig: it takes the reader's text and gives
 * plain nodes in an arena, each with the place it was written at.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "config/reader.h"

enum node_kind {
    NODE_GROUP, /* { }: items have names */
    NODE_LIST,  /* ( ) or [ ]: items have none */
    NODE_TEXT,
    NODE_NUMBER,
    NODE_FLAG,
    NODE_FLOAT, /* no setting takes one */
};

struct node {
    enum node_kind kind;
    const char *name; /* NULL in lists */
    struct conf_place place;
    const char *text;
    int64_t number; /* a flag is 0 or 1 */
    struct node *items;
    size_t count;
};

/* Parses what the reader holds into *root, a group. False: the errors of the
 * reader say where the grammar is broken. */
bool tree_parse(struct reader *reader, struct node *root) must_check;

/* The item of a group with that name; NULL when there is none. */
struct node *tree_find(const struct node *group, const char *name);

/* "a text", "a list" ...: for error messages. */
const char *tree_kind_name(enum node_kind kind);

#endif
