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

/* Takes the next record: RC_OK; RC_NONE at the end; RC_SYNTAX: its sum is
 * wrong, go on; RC_LIMIT: it leads out, and that is the end. */
enum rc framed_next(struct cursor *cursor, struct slice *payload) must_check;

#endif
