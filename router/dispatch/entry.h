/*
 * entry.h - a message comes in: from submission, from the spool after a start,
 * or as a report of our own. It is split into jobs, one for each (route,
 * domain, attempts, next time, source) of its recipients.
 */
#ifndef ROUTER_DISPATCH_ENTRY_H
#define ROUTER_DISPATCH_ENTRY_H

#include "router/dispatch/core.h"
#include "router/message.h"

/* Takes the message over; it is on disk. */
void entry_accept(struct dispatch *dispatch, struct message *message);

/* Read back from the spool, with its body or without: its jobs are FOUND, in
 * dispatch->thawed. NULL when envelope and id are not what was put. */
struct queued *entry_thaw(struct dispatch *dispatch, struct spool_read *read);

/* The message as it is on disk, with FOUND jobs in no list, unknown to the lanes:
 * for looking at, and to be freed by the caller. NULL when it cannot be read. An
 * event must have begun. */
struct queued *entry_ghost(struct dispatch *dispatch,
                           const struct spool_read *read) must_check;

/* The message leaves memory with its jobs; what the disk has stays. */
void entry_forget(struct dispatch *dispatch, struct queued **queued);

/* An operator's route for the job, by its name; false when the config has none
 * of it: it goes where it went. */
bool entry_reroute(struct dispatch *dispatch, struct job *job,
                   struct slice name);

/* Numbers of stream, route and tenant by the names of the envelope and the
 * config of now. A name that is gone: the neutral stream, the stream's route. */
void entry_name(struct dispatch *dispatch, const struct envelope *envelope,
                struct job *job);

/* Bodies are kept while there is room for them (spool.body_cache). */
void entry_drop_body(struct dispatch *dispatch, struct queued *queued);

/* The same unless one of its jobs may leave soon. */
void entry_rest_body(struct dispatch *dispatch, struct queued *queued);

#endif
