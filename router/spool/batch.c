/* batch.c - the records of one sync. */
#include "router/spool/batch.h"

#include "common/base/check.h"
#include "common/base/crash.h"
#include "common/base/mem.h"
#include "common/base/time.h"

#include <errno.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECES_PER_ITEM 4u /* header, payload, body, padding */
#define PIECES_MAX      1024u

_Static_assert(PIECES_MAX <= IOV_MAX, "pwritev takes no more at once");
_Static_assert(PIECES_MAX % PIECES_PER_ITEM == 0, "no item is cut in two");

static const enum record_kind kinds[] = {
    [SPOOL_PUT] = RECORD_PUT,
    [SPOOL_STATE] = RECORD_STATE,
    [SPOOL_DROP] = RECORD_DROP,
};

struct batch *batch_new(void)
{
    return NEW(struct batch);
}

void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        mem_free(steal(batch->items[i].owned));
    batch->count = 0;
    batch->bytes = 0;
}

void batch_free(struct batch **batch)
{
    struct batch *freed = steal(*batch);
    if (!freed)
        return;
    batch_clear(freed);
    mem_free(freed);
}

bool batch_has_room(const struct batch *batch)
{
    return batch->count < BATCH_ITEMS_MAX;
}

static struct slice body_of(const struct spool_write *write)
{
    return write->kind == SPOOL_PUT ? body_slice(write->body) : SLICE("");
}

/* All but `synced`, `order` and the checksums. */
static struct record record_of(const struct spool_write *write)
{
    return (struct record){
        .kind = (uint8_t)kinds[write->kind],
        .flags = write->urgent ? RECORD_URGENT : 0,
        .id = write->id,
        .payload_len = (uint32_t)write->payload.len,
        .body_len = (uint32_t)body_of(write).len,
    };
}

uint64_t batch_size_of(const struct spool_write *write)
{
    const struct record record = record_of(write);
    return record_size(&record);
}

bool batch_is_large(const struct spool_write *write)
{
    return write->kind == SPOOL_PUT && write->body->len > SPOOL_LARGE;
}

static struct item *add(struct batch *batch, const struct record *record)
{
    CHECK(batch->count < BATCH_ITEMS_MAX);
    struct item *item = &batch->items[batch->count++];
    batch->bytes += record_size(record);
    *item = (struct item){ .record = *record };
    return item;
}

void batch_add(struct batch *batch, struct spool_write *write)
{
    const struct record record = record_of(write);
    struct item *item = add(batch, &record);
    item->write = write;
    item->payload = write->payload;
    item->body = body_of(write);
}

void batch_sum(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct item *item = &batch->items[i];
        if (!item->write) /* a copy keeps those that it had */
            continue;
        item->record.payload_sum = record_sum(item->payload);
        item->record.body_sum = record_sum(item->body);
    }
}

void batch_add_copy(struct batch *batch, const struct record *record,
                    char *owned)
{
    struct item *item = add(batch, record);
    item->owned = owned;
    item->payload = slice_of(owned, record->payload_len);
    item->body = slice_of(owned + record->payload_len, record->body_len);
}

void batch_join_last(struct batch *batch)
{
    CHECK(batch->count > 1);
    batch->items[batch->count - 1].is_joined = true;
}

/* pwritev only reads, but its struct cannot say so. */
static struct iovec piece_of(const char *bytes, size_t len)
{
    return (struct iovec){ .iov_base = (void *)(uintptr_t)bytes,
                           .iov_len = len };
}

static bool write_all(int fd, struct iovec *pieces, size_t count,
                      uint64_t offset)
{
    while (count > 0) {
        const ssize_t put = pwritev(fd, pieces, (int)count, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        size_t left = (size_t)put;
        offset += left;
        for (; count > 0 && left >= pieces->iov_len; pieces++, count--)
            left -= pieces->iov_len;
        if (count > 0 && put == 0) {
            errno = EIO; /* no progress and no reason */
            return false;
        }
        if (left > 0) {
            pieces->iov_base = (char *)pieces->iov_base + left;
            pieces->iov_len -= left;
        }
    }
    return true;
}

/* Puts the item's header in its final form and appends its pieces. */
static size_t lay_out(struct item *item, const struct segment *segment,
                      struct iovec *pieces)
{
    static const char zeros[RECORD_ALIGN];
    item->record.synced = segment->end;
    record_encode(&item->record, record_seed(segment->epoch, item->offset),
                  item->header);
    const uint64_t padding = record_size(&item->record) - RECORD_HEADER_SIZE
                             - item->payload.len - item->body.len;
    size_t count = 0;
    pieces[count++] = piece_of(item->header, RECORD_HEADER_SIZE);
    if (item->payload.len > 0)
        pieces[count++] = piece_of(item->payload.ptr, item->payload.len);
    if (item->body.len > 0)
        pieces[count++] = piece_of(item->body.ptr, item->body.len);
    if (padding > 0)
        pieces[count++] = piece_of(zeros, (size_t)padding);
    return count;
}

bool batch_write(struct item *items, size_t count,
                 const struct segment *segment, uint64_t *sync_us)
{
    struct iovec pieces[PIECES_MAX] = { { .iov_len = 0 } };
    size_t piece_count = 0;
    uint64_t from = segment->end;
    uint64_t offset = segment->end;
    for (size_t i = 0; i < count; i++) {
        items[i].offset = offset;
        piece_count += lay_out(&items[i], segment, pieces + piece_count);
        offset += record_size(&items[i].record);
        const bool is_full = piece_count + PIECES_PER_ITEM > PIECES_MAX;
        if (!is_full && i + 1 < count)
            continue;
        CRASH_POINT("batch.laid_out");
        if (!write_all(segment->fd, pieces, piece_count, from))
            return false;
        CRASH_POINT("batch.written");
        piece_count = 0;
        from = offset;
    }
    const uint64_t begun_us = time_now_us();
    if (fdatasync(segment->fd) != 0)
        return false;
    CRASH_POINT("batch.synced");
    *sync_us = time_now_us() - begun_us;
    return true;
}
