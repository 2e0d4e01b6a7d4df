/*
 * template.h - `sendyard template list | show | trust | distrust | forget |
 * teach`.
 *
 * What the router asked (--router, else the first) knows of templates; what is
 * said of one holds for all routers.
 */
#ifndef ROUTER_CONTROL_TEMPLATE_H
#define ROUTER_CONTROL_TEMPLATE_H

#include <stdio.h>

/* Exit codes of sysexits.h: EX_DATAERR when there is no such template. */
int command_template(int argc, char *const *argv, FILE *out, FILE *err);

#endif
