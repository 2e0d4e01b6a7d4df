/*
 * fuzz_index.c - an index of any bytes is taken whole or not at all, and what
 * is taken lies inside its segment, in order.
 *
 * The checksum keeps a fuzzer out, so each input is tried as it is and with the
 * checksum put right.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/spool/bytes.h"
#include "router/spool/index.h"
#include "router/spool/segment.h"

#define AT_SEQUENCE 16
#define AT_EPOCH    24
#define AT_END      32
#define AT_SUM      56

static void check_entries(const struct index *index)
{
    uint64_t from = SEGMENT_START;
    for (size_t i = 0; i < index->count; i++) {
        const struct index_entry *entry = &index->entries[i];
        const struct record record = index_record(entry);
        CHECK(entry->id != 0 && entry->offset >= from);
        CHECK(record_size(&record) == entry->size);
        from = entry->offset + entry->size;
        CHECK(from <= index->end);
    }
}

/* What was taken gives the same bytes again. */
static void try(const char *bytes, size_t size)
{
    struct index index = { .sequence = 1 };
    if (size >= INDEX_HEADER_SIZE) {
        index.sequence = bytes_get64(bytes + AT_SEQUENCE);
        index.epoch = bytes_get64(bytes + AT_EPOCH);
        index.end = bytes_get64(bytes + AT_END);
    }
    if (index_decode(slice_of(bytes, size), &index) == RC_OK) {
        size_t len = 0;
        check_entries(&index);
        CHECK(size <= index_bytes_max(index.end));
        char *again = index_encode(&index, &len);
        CHECK(len == size
              && memcmp(again + INDEX_HEADER_SIZE, bytes + INDEX_HEADER_SIZE,
                        size - INDEX_HEADER_SIZE)
                     == 0);
        mem_free(again);
        index_reduce(&index);
        check_entries(&index);
    }
    index_release(&index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = mem_new(size + 1, 1);
    if (size > 0)
        memcpy(bytes, data, size);
    try(bytes, size);
    if (size >= INDEX_HEADER_SIZE) {
        bytes_put64(bytes + AT_SUM, index_sum(slice_of(bytes, size)));
        try(bytes, size);
    }
    mem_free(bytes);
    return 0;
}
