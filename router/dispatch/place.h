/*
 * place.h - a job finds its destination, its pool and its lane; or waits.
 *
 * All of these take a job that is in no list and in no lane, and put it into
 * one state; the job may be split (max_rcpt_per_transaction) or end on the way
 * (domain without mail, expiry), so it must not be used afterwards.
 */
#ifndef ROUTER_DISPATCH_PLACE_H
#define ROUTER_DISPATCH_PLACE_H

#include "router/dispatch/core.h"

/* What stands behind the last '@'; empty when there is none. */
struct slice place_domain_of(struct slice address);

/* Resolves all jobs of a new message. */
void place_message(struct dispatch *dispatch, struct queued *queued);

/* READY in the lane where it belongs now, at the front or the back; its
 * destination is known. */
void place_ready(struct dispatch *dispatch, struct job *job, enum lane_end end);

/* WAITING until `next_ms` or the message's expiry; lane NULL: it has none. */
void place_waiting(struct dispatch *dispatch, struct job *job,
                   struct lane *lane, uint64_t next_ms);

/* As its attempts, its next time (alarm.at_ms) and its destination say. */
void place_again(struct dispatch *dispatch, struct job *job);

/* CLAIMED. */
void place_claimed(struct dispatch *dispatch, struct job *job);

/* HELD until a late result, a person or its expiry. */
void place_held(struct dispatch *dispatch, struct job *job);

/* PAUSED beside its lane, where it was READY. */
void place_paused(struct dispatch *dispatch, struct job *job);

/* Where it stands in its state (WAITING, HELD; all else is READY), by its route
 * of now. */
void place_rerouted(struct dispatch *dispatch, struct job *job);

/* It was with `worker`, who is gone: as its stream's in_doubt says. NULL: the
 * event log owns up to it already. */
void place_in_doubt(struct dispatch *dispatch, struct job *job,
                    const char *worker);

/* The alarm of a job rang: next attempt, or expiry. A whole event. */
void place_rang(struct dispatch *dispatch, struct job *job);

/* mx.h: the answer for a RESOLVING job. */
void place_answered(struct dispatch *dispatch, struct job *job,
                    const struct mx_answer *answer);

/* All READY jobs of the lane go where they belong now. */
void place_lane_again(struct dispatch *dispatch, struct lane *lane);

#endif
