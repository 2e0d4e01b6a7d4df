/*
 * framed.h - records in a small file that is written whole, each with a sum.
 *
 *     record = length (u32)  sum (u64, record_sum() of the payload)  payload
 *
 * Numbers are little endian. Reading is total: a record whose sum is wrong can
 * be stepped over, one whose length leads out of the bytes ends them. Pure.
 */
#ifndef ROUTER_SPOOL_FRAMED_H
#define ROUTER_SPOOL_FRAMED_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

/* False when it does not fit. */
bool framed_add(struct buf *out, struct slice payload);

typedef bool framed_fn(void *context, struct slice payload);

/* Walks a whole file: `magic`, then records. False when it has another start,
 * a record that is damaged or that `fn` could not read (the others are given
 * all the same), or an end that leads out. No bytes are a file of none. */
bool framed_each(struct slice file, struct slice magic, framed_fn *fn,
                 void *context);

#endif
