/*
 * fetch.h - cold messages come back into memory, and bodies from the disk.
 *
 * The spool's reader thread does the reading; here is what is asked of it, and
 * what happens when the answer is there. At most FETCHES_MAX are under way, but
 * for those that somebody waits for (fetch_now, fetch_body).
 *
 *     a lane is thirsty         the next of its share is read, body and all
 *     a retry falls due         the calendar of cold.h says so
 *     a start found it          once workers had the time to say what they hold
 *     a worker speaks of it     a RESULT or a HELLO names a cold message
 *
 * A message that comes back is split into jobs as at a start (entry_thaw); then
 * late RESULTs are heard; then what is left of it is placed.
 */
#ifndef ROUTER_DISPATCH_FETCH_H
#define ROUTER_DISPATCH_FETCH_H

#include "router/dispatch/core.h"

/* Is the message cold, or on its way back? */
bool fetch_is_cold(const struct dispatch *dispatch, uint64_t id);

/* The lane may have a thirsty share now. */
void fetch_want(struct dispatch *dispatch, struct lane *lane);

/* Asks for as many as may be under way. */
void fetch_pump(struct dispatch *dispatch);

/* Cold mail whose time came before its turn: it expires. Call it now and then. */
void fetch_sweep(struct dispatch *dispatch);

/* A cold message is wanted in memory, whatever else waits. Harmless when it is
 * on its way. */
void fetch_now(struct dispatch *dispatch, uint64_t id);

/* A RESULT for a cold message: it is heard once the message is here. */
void fetch_for_result(struct dispatch *dispatch, const struct worker *worker,
                      const struct wire_result *result);

/* A worker that had something of the cold message was lost: once it is here, it
 * is in doubt. */
void fetch_doubt(struct dispatch *dispatch, uint64_t id, const char *worker);

/* The job of this lease leaves once its body was read. */
void fetch_body(struct dispatch *dispatch, struct lease *lease);

/* From the mailbox: an answer of the reader. */
void fetch_done(struct dispatch *dispatch, void *item);

/* Messages that are cold in lines of READY mail, on the calendar, or found and
 * not placed yet; those on their way count where they came from. */
struct fetch_counts {
    uint64_t ready;
    uint64_t waiting;
    uint64_t found;
};
struct fetch_counts fetch_count(const struct dispatch *dispatch);

#endif
