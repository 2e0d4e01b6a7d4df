/*
 * berths.h - how the lanes of one (source x site) part the slots of its gate.
 *
 * Several lanes may leave by one source to one site: of other pools, of other
 * routers. Each of them that has mail is sure of an equal part of the slots,
 * and may use what the others do not want. With fewer slots than lanes they
 * take turns: who has held a slot for a turn gives it to who waits longest.
 *
 * Pure; times are milliseconds of the loop's clock.
 */
#ifndef WORKERS_SITES_BERTHS_H
#define WORKERS_SITES_BERTHS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"
#include "common/base/table.h"
#include "workers/limits/gate.h"

#define BERTH_TURN_MS 2000u

/* The lanes of one gate. */
struct berths {
    const struct gate *gate;
    struct list lanes;
};

/* One lane's part; the owner keeps the numbers true. */
struct berth {
    struct list link;
    uint32_t lines;    /* slots in use */
    uint32_t want;     /* slots that it has mail for, those in use included */
    uint64_t since_ms; /* it got its first slot, lost its last, or let one go
                        * by that it had no job for */
};

/* Joins the lanes of the gate; `all` has berths by the gate's address. */
struct berths *berths_join(struct table *all, const struct gate *gate,
                           struct berth *berth);
void berths_leave(struct table *all, struct berths **berths,
                  struct berth *berth);

/* Whether there is another lane that wants slots. */
bool berths_are_shared(const struct berths *berths, const struct berth *berth);

/* How many of `slots` the lane may use; GATE_UNLIMITED stays so. Who uses more
 * closes lines as soon as they end their job. */
uint32_t berths_allow(const struct berths *berths, const struct berth *berth,
                      uint32_t slots, uint64_t now_ms);

#endif
