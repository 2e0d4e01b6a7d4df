/*
 * tally.h - which complaints were counted, so that none counts twice.
 *
 * A report may be piped to us again, and who has one message of a template could
 * send as many reports as he likes. So of each recipient of a message one counts,
 * and of a message as many as it had recipients, at most TALLY_WAYS. Bounded, so
 * the oldest of a bucket are forgotten, after about TALLY_BUCKETS * TALLY_WAYS
 * complaints; and all of it with the process. For several threads, under a lock.
 */
#ifndef ROUTER_CONTROL_TALLY_H
#define ROUTER_CONTROL_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"

#define TALLY_BUCKETS 2048u
#define TALLY_WAYS    16u

struct tally;

struct tally *tally_new(void) must_check;
void tally_free(struct tally **tally);

/* A complaint of a message that had so many recipients; `who` is whatever tells
 * them apart. False: it does not count (any more). */
bool tally_take(struct tally *tally, uint64_t message, uint32_t recipients,
                struct slice who) must_check;

/* It may be taken again; what it had displaced stays forgotten. */
void tally_give_back(struct tally *tally, uint64_t message, struct slice who);

#endif
