/* cleaner.c - keeping the log short at its old end. */
#include "router/spool/cleaner.h"

#include "common/base/crash.h"
#include "common/base/mem.h"
#include "router/spool/batch.h"
#include "router/spool/checkpoint.h"
#include "router/spool/contents.h"
#include "router/spool/core.h"

#include <unistd.h>

/* In front of one batch: what the writers behind it wait for in addition. */
#define COPY_BYTES 1048576u
#define COPY_ITEMS 128u

/* Cleaning begins when less than one in DEAD_FACTOR bytes of a segment lives,
 * or of the whole log less those segments that may be there anyway. */
#define DEAD_FACTOR     4u
#define SEGMENTS_SPARED 4u

void cleaner_release(struct cleaner *cleaner)
{
    if (cleaner->is_walking)
        walk_release(&cleaner->walk);
    cleaner->is_walking = false;
}

static bool wants_cleaning(const struct spool *spool)
{
    const struct chain *chain = &spool->chain;
    const struct segment *first = chain_first(chain);
    if (!spool->head || spool->head->is_reserve || first == spool->head
        || first->live == 0 || atomic_load(&spool->counts.refuses))
        return false;
    return first->live_bytes < (first->end - SEGMENT_START) / DEAD_FACTOR
           || chain->bytes > chain->bytes_live * DEAD_FACTOR
                                 + spool->segment_size * SEGMENTS_SPARED;
}

static void begin_walk(struct cleaner *cleaner, struct segment *segment)
{
    const struct walk_input input = contents_input(segment);
    cleaner_release(cleaner);
    walk_init(&cleaner->walk, &input, SEGMENT_START);
    cleaner->is_walking = true;
    cleaner->sequence = segment->sequence;
    cleaner->copied = 0;
}

/* Payload and body of a record in one piece of memory; NULL when they cannot be
 * read or the payload is damaged. A damaged body is copied with the checksum
 * that it should have: that is found out when somebody reads it. */
static char *load(struct segment *segment, uint64_t offset,
                  const struct record *record)
{
    const size_t len = (size_t)record->payload_len + record->body_len;
    scoped(mem_free_at) char *bytes = mem_new(len + 1, 1);
    if (!contents_read(segment, offset + RECORD_HEADER_SIZE, bytes, len))
        return NULL;
    const struct slice payload = slice_of(bytes, record->payload_len);
    if (record_sum(payload) != record->payload_sum)
        return NULL;
    return steal(bytes);
}

static bool load_state(const struct spool *spool, const struct place *place,
                       struct record *record, char **bytes)
{
    struct segment *segment =
        chain_segment(&spool->chain, place->state_sequence);
    const uint64_t offset = (uint64_t)place->state_offset * RECORD_ALIGN;
    char header[RECORD_HEADER_SIZE];
    if (!contents_read(segment, offset, header, sizeof header)
        || !record_decode(header, record_seed(segment->epoch, offset), record))
        return false;
    *bytes = load(segment, offset, record);
    return *bytes != NULL;
}

static void copy_message(struct spool *spool, struct batch *batch,
                         struct segment *segment)
{
    struct walk *walk = &spool->cleaner.walk;
    char *bytes = load(segment, walk->offset, &walk->record);
    if (!bytes)
        return;
    spool->cleaner.copied++;
    struct record copy = walk->record;
    copy.flags |= RECORD_MOVED;
    batch_add_copy(batch, &copy, bytes);
    CRASH_POINT("cleaner.copied");

    const struct place *place = places_find(&spool->chain.places, copy.id);
    if (!place || place->state_offset == 0)
        return;
    if (!load_state(spool, place, &copy, &bytes)) {
        (void)pthread_mutex_lock(&spool->chain_lock);
        spool_note_damage(spool,
                          chain_segment(&spool->chain, place->state_sequence),
                          copy.id);
        (void)pthread_mutex_unlock(&spool->chain_lock);
        return;
    }
    copy.flags |= RECORD_MOVED;
    batch_add_copy(batch, &copy, bytes);
    batch_join_last(batch);
}

/* The walk is over and found nothing good, yet messages live here by our
 * account: they cannot be read, and would hold the log for ever. */
static void set_aside(struct spool *spool, struct segment *segment)
{
    (void)pthread_mutex_lock(&spool->chain_lock);
    const uint64_t lost =
        chain_forget(&spool->chain, segment, &spool->listener);
    segment->is_damaged = true;
    spool_count_chain(spool);
    (void)pthread_mutex_unlock(&spool->chain_lock);
    atomic_fetch_add(&spool->counts.damaged, lost);
}

void cleaner_gather(struct spool *spool, struct batch *batch)
{
    struct cleaner *cleaner = &spool->cleaner;
    struct segment *first = chain_first(&spool->chain);
    if (!first || !wants_cleaning(spool))
        return;
    if (!cleaner->is_walking || cleaner->sequence != first->sequence)
        begin_walk(cleaner, first);

    while (batch->bytes < COPY_BYTES && batch->count < COPY_ITEMS) {
        if (!walk_next(&cleaner->walk)) {
            /* What was copied shows in `live` only after this batch: a walk
             * that copied anything is followed by another. */
            if (cleaner->copied == 0)
                set_aside(spool, first);
            cleaner_release(cleaner);
            return;
        }
        const struct walk *walk = &cleaner->walk;
        if (walk->record.kind == RECORD_PUT
            && chain_is_live(&spool->chain, first, walk->offset,
                             walk->record.id))
            copy_message(spool, batch, first);
    }
}

static bool may_leave(const struct spool *spool, const struct segment *first)
{
    return spool->chain.count > 1 && first != spool->head && first->live == 0
           && first->readers == 0;
}

void cleaner_retire(struct spool *spool)
{
    while (spool->chain.count > 1) {
        struct segment *first = chain_first(&spool->chain);
        (void)pthread_mutex_lock(&spool->chain_lock);
        const bool leaves = may_leave(spool, first);
        const struct segment left =
            leaves ? chain_take_first(&spool->chain) : *first;
        spool_count_chain(spool);
        (void)pthread_mutex_unlock(&spool->chain_lock);
        if (!leaves)
            return;
        CRASH_POINT("segment.leaving");
        if (spool->cleaner.sequence == left.sequence)
            cleaner_release(&spool->cleaner);
        checkpoint_forget(&spool->directory, left.sequence);
        if (!supply_give(&spool->supply, left.sequence, left.size,
                         left.is_damaged))
            atomic_fetch_add(&spool->counts.failures, 1);
        else if (left.is_damaged)
            spool_tell(spool, SPOOL_SET_ASIDE, left.sequence, 0);
        (void)close(left.fd);
        CRASH_POINT("segment.left");
    }
}
