/*
 * record.h - the header of one record, as bytes and as a struct.
 *
 * README.md, section 2, has the layout. Pure; this file knows xxHash, no other
 * does.
 */
#ifndef ROUTER_SPOOL_RECORD_H
#define ROUTER_SPOOL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "router/envelope.h"

#define RECORD_HEADER_SIZE 64u
#define RECORD_ALIGN       8u
#define RECORD_PAYLOAD_MAX ENVELOPE_BYTES_MAX
#define RECORD_BODY_MAX    (1u << 30)

/* On disk: never renumber. */
enum record_kind {
    RECORD_PUT = 1,
    RECORD_STATE = 2,
    RECORD_DROP = 3,
};

/* Flags, on disk: never renumber. */
#define RECORD_MOVED  1u /* a copy that the cleaner made */
#define RECORD_URGENT 2u /* PUT: to be thought of first after a start */

struct record {
    uint8_t kind; /* enum record_kind, or one of a later version */
    uint8_t flags;
    uint64_t id;
    uint64_t order;
    uint64_t synced;
    uint32_t payload_len;
    uint32_t body_len;
    uint64_t payload_sum;
    uint64_t body_sum;
};

/* Checksum of a payload, a body or a segment header. */
uint64_t record_sum(struct slice bytes);

/* What a record header's checksum starts from: it holds at this place only. */
static inline uint64_t record_seed(uint64_t epoch, uint64_t offset)
{
    return epoch ^ offset;
}

uint64_t record_header_sum(const char header[RECORD_HEADER_SIZE],
                           uint64_t seed);

void record_encode(const struct record *record, uint64_t seed,
                   char header[RECORD_HEADER_SIZE]);

/* False when this is no header of ours, or not one for this place. */
bool record_decode(const char header[RECORD_HEADER_SIZE], uint64_t seed,
                   struct record *record) must_check;

/* Whether a record may begin here; cheap. */
bool record_has_magic(const char header[RECORD_HEADER_SIZE]);

/* Bytes from the header to the next record. */
static inline uint64_t record_size(const struct record *record)
{
    const uint64_t len =
        (uint64_t)RECORD_HEADER_SIZE + record->payload_len + record->body_len;
    return (len + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

#endif
