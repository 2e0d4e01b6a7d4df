/*
 * settle.h - what changed goes to disk, and then the worker hears its ACK.
 *
 *     REPORT --> STATE --> ACK
 *
 * REPORT  the report to the sender is PUT; only when it is on disk do the
 *         recipients that it tells of end (a crash before tries them again,
 *         never loses them)
 * STATE   the pending recipients as they are now, or DROP when there are none
 * ACK     the worker may forget its result
 *
 * A write that the disk refused is tried again; until it is done the worker
 * keeps the result. Writes of one message are posted in the order of its events.
 */
#ifndef ROUTER_DISPATCH_SETTLE_H
#define ROUTER_DISPATCH_SETTLE_H

#include "router/dispatch/core.h"
#include "router/dispatch/outcome.h"
#include "router/message.h"

/* For dispatch->notices and all that changed in the jobs. Takes the report
 * over; NULL: none. The message is gone afterwards when it has no job left. */
void settle_begin(struct dispatch *dispatch, struct queued *queued,
                  struct message *report, const struct outcome_ack *ack);

/* Is the result of this lease being written? */
bool settle_has_result(const struct dispatch *dispatch, uint64_t lease);

/* The same, and if so its ACK goes to this worker, who brought it again. */
bool settle_adopt(struct dispatch *dispatch, const struct outcome_ack *ack);

/* Nothing to write: the ACK goes out with the others of this turn. */
void settle_ack(struct dispatch *dispatch, const struct outcome_ack *ack);

/* Sends all that wait in the workers' lists; what a full link does not take
 * stays there. */
void settle_flush_acks(struct dispatch *dispatch);

/* From the mailbox: the committer is done with a write. */
void settle_written(struct dispatch *dispatch, void *item);

/* Tries again what the disk refused. */
void settle_retry(struct dispatch *dispatch);

/* At the end: gives up what the disk refused; a restart does it over. */
void settle_abandon(struct dispatch *dispatch);

#endif
