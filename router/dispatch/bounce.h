/*
 * bounce.h - reports to the sender of a message: failed, delayed, relayed.
 *
 * RFC 3464, built by common/proto/dsn.h; one per event and message, with all
 * recipients that it concerns. RFC 3461 says who is told:
 *
 *     failed     NOTIFY has FAILURE, or was not given
 *     delayed    NOTIFY has DELAY; not given: where the stream's warn_unasked
 *                says so (warn.h)
 *     relayed    NOTIFY has SUCCESS, and the receiver makes no reports itself
 *
 * and never the null sender. How is for the stream's `dsn`: mail, a line of the
 * event log, or both; "bounced", "expired", "deferred" and "delivered" are in
 * the log in any case.
 *
 * The mail comes from the null sender, on the stream of the neutral class, and
 * goes through spool and lanes like any message. When it fails itself (a double
 * bounce) that is the end of it, but for a line in the event log, or for one
 * mail to the postmaster where the config says so; when that fails, too, it is
 * the end in any case. So there are no loops: a report makes a postmaster's mail
 * at most, and that makes nothing.
 */
#ifndef ROUTER_DISPATCH_BOUNCE_H
#define ROUTER_DISPATCH_BOUNCE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/proto/dsn.h"
#include "router/dispatch/core.h"
#include "router/message.h"

/* For dispatch->notices; NULL when nobody is to be told by mail. */
struct message *bounce_make(struct dispatch *dispatch,
                            struct queued *queued) must_check;

/* Is the sender to be told this of the recipient? Pure. */
bool bounce_is_wanted(const struct envelope *envelope,
                      const struct envelope_recipient *recipient,
                      const struct conf_stream *stream, enum dsn_action action);

/* Is he to be told it of any recipient of the job? */
bool bounce_concerns(struct dispatch *dispatch, struct job *job,
                     enum dsn_action action);

/* The stream of an envelope as the config of now has it. */
const struct conf_stream *bounce_stream(const struct dispatch *dispatch,
                                        const struct envelope *envelope);

#endif
