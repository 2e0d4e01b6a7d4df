/* walk.c - from record to record through a segment. */
#include "router/spool/walk.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/spool/segment.h"

#include <errno.h>

/* What is read at once; behind a body that was worth stepping over, only what
 * most headers with their payload take. */
#define WINDOW_SIZE  (64u << 10)
#define BODY_STEPPED 4096u
#define HEAD_SIZE    1024u

/* What a disk may refuse to read at once; the next such piece is tried. */
#define SECTOR_SIZE 4096u

void walk_init(struct walk *walk, const struct walk_input *input, uint64_t from)
{
    CHECK(from % RECORD_ALIGN == 0);
    *walk = (struct walk){ .epoch = input->epoch, .next = from };
    window_open(&walk->window, &input->source);
}

void walk_release(struct walk *walk)
{
    window_release(&walk->window);
}

/* After a read that failed. Bytes behind the end of the file (errno 0) are not
 * there: that is damage. */
static void note_unread(struct walk *walk)
{
    if (walk->unread == 0)
        walk->unread = errno;
}

/* Where bodies are large the next one is likely to be, too. */
static const char *see(struct walk *walk, uint64_t offset, size_t len)
{
    const size_t ahead =
        walk->record.body_len < BODY_STEPPED ? WINDOW_SIZE : HEAD_SIZE;
    const char *bytes = window_see(&walk->window, offset, len, ahead);
    if (!bytes)
        note_unread(walk);
    return bytes;
}

static bool record_fits(const struct walk *walk, uint64_t offset,
                        const struct record *record)
{
    return record_size(record) <= walk->window.source.end - offset;
}

/* Whether a record begins here. An unreadable place moves *offset to the last
 * slot of its sector: no use in asking for each of its slots. */
static bool try_at(struct walk *walk, uint64_t *offset)
{
    const char *header = see(walk, *offset, RECORD_HEADER_SIZE);
    if (!header) {
        *offset = (*offset / SECTOR_SIZE + 1) * SECTOR_SIZE - RECORD_ALIGN;
        return false;
    }
    if (!record_has_magic(header))
        return false;
    const uint64_t seed = record_seed(walk->epoch, *offset);
    return record_decode(header, seed, &walk->record)
           && record_fits(walk, *offset, &walk->record);
}

bool walk_next(struct walk *walk)
{
    const uint64_t end = walk->window.source.end;
    const uint64_t from = walk->next;
    uint64_t offset = from;
    for (; offset < end && end - offset >= RECORD_HEADER_SIZE;
         offset += RECORD_ALIGN) {
        if (!try_at(walk, &offset))
            continue;
        walk->offset = offset;
        walk->gap = offset - from;
        walk->next = offset + record_size(&walk->record);
        return true;
    }
    walk->next = end > from ? end : from;
    walk->gap = walk->next - from;
    return false;
}

bool walk_payload(struct walk *walk, struct slice *payload)
{
    const size_t len = walk->record.payload_len;
    const char *bytes = see(walk, walk->offset + RECORD_HEADER_SIZE, len);
    if (!bytes)
        return false;
    const struct slice found = slice_of(bytes, len);
    if (record_sum(found) != walk->record.payload_sum)
        return false;
    *payload = found;
    return true;
}

bool walk_body_is_good(struct walk *walk)
{
    const size_t len = walk->record.body_len;
    const uint64_t at =
        walk->offset + RECORD_HEADER_SIZE + walk->record.payload_len;
    const struct window_source *source = &walk->window.source;
    scoped(mem_free_at) char *bytes = mem_new(len + 1, 1);
    if (!source->read(source->context, at, bytes, len)) {
        note_unread(walk);
        return false;
    }
    return record_sum(slice_of(bytes, len)) == walk->record.body_sum;
}

uint64_t walk_find_synced(const struct walk_input *input, int *unread)
{
    struct walk walk;
    uint64_t synced = SEGMENT_START;
    walk_init(&walk, input, SEGMENT_START);
    while (walk_next(&walk))
        if (walk.record.synced > synced && walk.record.synced <= walk.offset)
            synced = walk.record.synced;
    *unread = walk.unread;
    walk_release(&walk);
    return synced;
}
