/* reader.c - the thread that reads messages back. */
#include "router/spool/reader.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/proto/message_id.h"
#include "router/spool/contents.h"
#include "router/spool/core.h"
#include "router/spool/window.h"

#include <errno.h>

/* An urgent read waits for one batch at most. */
#define BATCH_READS 64u

/* One system call reads so much, over gaps so wide: what a disk brings in the
 * time of a seek, and what costs less than another call. */
#define SPAN_MAX (256u << 10)
#define GAP_MAX  (16u << 10)

/* Header and payload of most messages, when the body is not wanted, and of most
 * states. */
#define ENVELOPE_AHEAD 4096u
#define STATE_AHEAD    1024u

/* Where a record lies, and how much of it is wanted at least. */
struct spot {
    struct segment *segment; /* kept from leaving; NULL: no such record */
    uint64_t end;            /* of the segment */
    uint64_t offset;
    uint64_t len;
};

/* Bytes of one kind of record, of whichever segment came last. */
struct view {
    const struct segment *segment;
    struct window window;
};

struct reader {
    struct spool *spool;

    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct list urgent;
    struct list others;
    bool stopping;

    /* The thread's own: */
    struct spool_read *reads[BATCH_READS];
    struct spot puts[BATCH_READS];
    struct spot states[BATCH_READS];
    size_t count;
    struct view put_view;
    struct view state_view;
};

struct reader *reader_new(struct spool *spool)
{
    struct reader *reader = NEW(struct reader);
    reader->spool = spool;
    list_init(&reader->urgent);
    list_init(&reader->others);
    CHECK(pthread_mutex_init(&reader->lock, NULL) == 0);
    CHECK(pthread_cond_init(&reader->filled, NULL) == 0);
    return reader;
}

void reader_free(struct reader **reader)
{
    struct reader *freed = steal(*reader);
    if (!freed)
        return;
    window_release(&freed->put_view.window);
    window_release(&freed->state_view.window);
    (void)pthread_mutex_destroy(&freed->lock);
    (void)pthread_cond_destroy(&freed->filled);
    mem_free(freed);
}

void reader_ask(struct reader *reader, struct spool_read *read)
{
    CHECK(pthread_mutex_lock(&reader->lock) == 0);
    list_push_back(read->urgent ? &reader->urgent : &reader->others,
                   &read->link);
    (void)pthread_cond_signal(&reader->filled);
    (void)pthread_mutex_unlock(&reader->lock);
}

void reader_stop(struct reader *reader)
{
    CHECK(pthread_mutex_lock(&reader->lock) == 0);
    reader->stopping = true;
    (void)pthread_cond_signal(&reader->filled);
    (void)pthread_mutex_unlock(&reader->lock);
}

static bool has_none(const struct reader *reader)
{
    return list_is_empty(&reader->urgent) && list_is_empty(&reader->others);
}

/* Waits for reads. RC_NONE: stopped, and none is left; RC_CLOSED: stopped. */
static enum rc take_reads(struct reader *reader)
{
    reader->count = 0;
    CHECK(pthread_mutex_lock(&reader->lock) == 0);
    while (has_none(reader) && !reader->stopping)
        (void)pthread_cond_wait(&reader->filled, &reader->lock);
    while (reader->count < BATCH_READS && !has_none(reader)) {
        struct list *first = list_is_empty(&reader->urgent)
                                 ? list_take(&reader->others)
                                 : list_take(&reader->urgent);
        reader->reads[reader->count++] =
            container_of(first, struct spool_read, link);
    }
    const bool stopping = reader->stopping;
    (void)pthread_mutex_unlock(&reader->lock);
    if (!stopping)
        return RC_OK;
    return reader->count > 0 ? RC_CLOSED : RC_NONE;
}

static struct spot spot_of(struct chain *chain, uint16_t sequence,
                           uint32_t offset, uint64_t len)
{
    struct segment *segment = chain_segment(chain, sequence);
    segment->readers++;
    return (struct spot){
        .segment = segment,
        .end = segment->end,
        .offset = (uint64_t)offset * RECORD_ALIGN,
        .len = len,
    };
}

static uint64_t wanted_len(const struct spool_read *read,
                           const struct place *place)
{
    const uint64_t size = (uint64_t)place->size * RECORD_ALIGN;
    if (read->with_body && size <= SPAN_MAX)
        return size;
    return size < ENVELOPE_AHEAD ? size : ENVELOPE_AHEAD;
}

static void find_spots(struct reader *reader)
{
    struct spool *spool = reader->spool;
    (void)pthread_mutex_lock(&spool->chain_lock);
    for (size_t i = 0; i < reader->count; i++) {
        const struct spool_read *read = reader->reads[i];
        const struct place *place = places_find(&spool->chain.places, read->id);
        reader->puts[i] = (struct spot){ .segment = NULL };
        reader->states[i] = (struct spot){ .segment = NULL };
        if (!place)
            continue;
        reader->puts[i] = spot_of(&spool->chain, place->sequence, place->offset,
                                  wanted_len(read, place));
        if (place->state_offset != 0)
            reader->states[i] = spot_of(&spool->chain, place->state_sequence,
                                        place->state_offset, STATE_AHEAD);
    }
    (void)pthread_mutex_unlock(&spool->chain_lock);
}

static void give_back_spots(struct reader *reader)
{
    struct spool *spool = reader->spool;
    (void)pthread_mutex_lock(&spool->chain_lock);
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->puts[i].segment)
            reader->puts[i].segment->readers--;
        if (reader->states[i].segment)
            reader->states[i].segment->readers--;
    }
    (void)pthread_mutex_unlock(&spool->chain_lock);
}

/* How much to read at the first spot, so that those that follow close by in the
 * same file come along. */
static size_t span_of(const struct spot *spots, size_t count)
{
    const uint64_t begin = spots[0].offset;
    uint64_t end = begin + spots[0].len;
    for (size_t i = 1; i < count; i++) {
        const struct spot *next = &spots[i];
        if (!next->segment)
            continue;
        if (next->segment != spots[0].segment || next->offset < begin
            || next->offset > end + GAP_MAX
            || next->offset + next->len - begin > SPAN_MAX)
            break;
        if (next->offset + next->len > end)
            end = next->offset + next->len;
    }
    return (size_t)(end - begin);
}

static void turn_to(struct view *view, const struct spot *spot)
{
    const struct window_source source = {
        .read = contents_read,
        .context = spot->segment,
        .end = spot->end,
    };
    if (view->segment != spot->segment)
        window_open(&view->window, &source);
    view->segment = spot->segment;
}

/* Why this part could not be had. */
static enum rc say_failed(struct spool_read *read, enum spool_part part,
                          enum rc rc)
{
    static const char *const names[] = {
        [SPOOL_ENVELOPE] = "envelope",
        [SPOOL_STATUS] = "state",
        [SPOOL_BODY] = "body",
    };
    const int reason = rc == RC_IO ? errno : 0;
    char id[ID_TEXT_SIZE];
    read->failed = part;
    return fault_set(&read->fault, rc, reason, "%s of message %s %s",
                     names[part], id_format(read->id, id),
                     rc == RC_IO ? "cannot be read" : "is damaged");
}

/* Header and payload of the record at the first of the spots, which `record`
 * names by kind and id; the payload is in the view until something else is read
 * there. */
static enum rc see_record(struct view *view, const struct spot *spots,
                          size_t count, struct record *record,
                          struct slice *payload)
{
    const struct record named = *record;
    const struct spot *spot = &spots[0];
    const size_t span = span_of(spots, count);
    turn_to(view, spot);
    const char *header =
        window_see(&view->window, spot->offset, RECORD_HEADER_SIZE, span);
    if (!header)
        return contents_failure();
    const uint64_t seed = record_seed(spot->segment->epoch, spot->offset);
    if (!record_decode(header, seed, record) || record->kind != named.kind
        || record->id != named.id)
        return RC_SYNTAX;
    const char *bytes =
        window_see(&view->window, spot->offset + RECORD_HEADER_SIZE,
                   record->payload_len, span);
    if (!bytes)
        return contents_failure();
    *payload = slice_of(bytes, record->payload_len);
    return record_sum(*payload) == record->payload_sum ? RC_OK : RC_SYNTAX;
}

/* A small body is in the view already, a large one goes where it belongs
 * without a copy. */
static bool fetch(struct view *view, const struct spot *spot, uint64_t offset,
                  char *bytes, size_t len)
{
    if (spot->len < RECORD_HEADER_SIZE + len)
        return contents_read(spot->segment, offset, bytes, len);
    const char *seen = window_see(&view->window, offset, len, len);
    if (seen && len > 0)
        memcpy(bytes, seen, len);
    return seen != NULL;
}

static enum rc read_body(struct view *view, const struct spot *spot,
                         const struct record *record, struct body **body)
{
    const uint64_t offset =
        spot->offset + RECORD_HEADER_SIZE + record->payload_len;
    const size_t len = record->body_len;
    scoped(mem_free_at) char *bytes = mem_new(len + 1, 1);
    if (!fetch(view, spot, offset, bytes, len))
        return contents_failure();
    if (record_sum(slice_of(bytes, len)) != record->body_sum)
        return RC_SYNTAX;
    *body = body_new(steal(bytes), len);
    return RC_OK;
}

/* Into memory of the read's own. */
static void keep_parts(struct spool_read *read, struct slice envelope,
                       struct slice state)
{
    read->bytes = mem_new(envelope.len + state.len + 1, 1);
    memcpy(read->bytes, envelope.ptr, envelope.len);
    if (state.len > 0)
        memcpy(read->bytes + envelope.len, state.ptr, state.len);
    read->envelope = slice_of(read->bytes, envelope.len);
    read->state = slice_of(read->bytes + envelope.len, state.len);
}

static enum rc answer(struct reader *reader, size_t at)
{
    struct spool_read *read = reader->reads[at];
    const struct spot *put = &reader->puts[at];
    const struct spot *status = &reader->states[at];
    const size_t count = reader->count - at;
    char id[ID_TEXT_SIZE];
    if (!put->segment)
        return fault_set(&read->fault, RC_NONE, 0, "no message %s",
                         id_format(read->id, id));
    struct record record = { .kind = RECORD_PUT, .id = read->id };
    struct slice envelope;
    enum rc rc = see_record(&reader->put_view, put, count, &record, &envelope);
    if (rc != RC_OK)
        return say_failed(read, SPOOL_ENVELOPE, rc);

    struct record update = { .kind = RECORD_STATE, .id = read->id };
    struct slice state = SLICE("");
    if (status->segment)
        rc = see_record(&reader->state_view, status, count, &update, &state);
    keep_parts(read, envelope, rc == RC_OK ? state : SLICE(""));
    if (rc != RC_OK)
        return say_failed(read, SPOOL_STATUS, rc);

    if (read->with_body)
        rc = read_body(&reader->put_view, put, &record, &read->body);
    return rc == RC_OK ? RC_OK : say_failed(read, SPOOL_BODY, rc);
}

/* The read is the owner's again: it is not touched any more. */
static void tell(struct spool_read *read, enum rc rc)
{
    read->rc = rc;
    read->done(read);
}

static void forget_bytes(struct view *view)
{
    view->segment = NULL;
    if (view->window.size > SPAN_MAX)
        window_release(&view->window);
}

/* Before the answer is told: the segments are still kept from leaving. */
static void note_damage(struct reader *reader, size_t at)
{
    struct spool *spool = reader->spool;
    const struct spool_read *read = reader->reads[at];
    const struct spot *spot =
        read->failed == SPOOL_STATUS ? &reader->states[at] : &reader->puts[at];
    (void)pthread_mutex_lock(&spool->chain_lock);
    spool_note_damage(spool, spot->segment, read->id);
    (void)pthread_mutex_unlock(&spool->chain_lock);
}

static void answer_all(struct reader *reader)
{
    find_spots(reader);
    for (size_t i = 0; i < reader->count; i++) {
        const enum rc rc = answer(reader, i);
        if (rc == RC_SYNTAX)
            note_damage(reader, i);
        tell(reader->reads[i], rc);
    }
    give_back_spots(reader);
    /* A segment may be another one when the next batch looks. */
    forget_bytes(&reader->put_view);
    forget_bytes(&reader->state_view);
}

static void refuse_all(struct reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        struct spool_read *read = reader->reads[i];
        tell(read,
             fault_set(&read->fault, RC_CLOSED, 0, "the spool is closed"));
    }
}

void *reader_run(void *context)
{
    struct reader *reader = context;
    enum rc rc = take_reads(reader);
    for (; rc != RC_NONE; rc = take_reads(reader)) {
        if (rc == RC_OK)
            answer_all(reader);
        else
            refuse_all(reader);
    }
    return NULL;
}

void spool_read_release(struct spool_read *read)
{
    mem_free(steal(read->bytes));
    body_release(&read->body);
    read->envelope = SLICE("");
    read->state = SLICE("");
}
