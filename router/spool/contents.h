/* contents.h - reading what a segment's file holds. From any thread. */
#ifndef ROUTER_SPOOL_CONTENTS_H
#define ROUTER_SPOOL_CONTENTS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "router/body.h"
#include "router/spool/chain.h"
#include "router/spool/walk.h"

/* A window_read_fn; the context is a struct segment. */
bool contents_read(void *segment, uint64_t offset, char *bytes, size_t len);

/* What it means that contents_read, or a look through a window, just failed.
 * RC_SYNTAX: the bytes are not there; RC_IO: they may be readable later. */
static inline enum rc contents_failure(void)
{
    return errno == 0 ? RC_SYNTAX : RC_IO;
}

/* The segment's records, for a walk. */
struct walk_input contents_input(struct segment *segment);

/* The body of the PUT at `offset`, one reference. RC_SYNTAX: it is not that
 * message's PUT, or a checksum is wrong; RC_IO. */
enum rc contents_read_body(struct segment *segment, uint64_t offset,
                           uint64_t id, struct body **body,
                           struct fault *fault) must_check;

#endif
