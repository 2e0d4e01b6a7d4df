/*
 * lane.h - the queue of one pool and one site, and the order in which it ends.
 *
 *     bands, one per stream     urgent ones strictly first, then those that
 *                               fall behind their objective, then by weight:
 *                               band.h
 *       shares, one per tenant  in turn, `weight` recipients each (deficit
 *                               round robin)
 *         jobs                  in the order of their arrival; jobs that were
 *                               tried before and those that were not take turns
 *
 * So a receiver that comes back does not have new mail wait behind all that was
 * deferred meanwhile, and the head of a share's new jobs is its oldest one.
 * A share that was empty comes back without credit. A turn costs O(streams +
 * log tenants), however many jobs there are.
 *
 * Pure: who may send what when is decided elsewhere. All jobs that belong here
 * are in one of the lists: READY ones in the shares, the others in `out`,
 * `waiting`, `held` and `paused`.
 *
 * A share has its first jobs in memory, `hot_max` of them at most, and behind
 * them the ids of cold messages (cold.h). When half of the hot ones have left
 * the share is *thirsty*: its user fetches the next cold ones (lane_fetch), has
 * them read back and pushes them. `ready` counts jobs in memory alone.
 *
 * A job that was stepped over, because only one source may have it and that has
 * no credit, stands aside (aside.h) and still counts in `ready`.
 *
 * A share may be closed: its jobs stay where they are, in their order, hot or
 * cold, and cost nothing until it is opened. The hot ones count in `closed` and
 * not in `ready`.
 */
#ifndef ROUTER_LANES_LANE_H
#define ROUTER_LANES_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/slice.h"
#include "common/base/table.h"
#include "config/conf.h"
#include "router/lanes/aside.h"
#include "router/lanes/band.h"
#include "router/lanes/cold.h"
#include "router/lanes/job.h"
#include "router/lanes/rate.h"

/* Most that one job costs its tenant; bounds the turns of a search. */
#define LANE_COST_MAX 32u

/* Jobs that one which comes back is compared with, at most. */
#define LANE_STEPS_MAX 1024u

struct credits;

/* What was last told to the workers; kept here for who tells them. */
struct lane_offer {
    bool is_open;    /* workers believe that it has jobs */
    uint32_t depth;  /* as told; 0: the next job is news */
    uint32_t urgent; /* as told, less what was sent; 0: the next one is news */
    bool is_behind;  /* as told */
    uint64_t told_ms;
};

struct lane {
    struct list link; /* for its user: lanes that may have something to do */
    uint32_t number;  /* never used again */
    struct slice key; /* pool '\n' site */
    struct slice pool_name;
    struct slice site;
    struct slice domain;          /* of the first job, for limits by domain */
    struct slice provider;        /* name, or empty */
    const struct conf_pool *pool; /* NULL: removed from the config */
    struct band *bands;           /* by the stream's index */
    size_t band_count;
    struct table shares; /* by (stream, tenant) */
    const struct lane_warmth *warmth;
    struct list thirsty;            /* shares */
    uint32_t cold_ready;            /* messages in the lines of the shares */
    uint32_t cold_closed;           /* of them, in closed shares */
    uint32_t fetching;              /* of them, being read back */
    struct cold_queue cold_waiting; /* messages that wait for an attempt */
    struct list thirst;             /* for its user: lanes with such shares */
    struct band_class classes[2];   /* not urgent, urgent */
    uint32_t ready;                 /* jobs that may leave, or are aside */
    uint32_t closed;                /* READY jobs in closed shares */
    struct aside aside;             /* READY jobs that were stepped over */
    struct list out;                /* LEASED */
    struct list waiting;            /* WAITING */
    struct list held;               /* HELD */
    struct list paused;             /* PAUSED, in the order of their turns */
    uint64_t idle_ms;               /* when it was last seen with a job */
    struct credits *credits;        /* likewise; NULL: none yet */
    struct lane_offer offer;        /* likewise */
    struct rate rate;               /* likewise: jobs that left */
};

enum lane_end { LANE_BACK, LANE_FRONT };

/* What all lanes of a router have in common. */
struct lane_warmth {
    struct cold *cold;
    uint32_t hot_max; /* jobs of one share that are kept in memory */
};

/* A cold message of this lane on its way back into memory. */
struct lane_fetch {
    uint64_t id;
    uint32_t lane;
    uint64_t share;
};

/* Copies the texts; `warmth` must outlive the lane. */
struct lane *lane_new(uint32_t number, const struct conf *conf,
                      const struct lane_warmth *warmth,
                      const struct conf_pool *pool,
                      const struct destination *destination) must_check;

/* No job may be in it. */
void lane_free(struct lane **lane);

/* A new config: bands are made anew. No job may be READY, and unless the
 * streams have kept their places no message may be cold (lane_empty_cold). */
void lane_reconf(struct lane *lane, const struct conf *conf);

/* Moves all cold READY messages, and what is being fetched of them, into the
 * line of another queue, in the order of each share. */
void lane_empty_cold(struct lane *lane, struct cold_queue *queue);

/* Makes the job READY. `weight` is its tenant's; at the front it goes before what
 * came later, and one that was tried before goes before all such. */
void lane_push(struct lane *lane, struct job *job, uint32_t weight,
               enum lane_end end);

/* The next job by the rules above, no longer in any list; NULL: none READY but
 * those set aside. *rank says how much it needs to leave. */
struct job *lane_next(struct lane *lane, uint64_t utc_ms, enum wire_rank *rank);

/* The same where the time does not matter: to empty the lane. */
struct job *lane_take(struct lane *lane);

/* READY in memory or cold, of one stream; walks its lane's tenants. */
uint64_t lane_ready_of(const struct lane *lane, size_t stream);

/* READY jobs in memory of urgent streams; whether one of the others is
 * behind. */
uint32_t lane_urgent(const struct lane *lane);
bool lane_is_behind(const struct lane *lane, uint64_t utc_ms);

/* A job that lane_next() gave cannot leave: its source has no credit. It stays
 * READY, and is in nobody's way. */
void lane_set_aside(struct lane *lane, struct job *job);

/* Takes out all READY jobs and appends them to `jobs` in the order of their
 * turns, those set aside last. */
void lane_drain(struct lane *lane, struct list *jobs);

/* Takes a READY job out. */
void lane_remove(struct lane *lane, struct job *job);

/* Does this READY job stand behind what is kept in memory? `is_next`: it was
 * fetched for its share or had its turn already, and stands before cold mail. */
bool lane_is_deep(const struct lane *lane, const struct job *job, bool is_next);

/* Takes such a job out and puts its message at the end of the share's line. */
void lane_freeze(struct lane *lane, struct job *job, uint64_t due_ms);

/* The next cold message of a thirsty share, moved to `queue`; false: none. */
bool lane_fetch(struct lane *lane, struct cold_queue *queue,
                struct lane_fetch *fetch) must_check;

/* A cold message whose time has come before its turn, moved likewise. */
bool lane_fetch_due(struct lane *lane, struct cold_queue *queue,
                    uint64_t now_ms, struct lane_fetch *fetch) must_check;

/* It was read back, or is gone. */
void lane_fetched(struct lane *lane, const struct lane_fetch *fetch);

/* A cold message of some lane leaves its share's line by another way than its
 * turn: it is moved to `queue`. `line` is COLD_READY. */
void lane_leave_line(struct cold_queue *line, struct cold_queue *queue,
                     uint64_t id);

/* The share of its lane that a job belongs to. */
uint64_t lane_share_of(const struct job *job);

/* A share as its user sees it. */
typedef bool lane_closes_fn(void *context, const struct lane *lane,
                            uint16_t stream, uint32_t tenant);

/* Closes the shares for which `closes` says so and opens the others; NULL: opens
 * all. A share is open when it is new. */
void lane_close_by(struct lane *lane, lane_closes_fn *closes, void *context);
void lane_close_share(struct lane *lane, const struct job *job, bool closed);

/* Is there a share yet that this job would come into; and is it closed? */
bool lane_has_share(const struct lane *lane, const struct job *job);
bool lane_has_closed(const struct lane *lane, const struct job *job);

/* Of a line of cold READY mail: its lane, and the stream and tenant. */
struct lane *lane_of_line(struct cold_queue *line, uint16_t *stream,
                          uint32_t *tenant);

/* May leave: in memory or cold. */
static inline uint32_t lane_depth(const struct lane *lane)
{
    return lane->ready + lane->cold_ready - lane->cold_closed + lane->fetching;
}

/* READY in closed shares, in memory or cold. */
static inline uint32_t lane_closed(const struct lane *lane)
{
    return lane->closed + lane->cold_closed;
}

/* The oldest READY job in memory of each stream and tenant in turn: begin with
 * *at = 0; NULL at the end. The lane must not change meanwhile. */
const struct job *lane_next_first(const struct lane *lane, size_t *at);

/* Who goes before a READY job. */
struct lane_place {
    uint64_t ahead;   /* jobs before it of its own tenant and stream */
    bool is_least;    /* there are more: the search was given up */
    uint64_t in_turn; /* tenants that take turns in its band */
    uint64_t in_band; /* jobs in its band that may leave, in memory */
    uint64_t urgent;  /* in bands that go before its own */
};

/* Looks at no more than `max` jobs. A job in no list stands for a cold one. */
void lane_find(const struct lane *lane, const struct job *job, uint64_t max,
               struct lane_place *place);

/* Has it jobs in any state, or cold messages? */
bool lane_is_empty(const struct lane *lane);

#endif
