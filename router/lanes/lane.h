/*
 * lane.h - the queue of one pool and one site, and the order in which it ends.
 *
 *     bands, one per stream     urgent ones first, strictly; among the urgent
 *                               and among the rest by weight (stride)
 *       shares, one per tenant  in turn, `weight` recipients each (deficit
 *                               round robin)
 *         jobs                  in the order of their arrival
 *
 * A band or share that was empty comes back without credit for the time that it
 * was away: it can neither save up turns nor lose any. Pure: who may send what
 * when is decided elsewhere. All jobs that belong here are in one of the lists:
 * READY ones in the shares, the others in `out`, `waiting` and `held`.
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
#include "router/lanes/job.h"

/* Most that one job costs its tenant; bounds the turns of a search. */
#define LANE_COST_MAX 32u

struct credits;

struct band {
    struct list shares; /* those with jobs; the first one's turn it is */
    uint64_t pass;      /* virtual time of its next turn */
    uint32_t weight;
    uint32_t ready;
    bool urgent;
};

/* What was last told to the workers; kept here for who tells them. */
struct lane_offer {
    bool is_open;   /* workers believe that it has jobs */
    uint32_t depth; /* as told; 0: the next job is news */
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
    struct table shares;     /* by (stream, tenant) */
    uint64_t floor_pass[2];  /* not urgent, urgent: of the last turn */
    uint32_t ready;          /* jobs */
    struct list out;         /* LEASED */
    struct list waiting;     /* WAITING */
    struct list held;        /* HELD */
    uint64_t idle_ms;        /* when it was last seen with a job */
    struct credits *credits; /* likewise; NULL: none yet */
    struct lane_offer offer; /* likewise */
};

enum lane_end { LANE_BACK, LANE_FRONT };

/* Copies the texts. */
struct lane *lane_new(uint32_t number, const struct conf *conf,
                      const struct conf_pool *pool,
                      const struct destination *destination) must_check;

/* No job may be in it. */
void lane_free(struct lane **lane);

/* A new config: bands are made anew. No job may be READY. */
void lane_reconf(struct lane *lane, const struct conf *conf);

/* Makes the job READY. `weight` is its tenant's; at the front it is the next of
 * its tenant. */
void lane_push(struct lane *lane, struct job *job, uint32_t weight,
               enum lane_end end);

/* The next job by the rules above, no longer in any list; NULL: none READY. */
struct job *lane_take(struct lane *lane);

/* Takes a READY job out. */
void lane_remove(struct lane *lane, struct job *job);

/* The first READY job of each stream and tenant in turn: begin with *at = 0; NULL
 * at the end. The lane must not change meanwhile. */
const struct job *lane_next_first(const struct lane *lane, size_t *at);

/* Has it jobs in any state? */
bool lane_is_empty(const struct lane *lane);

#endif
