/*
 * claims.h - leases that a worker says it holds and that we do not know.
 *
 * They come in a HELLO: from before we restarted, or given up meanwhile. What is
 * pending of the message is CLAIMED until the last claim of it ends: by RESULT
 * or HANDBACK, with the worker, or because the next HELLO names it no more.
 * Nothing is claimed by a lease whose result is being written here: its ACK is
 * on the way, and nothing more will come.
 *
 * After a start what the book of our former life names (leasebook.h) is claimed
 * for its worker, until that says HELLO or the lease time is over.
 */
#ifndef ROUTER_DISPATCH_CLAIMS_H
#define ROUTER_DISPATCH_CLAIMS_H

#include "router/dispatch/core.h"

/* Has the worker that says HELLO read the journal of this life? */
bool claims_remember(const struct wire_hello *hello, uint64_t boot);

/* Does the worker say that it holds this lease? */
bool claims_names(const struct wire_hello *hello, uint64_t lease);

/* What the HELLO names and we do not know; what it names no more. Whole
 * events. */
void claims_renew(struct dispatch *dispatch, const struct worker *worker,
                  const struct wire_hello *hello);

/* At the start, when the spool has said which messages live. */
void claims_inherit(struct dispatch *dispatch);

/* The lease time is over: of workers that have not come back all that they had
 * is in doubt. Whole events. */
void claims_give_up(struct dispatch *dispatch);

/* The worker has nothing to do with it any more; a whole event. Harmless when
 * there is no such claim of this worker. */
void claims_done(struct dispatch *dispatch, const struct worker *worker,
                 uint64_t lease);

/* The worker is gone: what it claimed is in doubt, unless `is_remembered`: then
 * its next life claims what is. Whole events. */
void claims_lose(struct dispatch *dispatch, const struct worker *worker,
                 bool is_remembered);

#endif
