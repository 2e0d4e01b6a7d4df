/*
 * fuzz_segment.c - a walk through any bytes ends, stays inside, and gives
 * records that follow one another.
 *
 * Checksums keep a fuzzer out, so each input is walked twice: as it is, and
 * with the checksum of whatever looks like a header put right, so that every
 * length and flag is tried.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/spool/bytes.h"
#include "router/spool/segment.h"
#include "router/spool/walk.h"

#define EPOCH  0x0123456789abcdefu
#define SUM_AT (RECORD_HEADER_SIZE - sizeof(uint64_t))

static bool read_bytes(void *context, uint64_t offset, char *bytes, size_t len)
{
    const struct slice *all = context;
    CHECK(offset <= all->len && len <= all->len - offset);
    if (len > 0)
        memcpy(bytes, all->ptr + offset, len);
    return true;
}

static void walk_through(struct slice bytes)
{
    const struct walk_input input = {
        .source = { .read = read_bytes, .context = &bytes, .end = bytes.len },
        .epoch = EPOCH,
    };
    struct walk walk;
    uint64_t end = 0;
    walk_init(&walk, &input, 0);
    while (walk_next(&walk)) {
        CHECK(walk.offset == end + walk.gap);
        CHECK(walk.offset % RECORD_ALIGN == 0);
        CHECK(walk.next > walk.offset && walk.next <= bytes.len);
        end = walk.next;
        struct slice payload;
        if (walk_payload(&walk, &payload))
            CHECK(payload.len == walk.record.payload_len);
        const bool is_good = walk_body_is_good(&walk);
        CHECK(is_good || walk.record.body_len > 0
              || walk.record.body_sum != record_sum(SLICE("")));
    }
    walk_release(&walk);
    int unread = 0;
    (void)walk_find_synced(&input, &unread);
}

static void put_sums_right(char *bytes, size_t size)
{
    for (size_t at = 0; at < size && size - at >= RECORD_HEADER_SIZE;
         at += RECORD_ALIGN)
        if (record_has_magic(bytes + at))
            bytes_put64(bytes + at + SUM_AT,
                        record_header_sum(bytes + at, record_seed(EPOCH, at)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice bytes = slice_of((const char *)data, size);
    struct segment_header header;
    (void)(segment_decode(bytes, &header) == RC_OK);
    walk_through(bytes);

    char *repaired = mem_new(size + 1, 1);
    if (size > 0)
        memcpy(repaired, data, size);
    put_sums_right(repaired, size);
    walk_through(slice_of(repaired, size));
    mem_free(repaired);
    return 0;
}
