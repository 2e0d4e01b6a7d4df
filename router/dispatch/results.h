/*
 * results.h - what a RESULT means: of a lease, of one that was lost, once more.
 *
 *     its lease stands       it counts, and ends the lease
 *     being written here     it came again: the ACK follows when that is done
 *     its lease is unknown   from an earlier boot, or given up meanwhile: for the
 *                            recipients that it names and that are pending
 *
 * In the last case, where another worker has the recipient by now, only a
 * delivery counts; and where it was deferred since, another deferral is no news.
 */
#ifndef ROUTER_DISPATCH_RESULTS_H
#define ROUTER_DISPATCH_RESULTS_H

#include "router/dispatch/core.h"

/* A whole event. */
void results_hear(struct dispatch *dispatch, const struct worker *worker,
                  const struct wire_result *result);

#endif
