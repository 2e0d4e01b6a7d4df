/*
 * bounce.h - the report to the sender of a message that failed.
 *
 * RFC 3464, built by common/proto/dsn.h; one per event and message. RFC 3461
 * section 5.2: none for a recipient with NOTIFY=NEVER or with a NOTIFY that
 * lacks FAILURE, none to the null sender; and none where the stream says dsn =
 * false. It comes from the null sender, on the stream of the neutral class, and
 * goes through spool and lanes like any message.
 */
#ifndef ROUTER_DISPATCH_BOUNCE_H
#define ROUTER_DISPATCH_BOUNCE_H

#include "common/base/attr.h"
#include "router/dispatch/core.h"
#include "router/message.h"

/* For dispatch->failures; NULL when nobody is to be told. */
struct message *bounce_make(struct dispatch *dispatch,
                            struct queued *queued) must_check;

/* Is the sender to be told of this recipient's failure? Pure. */
bool bounce_is_wanted(const struct envelope *envelope,
                      const struct envelope_recipient *recipient,
                      const struct conf_stream *stream);

#endif
