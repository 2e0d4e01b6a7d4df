/*
 * wheel.h - when to look at a job again: retry times and expiry, cheap to keep.
 *
 * A hierarchical timing wheel. Four rings of 256 slots, each slot of a ring as
 * long as the whole ring below:
 *
 *     ring 0   64 ms a slot     16 s in all
 *     ring 1   16 s             70 min
 *     ring 2   70 min           12 days
 *     ring 3   12 days          8.7 years; what is later waits at its end
 *
 * Setting and clearing cost O(1), waiting costs nothing; when ring 0 has gone
 * round, one slot of the ring above is dealt out anew. An alarm rings within a
 * slot (64 ms) after its time, never before.
 */
#ifndef ROUTER_LANES_WHEEL_H
#define ROUTER_LANES_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"

#define WHEEL_SLOT_MS 64u
#define WHEEL_RINGS   4u
#define WHEEL_SLOTS   256u

/* Embedded in what waits. */
struct alarm {
    struct list link;
    uint64_t at_ms;
};

struct wheel {
    uint64_t tick; /* the next one to look at; a tick is WHEEL_SLOT_MS */
    struct list slots[WHEEL_RINGS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, uint64_t now_ms);

/* An alarm that is not set; before first use. */
void alarm_init(struct alarm *alarm);
bool alarm_is_set(const struct alarm *alarm);

/* Moves it when it is set already. */
void wheel_set(struct wheel *wheel, struct alarm *alarm, uint64_t at_ms);

/* Harmless when it is not set. */
void wheel_clear(struct alarm *alarm);

/* Takes out the alarms that are due, and appends them by their link to `due`,
 * a list of the caller's; clear each (wheel_clear) as it is handled. Time that
 * goes backwards rings nothing. */
void wheel_turn(struct wheel *wheel, uint64_t now_ms, struct list *due);

#endif
