/*
 * segment.h - the header of one segment, as bytes and as a struct. Pure.
 *
 * README.md, section 2, says what each field is for.
 */
#ifndef ROUTER_SPOOL_SEGMENT_H
#define ROUTER_SPOOL_SEGMENT_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define SEGMENT_VERSION    1u
#define SEGMENT_START      1024u /* where records begin */
#define SEGMENT_ROUTER_MAX 64u   /* bytes of the router's name, NUL included */
#define SEGMENT_SIZE_MIN   (64u << 10)
#define SEGMENT_SIZE_MAX   (16ull << 30) /* places count in 32 bits of 8 bytes */

struct segment_header {
    uint32_t version;
    uint64_t sequence;
    uint64_t epoch;
    uint64_t oldest;
    uint64_t previous_end;
    uint32_t previous_unsynced; /* bytes before it that may be torn */
    uint64_t last_id;
    uint64_t next_order;
    uint64_t made_utc_ms;
    char router[SEGMENT_ROUTER_MAX];
};

/* Both copies, and zeros between. */
void segment_encode(const struct segment_header *header,
                    char bytes[SEGMENT_START]);

/* From the first good copy. RC_SYNTAX: neither is good; RC_LIMIT: made by a
 * later version of the program. */
enum rc segment_decode(struct slice bytes,
                       struct segment_header *header) must_check;

#endif
