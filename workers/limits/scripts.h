/*
 * scripts.h - what Redis does for the limits, as Lua.
 *
 * Both take the time from the server's clock, so that workers' clocks do not
 * matter, and are the only writers of their keys.
 */
#ifndef WORKERS_LIMITS_SCRIPTS_H
#define WORKERS_LIMITS_SCRIPTS_H

#include "common/edge/store.h"

/* Renews and changes the slots of one worker at many gates.
 *   KEYS  the marker of the whole cluster; one hash for each gate
 *   ARGV  worker; lease in ms; birth; for each gate "limit want held open share"
 *   reply since, then for each gate the slots granted, and those that the worker
 *         is sure of
 * A hash maps workers to "used expiry want granted since". Used is what counts
 * against the limit: what was granted, and above that what the worker still had
 * when it spoke last. Before that it used no more than it held, and from then on
 * it keeps to what it hears; so nobody else gets a slot before it is free.
 *
 * Each worker that wants any is sure of an equal part of the limit, and may use
 * what the others leave. Who has less than its part waits since `since`; when
 * that is 500 ms ago, long enough to be no whim, those above their parts are
 * granted less. With fewer slots than workers that want one, the workers are
 * sure of one slot each by turns of 10 s. Entries of earlier versions end
 * with the expiry: their workers want what they use.
 *
 * The marker knows when somebody was
 * last here (`alive`) and since when somebody has been without a gap (`since`).
 * After a gap of a lease, or with all keys lost, the counts say nothing: for one
 * lease a worker gets no more than it holds, or, when it was not here before
 * that (its birth is the present `since`), than its share. */
extern const struct store_script script_renew_slots;

/* Reserves the next moments at which messages may leave (GCRA).
 *   KEYS  the time of the next free moment
 *   ARGV  interval in us; how many; horizon in us; life of the key in ms;
 *         "1": the key was there lately; earliest, in us from now
 *   reply how many (0: all within the horizon are taken), and the wait to the
 *         first of them (to when one may be had) in us
 * A key that should be there and is not was lost, with moments reserved up to
 * the horizon: the next free one is behind it. */
extern const struct store_script script_reserve;

#endif
