/*
 * reserve.h - one connection kept free for urgent mail.
 *
 * With all connections of a (source x site) at work, an urgent job waits for
 * the next one to end; and since a queue that starts at once keeps them in step,
 * that is up to the time of a whole message. So while urgent mail flows there,
 * other mail leaves one of the slots alone, whichever lane would use it. It
 * costs them 1/RESERVE_SLOTS_MIN of their connections at most: with fewer slots
 * none is kept.
 */
#ifndef WORKERS_SITES_RESERVE_H
#define WORKERS_SITES_RESERVE_H

#include <stdbool.h>

#include "workers/sites/carrier.h"

#define RESERVE_MS        5000u /* after the last urgent job */
#define RESERVE_SLOTS_MIN 8u

/* An urgent job begins. */
void reserve_note(struct carrier *carrier);

/* Slots that other mail leaves alone now: 1 or 0. */
uint32_t reserve_slots(const struct carrier *carrier);

/* Whether a job that is not urgent has to wait for that reason; then the
 * carrier is run again when the reserve ends. */
bool reserve_holds(struct carrier *carrier);

#endif
