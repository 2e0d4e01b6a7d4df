/* record.c - the header of one record, as bytes and as a struct. */
#include "router/spool/record.h"

#include "router/spool/bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MAGIC 0x43525953u /* SYRC */

enum offset {
    AT_MAGIC = 0,
    AT_KIND = 4,
    AT_FLAGS = 5,
    AT_ZERO = 6,
    AT_ID = 8,
    AT_ORDER = 16,
    AT_SYNCED = 24,
    AT_PAYLOAD_LEN = 32,
    AT_BODY_LEN = 36,
    AT_PAYLOAD_SUM = 40,
    AT_BODY_SUM = 48,
    AT_SUM = 56,
};

uint64_t record_sum(struct slice bytes)
{
    return XXH3_64bits(bytes.len > 0 ? bytes.ptr : "", bytes.len);
}

uint64_t record_header_sum(const char header[RECORD_HEADER_SIZE], uint64_t seed)
{
    return XXH3_64bits_withSeed(header, AT_SUM, seed);
}

void record_encode(const struct record *record, uint64_t seed,
                   char header[RECORD_HEADER_SIZE])
{
    bytes_put32(header + AT_MAGIC, MAGIC);
    header[AT_KIND] = (char)record->kind;
    header[AT_FLAGS] = (char)record->flags;
    header[AT_ZERO] = 0;
    header[AT_ZERO + 1] = 0;
    bytes_put64(header + AT_ID, record->id);
    bytes_put64(header + AT_ORDER, record->order);
    bytes_put64(header + AT_SYNCED, record->synced);
    bytes_put32(header + AT_PAYLOAD_LEN, record->payload_len);
    bytes_put32(header + AT_BODY_LEN, record->body_len);
    bytes_put64(header + AT_PAYLOAD_SUM, record->payload_sum);
    bytes_put64(header + AT_BODY_SUM, record->body_sum);
    bytes_put64(header + AT_SUM, record_header_sum(header, seed));
}

bool record_has_magic(const char header[RECORD_HEADER_SIZE])
{
    return bytes_get32(header + AT_MAGIC) == MAGIC;
}

bool record_decode(const char header[RECORD_HEADER_SIZE], uint64_t seed,
                   struct record *record)
{
    if (!record_has_magic(header)
        || bytes_get64(header + AT_SUM) != record_header_sum(header, seed))
        return false;

    const struct record found = {
        .kind = (uint8_t)header[AT_KIND],
        .flags = (uint8_t)header[AT_FLAGS],
        .id = bytes_get64(header + AT_ID),
        .order = bytes_get64(header + AT_ORDER),
        .synced = bytes_get64(header + AT_SYNCED),
        .payload_len = bytes_get32(header + AT_PAYLOAD_LEN),
        .body_len = bytes_get32(header + AT_BODY_LEN),
        .payload_sum = bytes_get64(header + AT_PAYLOAD_SUM),
        .body_sum = bytes_get64(header + AT_BODY_SUM),
    };
    if (found.id == 0 || found.payload_len > RECORD_PAYLOAD_MAX
        || found.body_len > RECORD_BODY_MAX)
        return false;
    *record = found;
    return true;
}
