/*
 * kept.h - results that the router has not acknowledged yet.
 *
 * A result is kept, as the bytes of its frame, from the moment the receiver's
 * answer is known until the router says that it is on disk. A router that
 * restarts gets them all once more. Bounded: a worker that keeps KEPT_MAX
 * results takes no further jobs.
 */
#ifndef WORKERS_RESULTS_KEPT_H
#define WORKERS_RESULTS_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/slice.h"

#define KEPT_MAX 4096

struct kept;

struct kept *kept_new(void) must_check;
void kept_free(struct kept **kept);

/* Copies the frame. */
void kept_add(struct kept *kept, uint64_t lease, uint64_t message,
              struct slice frame);

/* The router has it; false when we do not know that lease. */
bool kept_drop(struct kept *kept, uint64_t lease);

size_t kept_count(const struct kept *kept);

typedef void kept_fn(void *context, uint64_t lease, uint64_t message,
                     struct slice frame);

/* Oldest first. */
void kept_each(const struct kept *kept, kept_fn *fn, void *context);

#endif
