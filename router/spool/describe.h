/* describe.h - one spooled message in words: as JSON or for people. Pure. */
#ifndef ROUTER_SPOOL_DESCRIBE_H
#define ROUTER_SPOOL_DESCRIBE_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

/* Append one JSON object without a line end, or some lines of text. RC_SYNTAX:
 * envelope or state cannot be unpacked; RC_LIMIT: it does not fit. */
enum rc describe_json(uint64_t id, struct slice envelope, struct slice state,
                      struct buf *out) must_check;
enum rc describe_text(uint64_t id, struct slice envelope, struct slice state,
                      struct buf *out) must_check;

#endif
