/*
 * warn.h - the sender hears that a message is late: once, if he is to.
 *
 * The stream's warn_after counts from acceptance, whatever holds the message:
 * receivers that defer it, a limit, a pause. Only messages with a recipient
 * whose delay is to be told (bounce.h) are watched, so that others cost nothing.
 * When its time comes all recipients that are still queued are told of in one
 * report, and marked: that is in the state on disk, so a restart tells nobody
 * again. (A crash after the report is on disk and before the state is does.) A
 * cold message is watched like any other, which costs some 60 bytes of it.
 * Those whom a worker is serving just then are looked at again soon.
 */
#ifndef ROUTER_DISPATCH_WARN_H
#define ROUTER_DISPATCH_WARN_H

#include "router/dispatch/core.h"

/* A message that was just entered, recovered, or has a new config. */
void warn_watch(struct dispatch *dispatch, const struct envelope *envelope);

/* It is gone. */
void warn_forget(struct dispatch *dispatch, uint64_t message);

/* It was read back into memory and placed, in an event that is not closed: if
 * its time has come it is told of in this one. */
void warn_thawed(struct dispatch *dispatch, struct queued *queued);

/* Tells of all whose time has come; cold messages are read back first. */
void warn_turn(struct dispatch *dispatch, uint64_t now_ms);

void warn_release(struct dispatch *dispatch);

#endif
