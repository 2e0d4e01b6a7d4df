/*
 * serve.h - a job leaves: the source by weight, the job by bands, a lease.
 */
#ifndef ROUTER_DISPATCH_SERVE_H
#define ROUTER_DISPATCH_SERVE_H

#include "router/dispatch/core.h"

/* Serves the active lanes in turn, at most DISPATCH_SERVE_MAX jobs; true when
 * there may be more to do at once. */
bool serve_lanes(struct dispatch *dispatch);

/* The body of a job under this lease was read; NULL: it cannot be. A whole
 * event; takes the reference over. */
void serve_fetched(struct dispatch *dispatch, struct lease *lease,
                   struct body *body);

/* The body was read for a lease whose job another's result has settled. */
void serve_nothing(struct dispatch *dispatch, struct lease *lease);

#endif
