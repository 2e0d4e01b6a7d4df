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
 *   ARGV  worker; lease and beat in ms; birth; for each gate "limit want held open share"
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
 * sure of one slot each by turns of 10 s. Who is a second late with its beat is
 * sure of nothing: what it has is still its own until it expires. Entries of earlier versions end
 * with the expiry: their workers want what they use.
 *
 * The marker knows when somebody was last here (`alive`) and since when somebody
 * has been without a gap (`since`). After a gap in which a lease could end, with
 * all keys lost, or when the clock was set back, the counts say nothing: for one
 * lease a worker gets no more than it holds, or, when it was not here before
 * that (its birth is the present `since`), than its share. An entry that expires
 * later than any can does so a lease from now. */
extern const struct store_script script_renew_slots;

/* Reserves moments at which messages may leave (GCRA).
 *   KEYS  the hash of the rate
 *   ARGV  worker; "interval count spread held returned reach life due after"
 *   reply the server's time in us; then for each run the wait to its first
 *         moment in us, and how many there are, 16 intervals apart; none: the
 *         wait until there may be some, and 0
 * Times are us but for the life of the key in ms. Moments lie one interval apart
 * on 16 tracks in turn. With spread 1 each of those who have moments ahead gets
 * its part of the tracks, up to the same time on each: `count` moments behind
 * those that it holds, `held` from now, but none beyond the reach. With 0 the
 * next ones. Returned 1: the worker has dropped all that
 * it held. Due 1: the key was there lately; when it is not it was lost, with
 * moments reserved up to the reach. No moment comes earlier than `after`.
 *
 * The hash has the interval, when it was written, and as lines for each track its
 * next free moment, from which moment on those before that are its last owner's,
 * and who that is. Written later than now, the clock was set back or is another
 * server's: what was reserved is as far ahead as it was then, and the tracks
 * begin anew behind it.
 * When all moments are over the tracks begin anew, now. A string is what earlier
 * versions left: the next free moment. */
extern const struct store_script script_reserve;

#endif
