/*
 * state.h - how far one message has come, as the spool keeps it.
 *
 * A state is a full picture, not a change: it names every recipient that is
 * still to be served, by the index in the envelope, and replaces the state
 * before it. A recipient that it does not name is done with. A message without
 * a state has all its recipients pending and untried.
 */
#ifndef ROUTER_STATE_H
#define ROUTER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "router/envelope.h"

#define STATE_TEXT_MAX   200u /* bytes of a reply's text; what is over is cut */
#define STATE_SOURCE_MAX 128u /* of a source's name; likewise */
#define STATE_NAME_MAX   128u /* of a route's name; likewise */
#define STATE_BYTES_MAX  (4u << 20)

struct state_recipient {
    uint32_t index;       /* of the envelope's recipients */
    uint32_t attempts;    /* made so far */
    uint64_t next_utc_ms; /* not to be tried before */
    bool held;            /* in doubt, not to be sent again by itself */
    uint16_t code;        /* of the last reply; 0: none was heard */
    struct slice text;    /* of that reply, or why there was none */
    struct slice source;  /* that the next attempt is to leave by; or empty */
    bool told;            /* its sender knows of the delay */
    struct slice route;   /* name, when an operator chose it; else empty */
};

struct state {
    const struct state_recipient *pending; /* by rising index */
    size_t pending_count;
};

/* Appends the packed form to `out`; RC_LIMIT, and nothing is appended, when it
 * does not fit. Indexes must rise. */
enum rc state_pack(const struct state *state, struct buf *out) must_check;

/* Total over any bytes: RC_OK, RC_SYNTAX, RC_LIMIT. Texts point into `packed`;
 * the recipients live in the arena. The caller still has to compare the indexes
 * with the envelope's recipient_count. */
enum rc state_unpack(struct slice packed, struct arena *arena,
                     struct state *state) must_check;

#endif
