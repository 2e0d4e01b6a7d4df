/*
 * carrier.h - the jobs of an outlet, and the lines that carry them.
 *
 *     push -> queue -> a line with the job's MX hosts -> RESULT
 *               '-> handed back, or deferred when its hosts rest
 *
 * The queue is by rank: an urgent job waits behind nothing but urgent jobs. A
 * line may come from another lane of the same source and site, and go to one
 * that needs it more (loans.h).
 *
 * A job goes to a line that speaks with the job's own MX hosts; when there is
 * none, one is opened if the passage has a slot, in place of an idle line to
 * other hosts where need be. A job that finds no line for CARRIER_WAIT_MS goes
 * back to the router: another worker may have one.
 *
 * MX hosts that cannot be reached rest (rests.h), and what is here for them is
 * deferred. When nothing of the site can be reached the carrier pauses, longer
 * each time; until a connection comes about it is on trial.
 *
 * The owner is told by on_change when a line or the time has changed anything,
 * and calls carrier_run(), which does all that can be done now.
 */
#ifndef WORKERS_SITES_CARRIER_H
#define WORKERS_SITES_CARRIER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"
#include "common/edge/loop.h"
#include "workers/sites/delivery.h"
#include "workers/sites/lines.h"
#include "workers/sites/passage.h"
#include "workers/sites/rests.h"

#define CARRIER_WAIT_MS 5000u

struct carrier {
    struct passage *passage;
    timer_fn *on_change;
    void *context;
    struct timer *again; /* when a rate, a pause or a slot lets us go on */
    uint64_t again_ms;   /* when that is; 0: not set */
    struct lines lines;
    struct list queue; /* deliveries that wait for a line, the highest rank
                        * first */
    uint32_t queued;
    uint32_t queued_of[WIRE_RANKS]; /* by rank */
    struct rests rests;
    uint64_t pause_ms; /* the last pause; 0: the site answers */
    uint64_t paused_until_ms;
    bool is_retired;
};

/* The passage is borrowed, and must be open for as long. */
void carrier_init(struct carrier *carrier, struct passage *passage,
                  timer_fn *on_change, void *context);

/* Closes the lines at once and forgets the jobs. */
void carrier_release(struct carrier *carrier);

/* Takes the delivery, to be sent or handed back by a later carrier_run(). */
void carrier_push(struct carrier *carrier, struct delivery *delivery);

/* Gives a delivery that was not begun, and is not queued, to the router. */
void carrier_hand_back(struct carrier *carrier, struct delivery *delivery,
                       const char *reason);

/* The job is others' by now: when it is on a line, its last byte was not said,
 * and it follows no message that waits for its reply, the line is closed and the
 * job handed back. Not from on_change. */
void carrier_let_go(struct delivery *delivery);

/* Hands back what was not begun, and opens no line any more. */
void carrier_retire(struct carrier *carrier);

/* Sends what can be sent; closes the lines that are spent or idle, or that the
 * other lanes shall have. */
void carrier_run(struct carrier *carrier);

/* Calls on_change after this time, unless it does so earlier; 0: never mind. */
void carrier_run_later(struct carrier *carrier, uint64_t wait_ms);

/* Whether no new job may be begun here ever; whether none may be now. */
bool carrier_takes_nothing(const struct carrier *carrier);
bool carrier_is_paused(const struct carrier *carrier);

/* Since the last pause no connection came about. */
bool carrier_is_on_trial(const struct carrier *carrier);

/* No job, no connection. */
bool carrier_is_empty(const struct carrier *carrier);

#endif
