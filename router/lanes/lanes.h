/*
 * lanes.h - every lane and every queued message of this router.
 *
 * Lanes are found by (pool, site) and by number; a number is never used again,
 * since workers hold credit by it. Tenants have numbers, too (names.h), and
 * their weights stand here.
 */
#ifndef ROUTER_LANES_LANES_H
#define ROUTER_LANES_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "common/base/table.h"
#include "config/conf.h"
#include "router/lanes/lane.h"
#include "router/lanes/names.h"
#include "router/lanes/queued.h"

struct lanes {
    const struct conf *conf;
    struct table by_key;
    struct table by_number;
    struct table messages; /* struct queued, by id */
    struct names tenants;
    uint32_t *weights; /* by the tenant's number; 0: not looked up yet */
    size_t weight_count;
    uint32_t number_last;
    uint32_t hot_share; /* see lanes_keep_hot() */
    struct lane_warmth warmth;
    lane_closes_fn *closes; /* asked for each new share; NULL: none is */
    void *closes_context;
};

/* Jobs that all lanes together keep in memory at the head of their shares,
 * roughly; and what one share gets of them. */
#define LANES_HOT_MAX       65536u
#define LANES_HOT_SHARE     512u
#define LANES_HOT_SHARE_LOW 8u

/* `conf` must live until the next lanes_reconf() or the release. */
void lanes_init(struct lanes *lanes, const struct conf *conf, uint64_t now_ms);

/* One share keeps so many jobs in memory at most, instead of LANES_HOT_SHARE. */
void lanes_keep_hot(struct lanes *lanes, uint32_t hot_share);

/* Frees lanes and messages. */
void lanes_release(struct lanes *lanes);

/* New bands, pools and weights in all lanes. No job may be READY. When streams
 * have changed places cold READY messages go into the line of `found`. */
void lanes_reconf(struct lanes *lanes, const struct conf *conf,
                  struct cold_queue *found);

/* The lane of a pool and the destination's site; made when there is none. */
struct lane *lanes_lane(struct lanes *lanes, const struct conf_pool *pool,
                        const struct destination *destination);
struct lane *lanes_by_number(const struct lanes *lanes, uint32_t number);

/* The lane must be empty. */
void lanes_drop(struct lanes *lanes, struct lane **lane);

/* At the end of its tenant's jobs, or at their front. */
void lanes_push(struct lanes *lanes, struct lane *lane, struct job *job,
                enum lane_end end);

/* Takes a job out of the list that it is in, READY or not. State and lane still
 * say where it was, until the caller puts it elsewhere. */
void lanes_leave(struct job *job);

/* Puts a job that is in no list into its lane's list for the state: LEASED,
 * WAITING, HELD or PAUSED. */
void lanes_park(struct lane *lane, struct job *job, enum job_state state);

#endif
