/*
 * feedback.h - what becomes of mail tells of its template.
 *
 *     delivered                                   delivered
 *     refused in words that speak of spam         like a complaint, also 4yz
 *     refused for good, the address is no good    hard bounce
 *     anything else                               says nothing of the template
 */
#ifndef ROUTER_DISPATCH_FEEDBACK_H
#define ROUTER_DISPATCH_FEEDBACK_H

#include "common/proto/verdict.h"
#include "router/dispatch/core.h"

void feedback_accepted(struct dispatch *dispatch,
                       const struct envelope *envelope);

/* Of one recipient of the message, by a receiver. */
void feedback_hear(struct dispatch *dispatch, const struct queued *queued,
                   const struct verdict *verdict);

#endif
