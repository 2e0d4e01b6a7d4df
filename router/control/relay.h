/*
 * relay.h - complaints about mail of other routers, on their way there.
 *
 * A complaint is weighed against the outcomes of the mail that its router took
 * (complaint.h), and may come in at any. Redis carries it:
 *
 *     <prefix>complaints:NUMBER    a list: what that router has not heard yet
 *
 * Each router looks for its own every few seconds, and takes what it heard off
 * the list as it looks again: so one may be heard twice, which the tally finds,
 * and none is lost on the way. A list keeps RELAY_KEPT notes for a week; what
 * comes while Redis is away waits here, as many, as long as the process lives.
 *
 * All but relay_send() in the loop's thread.
 */
#ifndef ROUTER_CONTROL_RELAY_H
#define ROUTER_CONTROL_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/loop.h"
#include "common/edge/store.h"

#define RELAY_KEPT 10000u

struct relay;

struct relay_options {
    struct store_place redis;
    const char *prefix;
    uint16_t number; /* of this router */
    void (*heard)(void *context, struct slice note);
    void *context;
};

/* NULL when `redis` cannot be used (store.h). */
struct relay *relay_new(struct loop *loop, const struct relay_options *options,
                        struct fault *fault) must_check;

/* Nobody may send any more. */
void relay_free(struct relay **relay);

/* From any thread. False: too many wait already. */
bool relay_send(struct relay *relay, uint16_t router,
                struct slice note) must_check;

#endif
