/*
 * band.h - the streams of one lane: whose turn it is.
 *
 *     urgent bands       strictly before all others; among them the one that is
 *                        nearest to missing its objective
 *     bands that are     the oldest job that is READY and was never tried has
 *     falling behind     waited for half of the stream's objective
 *     all others         by weight (stride)
 *
 * Half, because a band must be helped while there is time left to help it: what
 * is left then is as long as what has passed, and the help comes with the very
 * next slots. Of several bands that which can still keep its objective and has
 * the least time left for it goes first. Bands that have missed theirs come
 * after those, the one that is late by the greatest part first: slots that they
 * got instead would make others late as well and bring them back nothing.
 *
 * An urgent band without an objective counts as having BAND_URGENT_MS.
 *
 * Nobody starves: every BAND_TURNS-th turn goes by weight, among the urgent and
 * among the others, so that each band with jobs has at least 1/BAND_TURNS of its
 * share. The turns of a band that is behind are not charged to its weight.
 * A band that was empty comes back without credit for the time that it was
 * away: it can neither save up turns nor lose any.
 *
 * Pure. Ages are UTC because ids carry the time of acceptance, and it counts
 * over restarts; a clock that jumps costs order for a while, nothing else.
 */
#ifndef ROUTER_LANES_BAND_H
#define ROUTER_LANES_BAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/heap.h"
#include "common/base/list.h"
#include "common/proto/wire.h"
#include "config/conf.h"

#define BAND_TURNS     4u
#define BAND_URGENT_MS 5000u

struct band {
    struct list shares;  /* those with jobs; the first one's turn it is */
    struct heap fresh;   /* shares by the acceptance of their first job that was
                         * never tried, UTC ms */
    uint64_t latency_ms; /* objective; 0: none */
    uint64_t pass;       /* virtual time of its next turn */
    uint32_t weight;
    uint32_t ready; /* jobs */
    bool urgent;
};

/* Of the urgent bands, and of the others. */
struct band_class {
    uint64_t floor_pass; /* pass of the last turn by weight */
    uint32_t helped;     /* turns by age since that */
};

void band_init(struct band *band, const struct conf_stream *stream);
void band_release(struct band *band);

/* So many jobs more; the class is the band's. */
void band_add(struct band *band, const struct band_class *class,
              uint32_t count);

/* How the objective stands. An urgent band without jobs is not behind. */
bool band_is_behind(const struct band *band, uint64_t utc_ms);

/* How much the next job of the band needs to leave. */
enum wire_rank band_rank(const struct band *band, uint64_t utc_ms);

/* Whose turn it is; it is taken. classes[0] is of bands that are not urgent.
 * NULL: no band has jobs. */
struct band *band_next(struct band *bands, size_t count,
                       struct band_class classes[2], uint64_t utc_ms);

#endif
