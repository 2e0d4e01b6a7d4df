/*
 * pauses.h - what operators keep from being handed out.
 *
 * A pause is a rule (actions/action.h). What it means is not given to workers;
 * no attempt is charged, no backoff grows, and expiry goes on. A job that a
 * worker has already is let finish; one that waits for its next attempt waits,
 * and is kept when its time has come.
 *
 * A rule that speaks of tenant, stream, site and pool alone closes whole shares
 * of lanes (lane.h): a million jobs behind it stay where they are and cost
 * nothing. Any other rule takes jobs aside one by one, as their turn comes,
 * into PAUSED; when it ends they go back to the front in their order, so many in
 * each turn of the thread.
 */
#ifndef ROUTER_DISPATCH_PAUSES_H
#define ROUTER_DISPATCH_PAUSES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/list.h"
#include "router/actions/action.h"
#include "router/actions/filter.h"

struct dispatch;
struct job;

struct pause {
    struct list link; /* in pauses->rules, oldest first */
    struct action *action;
    struct filter filter;
    bool is_of_share;
};

struct pauses {
    struct list rules;
    size_t share_rules;
    size_t job_rules;
    struct list returning; /* PAUSED jobs that no lane lists: being looked at */
};

void pauses_init(struct pauses *pauses);
void pauses_release(struct pauses *pauses);

/* A pause that began or ended. Again the same: nothing. */
void pauses_hear(struct dispatch *dispatch, const struct action *action);

/* Ends those whose time is over. */
void pauses_tick(struct dispatch *dispatch);

/* A job whose turn has come, in no list. True: it is aside, all of it. What is
 * meant of a job in part is split off and set aside alone. */
bool pauses_keep(struct dispatch *dispatch, struct job *job);

/* Puts back jobs whose pause has ended, until `until_us`; true while there are
 * more. */
bool pauses_return(struct dispatch *dispatch, uint64_t until_us);

/* Around a reload, which takes all READY jobs out and puts them back: first open
 * all, afterwards close what the rules say by the new names. */
void pauses_lift(struct dispatch *dispatch);
void pauses_apply(struct dispatch *dispatch);

/* The rule that keeps this recipient of the job, or would when its turn comes;
 * NULL: none. An event must have begun. */
const struct pause *pauses_find(struct dispatch *dispatch, struct job *job,
                                size_t position);

#endif
