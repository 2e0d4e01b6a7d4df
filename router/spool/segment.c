/* segment.c - the header of one segment, as bytes and as a struct. */
#include "router/spool/segment.h"

#include "router/spool/bytes.h"
#include "router/spool/record.h"

#define COPY_SIZE (SEGMENT_START / 2)

static const char magic[8] = { 'S', 'Y', 'S', 'P', 'O', 'O', 'L', '\n' };

enum offset {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_PREVIOUS_UNSYNCED = 12,
    AT_SEQUENCE = 16,
    AT_EPOCH = 24,
    AT_OLDEST = 32,
    AT_PREVIOUS_END = 40,
    AT_LAST_ID = 48,
    AT_NEXT_ORDER = 56,
    AT_MADE = 64,
    AT_ROUTER = 72,
    AT_SUM = AT_ROUTER + SEGMENT_ROUTER_MAX,
};

static void encode_copy(const struct segment_header *header, char *bytes)
{
    memcpy(bytes + AT_MAGIC, magic, sizeof magic);
    bytes_put32(bytes + AT_VERSION, header->version);
    bytes_put32(bytes + AT_PREVIOUS_UNSYNCED, header->previous_unsynced);
    bytes_put64(bytes + AT_SEQUENCE, header->sequence);
    bytes_put64(bytes + AT_EPOCH, header->epoch);
    bytes_put64(bytes + AT_OLDEST, header->oldest);
    bytes_put64(bytes + AT_PREVIOUS_END, header->previous_end);
    bytes_put64(bytes + AT_LAST_ID, header->last_id);
    bytes_put64(bytes + AT_NEXT_ORDER, header->next_order);
    bytes_put64(bytes + AT_MADE, header->made_utc_ms);
    memcpy(bytes + AT_ROUTER, header->router, sizeof header->router);
    bytes_put64(bytes + AT_SUM, record_sum(slice_of(bytes, AT_SUM)));
}

void segment_encode(const struct segment_header *header,
                    char bytes[SEGMENT_START])
{
    memset(bytes, 0, SEGMENT_START);
    encode_copy(header, bytes);
    encode_copy(header, bytes + COPY_SIZE);
}

static enum rc decode_copy(const char *bytes, struct segment_header *header)
{
    if (memcmp(bytes + AT_MAGIC, magic, sizeof magic) != 0
        || bytes_get64(bytes + AT_SUM) != record_sum(slice_of(bytes, AT_SUM)))
        return RC_SYNTAX;

    struct segment_header found = {
        .version = bytes_get32(bytes + AT_VERSION),
        .previous_unsynced = bytes_get32(bytes + AT_PREVIOUS_UNSYNCED),
        .sequence = bytes_get64(bytes + AT_SEQUENCE),
        .epoch = bytes_get64(bytes + AT_EPOCH),
        .oldest = bytes_get64(bytes + AT_OLDEST),
        .previous_end = bytes_get64(bytes + AT_PREVIOUS_END),
        .last_id = bytes_get64(bytes + AT_LAST_ID),
        .next_order = bytes_get64(bytes + AT_NEXT_ORDER),
        .made_utc_ms = bytes_get64(bytes + AT_MADE),
    };
    if (found.version > SEGMENT_VERSION)
        return RC_LIMIT;
    memcpy(found.router, bytes + AT_ROUTER, sizeof found.router - 1);
    *header = found;
    return RC_OK;
}

enum rc segment_decode(struct slice bytes, struct segment_header *header)
{
    if (bytes.len < SEGMENT_START)
        return RC_SYNTAX;
    const enum rc rc = decode_copy(bytes.ptr, header);
    return rc == RC_SYNTAX ? decode_copy(bytes.ptr + COPY_SIZE, header) : rc;
}
