/*
 * offers.h - workers hear which lanes have jobs.
 *
 * A lane is told when it opens, when it has grown to twice of what was told,
 * when it has stood empty for a while, and anew when nobody asks for it: credit
 * stands in between, so that the frames go by lanes, not by messages. When
 * there is none left, and the lane has urgent jobs or falls behind, it is told
 * that, too: a worker may have a connection of another lane for it.
 */
#ifndef ROUTER_DISPATCH_OFFERS_H
#define ROUTER_DISPATCH_OFFERS_H

#include "router/dispatch/core.h"

/* The lane has jobs: tells it at once when workers do not know. */
void offers_open(struct dispatch *dispatch, struct lane *lane);

/* The lane has jobs and nobody has credit: tells what it needs, if it is news. */
void offers_need(struct dispatch *dispatch, struct lane *lane);

/* All lanes with jobs, to a worker that has just come. */
void offers_greet(struct dispatch *dispatch, const struct worker *worker);

/* What grew and what emptied; call it every few ticks. */
void offers_tick(struct dispatch *dispatch);

/* All workers forget all lanes: the counts begin anew (WELCOME). */
void offers_forget(struct dispatch *dispatch);

#endif
