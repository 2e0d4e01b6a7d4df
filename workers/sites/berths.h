/*
 * berths.h - how the lanes of one (source x site) part the slots of its gate.
 *
 * Several lanes may leave by one source to one site: of other pools, of other
 * routers. Each of them that has mail is sure of an equal part of the slots,
 * and may use what the others do not want. With fewer slots than lanes they
 * take turns: who has held a slot for a turn gives it to who waits longest.
 *
 * Urgent mail is not bound to its lane's part: it takes what it can use, and
 * leaves the others nothing if need be, as urgent streams do in the router's
 * lanes. A job of a stream that falls behind goes before those of other lanes,
 * too, but for every BERTH_YIELDS-th time.
 *
 * Pure; times are milliseconds of the loop's clock.
 */
#ifndef WORKERS_SITES_BERTHS_H
#define WORKERS_SITES_BERTHS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"
#include "common/base/table.h"
#include "common/proto/wire.h"
#include "workers/limits/gate.h"

#define BERTH_TURN_MS 2000u
#define BERTH_YIELDS  4u

/* The lanes of one gate. */
struct berths {
    const struct gate *gate;
    struct list lanes;
    uint32_t yielded;   /* times in a row to mail that is behind */
    uint64_t urgent_ms; /* an urgent job began last; 0: never. See reserve.h */
};

struct carrier;

/* One lane's part; the owner keeps the numbers true. */
struct berth {
    struct list link;
    uint32_t lines;   /* slots in use */
    uint32_t want;    /* slots that it has mail for, those in use included */
    uint32_t urgent;  /* slots that it can use when urgent mail waits here; 0:
                        * none does */
    bool wants_token; /* a job with a line, of rank `rank`, has no token */
    enum wire_rank rank;
    struct carrier *carrier; /* whose it is, for loans.h */
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

/* The equal part of each lane that wants slots, this one counted in. */
uint32_t berths_part(const struct berths *berths, const struct berth *berth,
                     uint32_t slots);

/* Whether the lane, with a job of this rank, lets one of rank `other` of another
 * lane go first. To be asked once for each time. */
bool berths_yield(struct berths *berths, enum wire_rank rank,
                  enum wire_rank other);

/* Whether another lane waits for a token that this lane shall not take for a
 * job of this rank. */
bool berths_yield_token(struct berths *berths, const struct berth *berth,
                        enum wire_rank rank);

/* How many of `slots` the lane may use; GATE_UNLIMITED stays so. Who uses more
 * closes lines as soon as they end their job. */
uint32_t berths_allow(const struct berths *berths, const struct berth *berth,
                      uint32_t slots, uint64_t now_ms);

#endif
