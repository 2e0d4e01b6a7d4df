/*
 * recall.h - what the files of a spool's folder keep of templates.
 *
 * For the router whose they are, at its start, and for whoever only looks while
 * it may be running.
 */
#ifndef ROUTER_TEMPLATES_RECALL_H
#define ROUTER_TEMPLATES_RECALL_H

#include <stdbool.h>

#include "router/templates/templates.h"

struct recalled {
    bool is_kept;    /* there is a file of all */
    bool is_damaged; /* it is, but for what was restored */
    bool is_cut;     /* the takings are (takings.h) */
};

/* While nobody else uses the templates. */
struct recalled recall(int folder_fd, struct templates *templates);

/* A template that is new and has taken nothing is met again as it is. */
bool recall_is_worth(const struct template_record *record);

#endif
