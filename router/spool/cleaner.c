/* cleaner.c - keeping the log short at its old end. */
#include "router/spool/cleaner.h"

#include "common/base/crash.h"
#include "common/base/mem.h"
#include "router/spool/batch.h"
#include "router/spool/checkpoint.h"
#include "router/spool/contents.h"
#include "router/spool/core.h"

#include <errno.h>
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

static bool is_pausing(const struct cleaner *cleaner,
                       const struct segment *segment)
{
    return cleaner->tries > 0 && cleaner->sequence == segment->sequence
           && time_now_ms() < cleaner->again_ms;
}

static void begin_walk(struct cleaner *cleaner, struct segment *segment)
{
    const struct walk_input input = contents_input(segment);
    cleaner_release(cleaner);
    walk_init(&cleaner->walk, &input, SEGMENT_START);
    if (cleaner->sequence != segment->sequence)
        cleaner->tries = 0;
    cleaner->is_walking = true;
    cleaner->sequence = segment->sequence;
    cleaner->copied = 0;
    cleaner->unread = 0;
}

/* After a read that failed. */
static enum rc note_failure(struct cleaner *cleaner)
{
    const enum rc rc = contents_failure();
    if (rc == RC_IO)
        cleaner->unread = errno;
    return rc;
}

/* Payload and body of a record in one piece of memory. RC_SYNTAX: the payload
 * is damaged; RC_IO. A damaged body is copied with the checksum that it should
 * have: that is found out when somebody reads it. */
static enum rc load(struct cleaner *cleaner, struct segment *segment,
                    uint64_t offset, const struct record *record, char **bytes)
{
    const size_t len = (size_t)record->payload_len + record->body_len;
    scoped(mem_free_at) char *loaded = mem_new(len + 1, 1);
    if (!contents_read(segment, offset + RECORD_HEADER_SIZE, loaded, len))
        return note_failure(cleaner);
    const struct slice payload = slice_of(loaded, record->payload_len);
    if (record_sum(payload) != record->payload_sum)
        return RC_SYNTAX;
    *bytes = steal(loaded);
    return RC_OK;
}

/* RC_NONE: the message has none; else as above. */
static enum rc load_state(struct spool *spool, const struct place *place,
                          struct record *record, char **bytes)
{
    if (!place || place->state_offset == 0)
        return RC_NONE;
    struct segment *segment =
        chain_segment(&spool->chain, place->state_sequence);
    const uint64_t offset = (uint64_t)place->state_offset * RECORD_ALIGN;
    char header[RECORD_HEADER_SIZE];
    if (!contents_read(segment, offset, header, sizeof header))
        return note_failure(&spool->cleaner);
    if (!record_decode(header, record_seed(segment->epoch, offset), record))
        return RC_SYNTAX;
    return load(&spool->cleaner, segment, offset, record, bytes);
}

static void note_damaged_state(struct spool *spool, const struct place *place)
{
    (void)pthread_mutex_lock(&spool->chain_lock);
    spool_note_damage(spool,
                      chain_segment(&spool->chain, place->state_sequence),
                      place->item.id);
    (void)pthread_mutex_unlock(&spool->chain_lock);
}

static void add_copy(struct batch *batch, const struct record *record,
                     char *bytes)
{
    struct record copy = *record;
    copy.flags |= RECORD_MOVED;
    batch_add_copy(batch, &copy, bytes);
}

/* All of it or nothing: a copy without its STATE would be sent again to those
 * who have it. */
static void copy_message(struct spool *spool, struct batch *batch,
                         struct segment *segment)
{
    struct cleaner *cleaner = &spool->cleaner;
    const struct record *put = &cleaner->walk.record;
    const struct place *place = places_find(&spool->chain.places, put->id);
    struct record status;
    scoped(mem_free_at) char *put_bytes = NULL;
    scoped(mem_free_at) char *status_bytes = NULL;
    enum rc rc = load(cleaner, segment, cleaner->walk.offset, put, &put_bytes);
    if (rc != RC_OK)
        return;
    rc = load_state(spool, place, &status, &status_bytes);
    if (rc == RC_IO)
        return;
    cleaner->copied++;
    add_copy(batch, put, steal(put_bytes));
    CRASH_POINT("cleaner.copied");
    if (rc == RC_OK) {
        add_copy(batch, &status, steal(status_bytes));
        batch_join_last(batch);
    } else if (rc == RC_SYNTAX) {
        note_damaged_state(spool, place);
    }
}

/* A whole walk found nothing good, yet messages live here by our account: they
 * cannot be read, and would hold the log for ever. */
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

/* True: what could not be read is tried again. */
static bool is_patient(struct spool *spool, int unread)
{
    struct cleaner *cleaner = &spool->cleaner;
    const uint64_t now_ms = time_now_ms();
    if (cleaner->tries++ == 0) {
        cleaner->since_ms = now_ms;
        spool_tell(spool, SPOOL_UNREADABLE, cleaner->sequence, unread);
    }
    cleaner->again_ms = now_ms + CLEANER_PAUSE_MS;
    return cleaner->tries < CLEANER_TRIES
           || now_ms - cleaner->since_ms < CLEANER_PATIENCE_MS;
}

/* What was copied shows in `live` only after this batch: a walk that copied
 * anything is followed by another. */
static void end_walk(struct spool *spool, struct segment *segment)
{
    struct cleaner *cleaner = &spool->cleaner;
    const int unread =
        cleaner->unread != 0 ? cleaner->unread : cleaner->walk.unread;
    cleaner_release(cleaner);
    if (cleaner->copied > 0)
        return;
    if (unread == 0 || !is_patient(spool, unread))
        set_aside(spool, segment);
}

void cleaner_gather(struct spool *spool, struct batch *batch)
{
    struct cleaner *cleaner = &spool->cleaner;
    struct segment *first = chain_first(&spool->chain);
    if (!first || !wants_cleaning(spool) || is_pausing(cleaner, first))
        return;
    if (!cleaner->is_walking || cleaner->sequence != first->sequence)
        begin_walk(cleaner, first);

    while (batch->bytes < COPY_BYTES && batch->count < COPY_ITEMS) {
        if (!walk_next(&cleaner->walk)) {
            end_walk(spool, first);
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
