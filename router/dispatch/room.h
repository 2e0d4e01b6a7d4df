/*
 * room.h - how many recipients are queued, and whether more are welcome.
 *
 * Counted are the recipients of all jobs in memory and those of cold messages
 * (cold.h); of a message that a start found, one until it is read. From
 * spool.max_recipients on the router is full: MAIL gets 452 until a hundredth of
 * that has left, so that one recipient more or less does not change its mind.
 * Transactions that have begun and reports of our own are still taken.
 */
#ifndef ROUTER_DISPATCH_ROOM_H
#define ROUTER_DISPATCH_ROOM_H

#include "router/dispatch/core.h"

/* Recipients queued. */
uint64_t room_taken(const struct dispatch *dispatch);

/* A message with all its jobs comes into memory, or leaves it. */
void room_add(struct dispatch *dispatch, const struct queued *queued);
void room_remove(struct dispatch *dispatch, const struct queued *queued);

/* The recipients of the job are done with: it ends. */
void room_end_job(struct dispatch *dispatch, struct job **job);

/* Says to the threads that let mail in whether there is room. */
void room_review(struct dispatch *dispatch);

#endif
