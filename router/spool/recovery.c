/* recovery.c - from the files back to the chain. */
#include "router/spool/recovery.h"

#include "common/base/crash.h"
#include "common/base/mem.h"
#include "router/spool/chain.h"
#include "router/spool/checkpoint.h"
#include "router/spool/contents.h"
#include "router/spool/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

/* A segment with its header, while the chain is not built yet. */
struct found_segment {
    struct segment segment;
    struct segment_header header;
};

struct found_segments {
    struct found_segment *items;
    size_t count;
};

/* The router starts with all of its log or not at all: what cannot be read now
 * is not gone. */
static bool must_stop(const struct recovery *recovery, int unread)
{
    return unread != 0 && recovery->is_writer;
}

static enum rc judge_read(const struct recovery *recovery, uint64_t sequence,
                          int unread, struct fault *fault)
{
    if (!must_stop(recovery, unread))
        return RC_OK;
    return fault_set(fault, RC_IO, unread, "read %s",
                     directory_name_of(DIRECTORY_SEGMENT, sequence).text);
}

/* RC_OK; RC_NONE: nothing in this file can be understood; RC_SYNTAX; RC_IO. */
static enum rc open_segment(const struct recovery *recovery, uint64_t sequence,
                            struct found_segment *found, struct fault *fault)
{
    const struct directory_name name =
        directory_name_of(DIRECTORY_SEGMENT, sequence);
    const int fd = directory_open_file(recovery->directory, name.text, false);
    if (fd < 0)
        return fault_set(fault, RC_IO, errno, "open %s", name.text);
    struct stat is;
    const bool known = fstat(fd, &is) == 0;
    *found =
        (struct found_segment){ .segment = {
                                    .sequence = sequence,
                                    .fd = fd,
                                    .size = known ? (uint64_t)is.st_size : 0,
                                } };
    char bytes[SEGMENT_START];
    const bool is_read = contents_read(&found->segment, 0, bytes, sizeof bytes);
    enum rc rc = judge_read(recovery, sequence, is_read ? 0 : errno, fault);
    if (rc != RC_OK) {
        (void)close(fd);
        return rc;
    }
    rc = RC_SYNTAX;
    if (is_read)
        rc = segment_decode(slice_of(bytes, sizeof bytes), &found->header);
    if (rc == RC_OK && found->header.sequence == sequence) {
        found->segment.epoch = found->header.epoch;
        found->segment.end = found->segment.size;
        return RC_OK;
    }
    (void)close(fd);
    if (rc == RC_LIMIT)
        return fault_set(fault, RC_SYNTAX, 0,
                         "%s was written by a later version", name.text);
    return RC_NONE;
}

/* Its name may be needed for a new segment; its bytes are for people. */
static void set_aside(struct recovery *recovery, uint64_t sequence)
{
    recovery->damaged++;
    if (!recovery->is_writer)
        return;
    const struct spool_notice notice = { .event = SPOOL_SET_ASIDE,
                                         .sequence = sequence };
    notice_tell(&recovery->listener, &notice);
    const struct directory_name from =
        directory_name_of(DIRECTORY_SEGMENT, sequence);
    const struct directory_name to =
        directory_name_of(DIRECTORY_DAMAGED, sequence);
    (void)directory_rename(recovery->directory, from.text, to.text);
}

/* `id`: 0 when it is not known whose record it was. */
static void note_damage(struct recovery *recovery, struct segment *segment,
                        uint64_t id)
{
    const struct spool_notice notice = { .event = SPOOL_DAMAGED,
                                         .sequence = segment->sequence,
                                         .id = id };
    recovery->damaged++;
    segment->is_damaged = true;
    notice_tell(&recovery->listener, &notice);
}

static enum rc open_segments(struct recovery *recovery,
                             struct found_segments *found, struct fault *fault)
{
    scoped(mem_free_at) uint64_t *sequences = NULL;
    size_t count = 0;
    enum rc rc = directory_list(recovery->directory, DIRECTORY_SEGMENT,
                                &sequences, &count, fault);
    if (rc != RC_OK)
        return rc;
    found->items = mem_new(count + 1, sizeof *found->items);
    for (size_t i = 0; i < count; i++) {
        rc = open_segment(recovery, sequences[i], &found->items[found->count],
                          fault);
        if (rc == RC_OK)
            found->count++;
        else if (rc == RC_NONE)
            set_aside(recovery, sequences[i]);
        else
            return rc;
    }
    return RC_OK;
}

static void close_segments(struct found_segments *found)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].segment.fd >= 0)
            (void)close(found->items[i].segment.fd);
    mem_free(steal(found->items));
}

/* While the first PUT is in the log its copy does not count: the copy's STATE
 * may not have made it to the disk. */
static void replay_put(struct recovery *recovery, struct segment *segment,
                       uint64_t offset, const struct record *record)
{
    if ((record->flags & RECORD_MOVED)
        && places_find(&recovery->chain->places, record->id))
        return;
    chain_put(recovery->chain, segment, offset, record);
    roll_note(&recovery->roll, record);
}

static void replay(struct recovery *recovery, struct segment *segment,
                   uint64_t offset, const struct record *record)
{
    switch ((enum record_kind)record->kind) {
    case RECORD_PUT:
        replay_put(recovery, segment, offset, record);
        break;
    case RECORD_STATE:
        chain_state(recovery->chain, segment, offset, record);
        break;
    case RECORD_DROP:
        chain_drop(recovery->chain, record->id);
        break;
    }
}

/* A PUT behind what was synced counts only when its body is whole, too. */
static void replay_walked(struct recovery *recovery, struct walk *walk,
                          struct segment *segment, uint64_t synced)
{
    struct slice payload;
    if (!walk_payload(walk, &payload)) {
        if (walk->offset < synced && !must_stop(recovery, walk->unread))
            note_damage(recovery, segment, walk->record.id);
        return;
    }
    if (walk->record.kind == RECORD_PUT && walk->offset >= synced
        && !walk_body_is_good(walk))
        return;
    replay(recovery, segment, walk->offset, &walk->record);
}

/* False: there is no index of this segment. */
static bool replay_index(struct recovery *recovery, struct segment *segment)
{
    struct index index;
    segment->is_indexed = checkpoint_load(recovery->directory, segment, &index);
    for (size_t i = 0; i < index.count; i++) {
        const struct record record = index_record(&index.entries[i]);
        replay(recovery, segment, index.entries[i].offset, &record);
    }
    index_release(&index);
    return segment->is_indexed;
}

/* What a crash may have torn is at the end of the segment that was the head. How
 * long that is the header behind says, for as long as the segment is there. */
static uint64_t find_synced(const struct segment *segment,
                            const struct walk_input *input, bool is_whole,
                            int *unread)
{
    return is_whole ? segment->end - segment->unsynced
                    : walk_find_synced(input, unread);
}

/* Returns where the last record ends. */
static uint64_t replay_records(struct recovery *recovery, struct walk *walk,
                               struct segment *segment, uint64_t synced)
{
    uint64_t end = SEGMENT_START;
    while (walk_next(walk) && !must_stop(recovery, walk->unread)) {
        if (walk->gap > 0 && walk->offset - walk->gap < synced)
            note_damage(recovery, segment, 0);
        replay_walked(recovery, walk, segment, synced);
        end = walk->next;
    }
    if (end < synced && !must_stop(recovery, walk->unread))
        note_damage(recovery, segment, 0);
    return end;
}

/* `is_whole`: the end is known; else it becomes that of the last record. */
static enum rc replay_segment(struct recovery *recovery,
                              struct segment *segment, bool is_whole,
                              struct fault *fault)
{
    const struct walk_input input = contents_input(segment);
    struct walk walk;
    int unread = 0;
    const uint64_t synced = find_synced(segment, &input, is_whole, &unread);
    walk_init(&walk, &input, SEGMENT_START);
    walk.unread = unread;
    const uint64_t end = replay_records(recovery, &walk, segment, synced);
    unread = walk.unread;
    walk_release(&walk);
    segment->unsynced = end > synced ? end - synced : 0;
    if (segment->unsynced > UINT32_MAX)
        segment->unsynced = UINT32_MAX; /* more than any batch has */
    if (!is_whole) {
        recovery->chain->bytes -= segment->end - end;
        segment->end = end;
    }
    return judge_read(recovery, segment->sequence, unread, fault);
}

static enum rc check_span(const struct found_segments *found, size_t from,
                          struct fault *fault)
{
    if (found->count == 0)
        return RC_OK;
    const uint64_t first = found->items[from].segment.sequence;
    const uint64_t last = found->items[found->count - 1].segment.sequence;
    if (last - first < CHAIN_SEGMENTS_MAX)
        return RC_OK;
    return fault_set(fault, RC_SYNTAX, 0,
                     "segments %" PRIx64 " and %" PRIx64 " are too far apart",
                     first, last);
}

/* Leftovers of a crash while segments left the log. */
static size_t skip_older(const struct found_segments *found)
{
    size_t from = 0;
    if (found->count > 0) {
        const struct segment_header *newest =
            &found->items[found->count - 1].header;
        while (found->items[from].segment.sequence < newest->oldest)
            from++;
    }
    return from;
}

static void take_end(struct segment *segment,
                     const struct segment_header *after)
{
    if (after->previous_end < segment->end)
        segment->end = after->previous_end;
    if (segment->end > SEGMENT_START)
        segment->unsynced = after->previous_unsynced;
    if (segment->unsynced > segment->end - SEGMENT_START)
        segment->unsynced = segment->end - SEGMENT_START;
}

static enum rc take_segment(struct recovery *recovery,
                            const struct found_segments *found, size_t at,
                            struct fault *fault)
{
    struct chain *chain = recovery->chain;
    struct found_segment *item = &found->items[at];
    const struct found_segment *after = at + 1 < found->count ? item + 1 : NULL;
    const bool is_whole =
        after && after->segment.sequence == item->segment.sequence + 1;
    if (is_whole)
        take_end(&item->segment, &after->header);

    chain_add(chain, &item->segment);
    item->segment.fd = -1; /* the chain's now */
    if (item->header.last_id > chain->last_id)
        chain->last_id = item->header.last_id;
    if (item->header.next_order > chain->next_order)
        chain->next_order = item->header.next_order;

    struct segment *segment = chain_last(chain);
    if (is_whole && replay_index(recovery, segment))
        return RC_OK;
    return replay_segment(recovery, segment, is_whole, fault);
}

static void remove_older(const struct recovery *recovery,
                         const struct found_segments *found, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)directory_remove(
            recovery->directory,
            directory_name_of(DIRECTORY_SEGMENT,
                              found->items[i].segment.sequence)
                .text);
}

/* Of segments that left the log or were set aside. */
static void remove_indexes(const struct recovery *recovery)
{
    scoped(mem_free_at) uint64_t *sequences = NULL;
    size_t count = 0;
    if (directory_list(recovery->directory, DIRECTORY_INDEX, &sequences, &count,
                       NULL)
        != RC_OK)
        return; /* they mean nothing, and may stay */
    for (size_t i = 0; i < count; i++)
        if (!chain_find(recovery->chain, sequences[i]))
            checkpoint_forget(recovery->directory, sequences[i]);
}

enum rc recovery_run(struct recovery *recovery, struct fault *fault)
{
    struct found_segments found = { .count = 0 };
    enum rc rc = open_segments(recovery, &found, fault);
    const size_t from = rc == RC_OK ? skip_older(&found) : 0;
    if (rc == RC_OK)
        rc = check_span(&found, from, fault);
    if (rc == RC_OK && recovery->is_writer)
        remove_older(recovery, &found, from);
    for (size_t i = from; rc == RC_OK && i < found.count; i++)
        rc = take_segment(recovery, &found, i, fault);
    close_segments(&found);
    if (rc == RC_OK && recovery->is_writer)
        remove_indexes(recovery);
    roll_settle(&recovery->roll, &recovery->chain->places);
    CRASH_POINT("recovery.replayed");

    /* What a killed router left may be in the page cache alone. */
    const struct segment *last = chain_last(recovery->chain);
    if (rc == RC_OK && recovery->is_writer && last && fdatasync(last->fd) != 0)
        rc = fault_set(fault, RC_IO, errno, "sync the last segment");
    CRASH_POINT("recovery.synced");
    return rc;
}

/* A walk that is used to read single records. Those that follow one another
 * come from one window. */
struct record_reader {
    const struct segment *segment;
    struct walk walk;
};

static bool read_record(struct record_reader *reader, struct segment *segment,
                        uint64_t offset, struct slice *payload)
{
    if (reader->segment != segment) {
        const struct walk_input input = contents_input(segment);
        walk_release(&reader->walk);
        walk_init(&reader->walk, &input, offset);
        reader->segment = segment;
    }
    reader->walk.next = offset;
    return walk_next(&reader->walk) && reader->walk.offset == offset
           && walk_payload(&reader->walk, payload);
}

/* False: it can no longer be read. */
static bool read_envelope(struct recovery *recovery,
                          struct record_reader *reader,
                          const struct place *place, struct slice *envelope)
{
    struct segment *segment = chain_segment(recovery->chain, place->sequence);
    const uint64_t offset = (uint64_t)place->offset * RECORD_ALIGN;
    if (read_record(reader, segment, offset, envelope))
        return true;
    note_damage(recovery, segment, place->item.id);
    return false;
}

static struct slice read_state(struct recovery *recovery,
                               struct record_reader *reader,
                               const struct place *place)
{
    struct slice state = SLICE("");
    if (place->state_offset == 0)
        return state;
    struct segment *segment =
        chain_segment(recovery->chain, place->state_sequence);
    const uint64_t offset = (uint64_t)place->state_offset * RECORD_ALIGN;
    if (!read_record(reader, segment, offset, &state))
        note_damage(recovery, segment, place->item.id);
    return state;
}

void recovery_tell(struct recovery *recovery, spool_found_fn *found,
                   void *context)
{
    struct record_reader envelopes = { .segment = NULL };
    struct record_reader states = { .segment = NULL };
    for (size_t i = 0; i < recovery->roll.count; i++) {
        const uint64_t id = recovery->roll.entries[i].id;
        const struct place *place = places_find(&recovery->chain->places, id);
        struct slice envelope;
        if (place && read_envelope(recovery, &envelopes, place, &envelope))
            found(context, id, envelope, read_state(recovery, &states, place));
    }
    walk_release(&envelopes.walk);
    walk_release(&states.walk);
}

void recovery_tell_live(const struct recovery *recovery, spool_live_fn *live,
                        void *context)
{
    for (size_t i = 0; i < recovery->roll.count; i++) {
        const struct roll_entry *entry = &recovery->roll.entries[i];
        const struct place *place =
            places_find(&recovery->chain->places, entry->id);
        if (!place)
            continue;
        const struct spool_live found = {
            .id = entry->id,
            .urgent = entry->urgent,
            .has_state = place->state_offset != 0,
        };
        live(context, &found);
    }
}

void recovery_release(struct recovery *recovery)
{
    roll_release(&recovery->roll);
}
