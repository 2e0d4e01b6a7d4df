/*
 * loans.h - an open connection passes from one lane to another.
 *
 * Lanes of other pools and of other routers may leave by the same source to the
 * same site. They share the slots of one gate (berths.h); a connection that one
 * of them opened serves the others as well, and a hand-over costs nothing where
 * a QUIT and a new connection cost round trips and a TLS handshake.
 *
 * A line can pass when it is READY, speaks with the MX hosts of the job, and
 * was opened as the other lane would have done: same config, port and TLS
 * manners. Its slot passes with it.
 *
 *     give    a line that has just become free, to the lane whose waiting job
 *             has a higher rank than the owner's next one; or to any that waits,
 *             when the owner has no right to it any more
 *     take    a line that lies idle: at once for an urgent job and for a lane
 *             with less than its part, else when its owner has had nothing for
 *             it for LOANS_IDLE_MS
 *
 * A lane whose gate is full asks its router for jobs on what it may take. When
 * the line turns out to speak with other MX hosts than the job's, it is closed,
 * and its slot is free.
 */
#ifndef WORKERS_SITES_LOANS_H
#define WORKERS_SITES_LOANS_H

#include <stdbool.h>

#include "workers/sites/carrier.h"

#define LOANS_IDLE_MS 100u
#define LOANS_ANY     (-1)

/* True: the READY line is another lane's now, which is run soon. `rank` is what
 * the owner would use it for; LOANS_ANY: for nothing. */
bool loans_give(struct line *line, int rank);

/* A READY line of another lane for the job, now ours; NULL: there is none. */
struct line *loans_take(struct carrier *carrier,
                        const struct delivery *delivery);

/* Lines of other lanes that jobs of no rank could have now, were they here.
 * When that will be more by itself the carrier is run again. */
uint32_t loans_on_hand(struct carrier *carrier);

/* Whether jobs of another lane wait for a line. */
bool loans_are_wanted(const struct carrier *carrier);

/* Some of our lines lie idle: lanes whose jobs wait for one have a look; those
 * that have jobs at their router once, when it falls idle. */
void loans_announce(struct carrier *carrier);

/* No slot is left for the job, and no line can be had: an idle line of another
 * lane that the job might have, did it speak with its hosts, is closed. */
void loans_make_room(struct carrier *carrier, const struct delivery *delivery);

#endif
