/*
 * head.h - beginning a new segment, and giving one up. The committer's own.
 */
#ifndef ROUTER_SPOOL_HEAD_H
#define ROUTER_SPOOL_HEAD_H

#include "router/spool/core.h"

enum head_kind {
    HEAD_ORDINARY, /* takes everything */
    HEAD_RESERVE,  /* takes no PUT: when there is no other */
};

/* Makes a segment with room for a record of `record_bytes` the head. When it
 * returns RC_OK its header, with the end of the segment before, is on disk. On
 * failure (RC_LIMIT, RC_IO) the head is what it was. */
enum rc head_begin(struct spool *spool, enum head_kind kind,
                   uint64_t record_bytes) must_check;

/* The head failed: there is none now, and nobody writes that file again. */
void head_abandon(struct spool *spool);

/* Whether the head takes a record of this size and kind as it is. */
bool head_takes(const struct spool *spool, bool is_put, uint64_t record_bytes);

#endif
