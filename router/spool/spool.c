/* spool.c - opening and closing, and what any thread may call. */
#include "router/spool/spool.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/spool/batch.h"
#include "router/spool/checkpoint.h"
#include "router/spool/committer.h"
#include "router/spool/contents.h"
#include "router/spool/core.h"
#include "router/spool/reader.h"
#include "router/spool/recovery.h"

#include <signal.h>
#include <stdio.h>

static uint64_t bounded_size(uint64_t size)
{
    if (size < SEGMENT_SIZE_MIN)
        return SEGMENT_SIZE_MIN;
    if (size > SEGMENT_SIZE_MAX)
        return SEGMENT_SIZE_MAX;
    return size / RECORD_ALIGN * RECORD_ALIGN;
}

static struct spool *new_spool(const struct spool_options *options)
{
    struct spool *spool = NEW(struct spool);
    spool->directory = (struct directory){ .fd = -1, .lock_fd = -1 };
    spool->segment_size = bounded_size(options->segment_size);
    spool->queue_max = options->queue_max;
    (void)snprintf(spool->router, sizeof spool->router, "%s",
                   options->router ? options->router : "");
    spool->soft = options->soft;
    spool->hard = options->hard;
    spool->listener = options->listener;
    atomic_init(&spool->refusal, NULL);
    list_init(&spool->queue);
    list_init(&spool->urgent);
    chain_init(&spool->chain);
    spool->batch = batch_new();

    pthread_condattr_t monotonic;
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&spool->queue_filled, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
    CHECK(pthread_mutex_init(&spool->queue_lock, NULL) == 0);
    CHECK(pthread_mutex_init(&spool->chain_lock, NULL) == 0);
    return spool;
}

static enum rc recover(struct spool *spool, const struct spool_options *options,
                       spool_found_fn *found, void *context,
                       struct fault *fault)
{
    struct recovery recovery = {
        .directory = &spool->directory,
        .chain = &spool->chain,
        .is_writer = true,
        .listener = options->listener,
    };
    const enum rc rc = recovery_run(&recovery, fault);
    if (rc == RC_OK && options->live)
        recovery_tell_live(&recovery, options->live, context);
    else if (rc == RC_OK)
        recovery_tell(&recovery, found, context);
    atomic_store(&spool->counts.damaged, recovery.damaged);
    recovery_release(&recovery);
    spool->last_id = spool->chain.last_id;
    spool_count_chain(spool);
    return rc;
}

/* Signals are for the thread that waits for them. */
static enum rc start_thread(pthread_t *thread, void *(*run)(void *),
                            void *context, const char *name,
                            struct fault *fault)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(thread, NULL, run, context);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return fault_set(fault, RC_IO, failed, "start the spool's %s", name);
    (void)pthread_setname_np(*thread, name);
    return RC_OK;
}

/* Segments that have no index, but for the last, which is not sealed yet. Before
 * any thread changes the chain. */
static void index_rest(struct spool *spool)
{
    for (size_t i = 0; i + 1 < spool->chain.count; i++)
        if (!spool->chain.segments[i]->is_indexed)
            checkpoint_seal(spool->checkpoint,
                            spool->chain.segments[i]->sequence);
}

static enum rc start_threads(struct spool *spool, struct fault *fault)
{
    spool->reader = reader_new(spool);
    enum rc rc = start_thread(&spool->reader_thread, reader_run, spool->reader,
                              "reader", fault);
    spool->has_reader = rc == RC_OK;
    spool->checkpoint = checkpoint_new(spool);
    index_rest(spool);
    if (rc == RC_OK)
        rc = start_thread(&spool->checkpoint_thread, checkpoint_run,
                          spool->checkpoint, "checkpoint", fault);
    spool->has_checkpoint = rc == RC_OK;
    if (rc == RC_OK)
        rc = start_thread(&spool->committer, committer_run, spool, "committer",
                          fault);
    spool->has_committer = rc == RC_OK;
    return rc;
}

static void stop_threads(struct spool *spool)
{
    if (spool->has_reader) {
        reader_stop(spool->reader);
        (void)pthread_join(spool->reader_thread, NULL);
    }
    if (spool->has_committer) {
        (void)pthread_mutex_lock(&spool->queue_lock);
        spool->stopping = true;
        (void)pthread_cond_signal(&spool->queue_filled);
        (void)pthread_mutex_unlock(&spool->queue_lock);
        (void)pthread_join(spool->committer, NULL);
    }
    if (spool->has_checkpoint) {
        checkpoint_stop(spool->checkpoint);
        (void)pthread_join(spool->checkpoint_thread, NULL);
    }
}

static void free_spool(struct spool **spool)
{
    struct spool *freed = steal(*spool);
    if (!freed)
        return;
    stop_threads(freed);
    reader_free(&freed->reader);
    checkpoint_free(&freed->checkpoint);
    cleaner_release(&freed->cleaner);
    chain_release(&freed->chain);
    batch_free(&freed->batch);
    volume_free(&freed->volume);
    directory_close(&freed->directory);
    (void)pthread_cond_destroy(&freed->queue_filled);
    (void)pthread_mutex_destroy(&freed->queue_lock);
    (void)pthread_mutex_destroy(&freed->chain_lock);
    mem_free(freed);
}

enum rc spool_open(const struct spool_options *options, spool_found_fn *found,
                   void *context, struct spool **spool, struct fault *fault)
{
    scoped(free_spool) struct spool *opened = new_spool(options);
    enum rc rc = directory_open(options->path, DIRECTORY_WRITE,
                                &opened->directory, fault);
    if (rc != RC_OK)
        return rc;
    rc = recover(opened, options, found, context, fault);
    if (rc != RC_OK)
        return rc;
    opened->supply = (struct supply){
        .directory = &opened->directory,
        .segment_size = opened->segment_size,
    };
    supply_keep(&opened->supply, places_count(&opened->chain.places));
    rc = supply_init(&opened->supply, fault);
    if (rc != RC_OK)
        return rc;
    opened->volume =
        volume_new(opened->directory.fd, &options->soft, &options->hard);
    rc = start_threads(opened, fault);
    if (rc != RC_OK)
        return rc;
    *spool = steal(opened);
    return RC_OK;
}

void spool_close(struct spool **spool)
{
    free_spool(spool);
}

/* Under queue_lock. The committer is woken only for what it waits for. */
static void enqueue(struct spool *spool, struct spool_write *write)
{
    const bool is_urgent = write->kind == SPOOL_PUT && write->urgent;
    const bool was_empty =
        list_is_empty(&spool->queue) && list_is_empty(&spool->urgent);
    list_push_back(is_urgent ? &spool->urgent : &spool->queue, &write->link);
    if (write->kind == SPOOL_PUT)
        atomic_fetch_add(&spool->counts.puts_waiting, 1);
    if (batch_is_large(write))
        spool->large_waiting++;
    if (was_empty
        || (spool->is_gathering
            && (is_urgent || spool->large_waiting >= PACE_SHARE)))
        (void)pthread_cond_signal(&spool->queue_filled);
}

bool spool_post(struct spool *spool, struct spool_write *write)
{
    const bool is_put = write->kind == SPOOL_PUT;
    CHECK(write->id != 0 && write->payload.len <= RECORD_PAYLOAD_MAX);
    CHECK(!is_put || write->body->len <= RECORD_BODY_MAX);

    const bool is_low = is_put && volume_is_low(spool->volume, 0);
    (void)pthread_mutex_lock(&spool->queue_lock);
    const bool takes =
        !is_put
        || (atomic_load(&spool->counts.puts_waiting) < spool->queue_max
            && !is_low);
    if (takes)
        enqueue(spool, write);
    (void)pthread_mutex_unlock(&spool->queue_lock);
    return takes;
}

void spool_expect(struct spool *spool)
{
    atomic_fetch_add_explicit(&spool->counts.coming, 1, memory_order_relaxed);
}

void spool_expect_no_more(struct spool *spool)
{
    atomic_fetch_sub_explicit(&spool->counts.coming, 1, memory_order_relaxed);
}

/* A constant word, the same pointer for the same reason; NULL: none. */
static const char *why_refused(const struct spool *spool, uint64_t size)
{
    static const char bytes[] = "min_free";
    static const char inodes[] = "min_free_inodes";
    static const char segment[] = "no_segment";
    if (atomic_load(&spool->counts.refuses))
        return segment;
    if (volume_has_room(spool->volume, size))
        return NULL;
    return volume_room(spool->volume).inodes < spool->soft.inodes ? inodes
                                                                  : bytes;
}

/* Tells each change once, whoever sees it. */
static void note_refusal(struct spool *spool)
{
    const char *reason = why_refused(spool, 0);
    const char *before = atomic_exchange(&spool->refusal, reason);
    const struct spool_notice notice = {
        .event = reason ? SPOOL_REFUSES : SPOOL_ACCEPTS,
        .reason = reason,
    };
    if (reason != before)
        notice_tell(&spool->listener, &notice);
}

bool spool_accepts(struct spool *spool, uint64_t size)
{
    note_refusal(spool);
    return atomic_load(&spool->counts.puts_waiting) < spool->queue_max
           && !why_refused(spool, size);
}

/* Finds the message's segment and keeps it from leaving; NULL: no such one. */
static struct segment *borrow(struct spool *spool, uint64_t id,
                              uint64_t *offset)
{
    struct segment *segment = NULL;
    (void)pthread_mutex_lock(&spool->chain_lock);
    const struct place *place = places_find(&spool->chain.places, id);
    if (place) {
        segment = chain_segment(&spool->chain, place->sequence);
        segment->readers++;
        *offset = (uint64_t)place->offset * RECORD_ALIGN;
    }
    (void)pthread_mutex_unlock(&spool->chain_lock);
    return segment;
}

/* `damaged`: the message whose record was; 0: none was. */
static void give_back(struct spool *spool, struct segment *segment,
                      uint64_t damaged)
{
    (void)pthread_mutex_lock(&spool->chain_lock);
    segment->readers--;
    if (damaged != 0)
        spool_note_damage(spool, segment, damaged);
    (void)pthread_mutex_unlock(&spool->chain_lock);
}

enum rc spool_read_body(struct spool *spool, uint64_t id, struct body **body,
                        struct fault *fault)
{
    uint64_t offset = 0;
    struct segment *segment = borrow(spool, id, &offset);
    if (!segment)
        return fault_set(fault, RC_NONE, 0, "no message %llu in the spool",
                         (unsigned long long)id);
    const enum rc rc = contents_read_body(segment, offset, id, body, fault);
    give_back(spool, segment, rc == RC_SYNTAX ? id : 0);
    return rc;
}

void spool_read(struct spool *spool, struct spool_read *read)
{
    CHECK(read->id != 0 && read->done);
    reader_ask(spool->reader, read);
}

uint64_t spool_last_id(const struct spool *spool)
{
    return spool->last_id;
}

void spool_stats(const struct spool *spool, struct spool_stats *stats)
{
    const struct spool_counts *counts = &spool->counts;
    const char *refusal = why_refused(spool, 0);
    *stats = (struct spool_stats){
        .messages = atomic_load(&counts->messages),
        .segments = atomic_load(&counts->segments),
        .bytes_live = atomic_load(&counts->bytes_live),
        .writes = atomic_load(&counts->writes),
        .syncs = atomic_load(&counts->syncs),
        .sync_us_max = atomic_load(&counts->sync_us_max),
        .failures = atomic_load(&counts->failures),
        .damaged = atomic_load(&counts->damaged),
        .accepts = !refusal,
        .refuses = refusal,
        .free = volume_room(spool->volume),
        .soft = spool->soft,
        .hard = spool->hard,
    };
}
