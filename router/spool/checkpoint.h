/*
 * checkpoint.h - indexes of sealed segments: made, written, found again.
 *
 * A thread of its own makes them when the log goes on in another segment, so
 * neither the committer nor a reader waits for that.
 */
#ifndef ROUTER_SPOOL_CHECKPOINT_H
#define ROUTER_SPOOL_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "router/spool/chain.h"
#include "router/spool/directory.h"
#include "router/spool/index.h"

struct spool;
struct checkpoint;

/* Without its thread; the spool is borrowed. */
struct checkpoint *checkpoint_new(struct spool *spool) must_check;
void checkpoint_free(struct checkpoint **checkpoint);

/* For pthread_create; the context is the struct checkpoint. Returns after
 * checkpoint_stop, when all that was asked for is made. */
void *checkpoint_run(void *context);
void checkpoint_stop(struct checkpoint *checkpoint);

/* The segment gets no more records. From any thread. */
void checkpoint_seal(struct checkpoint *checkpoint, uint64_t sequence);

/* The index of this segment, whose end is known; false: there is none that can
 * be used. */
bool checkpoint_load(const struct directory *directory,
                     const struct segment *segment,
                     struct index *index) must_check;

/* The segment leaves, or its index has nothing to say any more. */
void checkpoint_forget(const struct directory *directory, uint64_t sequence);

#endif
