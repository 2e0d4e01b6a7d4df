/*
 * builtin.h - what holds where a config says nothing.
 *
 * A config of a host name, a certificate, one account and one source is
 * enough: whole sections that it leaves out are written here, in the same
 * language, and are added to its tree before the tables are applied. Defaults
 * of single settings are in the tables.
 */
#ifndef CONFIG_BUILTIN_H
#define CONFIG_BUILTIN_H

#include "config/tree.h"

/* Adds to the root: the listeners, streams, pools, routes and routers when
 * there are none; the tenant "default" when an account needs it; the entry of
 * limits for all receivers, as the first. Writes the pool member "*" out. */
void builtin_complete(struct arena *arena, struct conf_errors *errors,
                      struct node *root);

/* The text of the sections that may be left out, for the reference. */
const char *builtin_text(void);

#endif
