/*
 * kept.h - results that the router has not acknowledged yet.
 *
 * A result is kept, as the bytes of its frame, from the moment the receiver's
 * answer is known until the router says that it is on disk. It is sent again
 * when that takes too long: the frame or its acknowledgement may have been lost
 * with a connection. How many there may be is the link's to bound.
 *
 * Times are milliseconds of the loop's clock.
 */
#ifndef WORKERS_RESULTS_KEPT_H
#define WORKERS_RESULTS_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"

struct kept;

struct kept *kept_new(void) must_check;
void kept_free(struct kept **kept);

/* Copies the frame, which left at sent_ms (0: it could not). False: there is a
 * result of that lease already, and it stays. */
bool kept_add(struct kept *kept, uint64_t lease, uint64_t message,
              struct slice frame, uint64_t sent_ms);

/* The router has it; false when we do not know that lease. */
bool kept_drop(struct kept *kept, uint64_t lease);

size_t kept_count(const struct kept *kept);

typedef void kept_fn(void *context, uint64_t lease, uint64_t message,
                     struct slice frame);

/* The one sent longest ago first. */
void kept_each(const struct kept *kept, kept_fn *fn, void *context);

/* Likewise those that were not sent after `before_ms`; they count as sent at
 * now_ms then. */
void kept_each_due(struct kept *kept, uint64_t before_ms, uint64_t now_ms,
                   kept_fn *fn, void *context);

#endif
