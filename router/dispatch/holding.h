/*
 * holding.h - gathers the facts for `why` about every recipient of a message.
 */
#ifndef ROUTER_DISPATCH_HOLDING_H
#define ROUTER_DISPATCH_HOLDING_H

#include "common/proto/json.h"
#include "router/dispatch/core.h"

/* Adds the members "id", "accepted_utc_ms", "expires_utc_ms" and "pending", a
 * list. An event must have begun. */
void holding_add(struct dispatch *dispatch, struct queued *queued,
                 struct json *json);

#endif
