/*
 * freeze.h - a message that will not leave soon goes cold: its memory is freed,
 * and its id stays in a line or on the calendar (lanes/cold.h).
 *
 * Only a message of which the disk knows all: one job, no write under way, no
 * claim of a worker. It goes when its job stands behind those that its share
 * keeps in memory, or waits for DISPATCH_COLD_WAIT_MS at least.
 */
#ifndef ROUTER_DISPATCH_FREEZE_H
#define ROUTER_DISPATCH_FREEZE_H

#include "router/dispatch/core.h"

/* At the end of an event, or when the last write of the message is done: it may
 * be gone from memory afterwards. */
void freeze_if_idle(struct dispatch *dispatch, struct queued *queued);

#endif
