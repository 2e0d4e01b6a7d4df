/*
 * entry.h - a message comes in: from submission, from the spool after a start,
 * or as a report of our own. It is split into jobs, one for each (route,
 * domain, attempts, next time) of its recipients.
 */
#ifndef ROUTER_DISPATCH_ENTRY_H
#define ROUTER_DISPATCH_ENTRY_H

#include "router/dispatch/core.h"
#include "router/message.h"

/* Takes the message over; it is on disk. */
void entry_accept(struct dispatch *dispatch, struct message *message);

/* Found by the spool; its jobs are FOUND until entry_release_found(). */
void entry_recover(struct dispatch *dispatch, uint64_t id, struct slice packed,
                   struct slice state);

/* All workers had the time to say what they hold: the rest may go, at most
 * DISPATCH_RELEASE_MAX jobs now. dispatch->gathering is false with the last. */
void entry_release_found(struct dispatch *dispatch);

/* Numbers of stream, route and tenant by the names of the envelope and the
 * config of now. A name that is gone: the neutral stream, the stream's route. */
void entry_name(struct dispatch *dispatch, const struct envelope *envelope,
                struct job *job);

/* The body while there is room for it (spool.body_cache). */
void entry_keep_body(struct dispatch *dispatch, struct queued *queued,
                     struct body *body, bool urgent);
void entry_drop_body(struct dispatch *dispatch, struct queued *queued);

#endif
