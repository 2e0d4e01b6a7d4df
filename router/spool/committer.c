/* committer.c - the thread that writes. */
#include "router/spool/committer.h"

#include "common/base/crash.h"
#include "common/base/time.h"
#include "router/spool/batch.h"
#include "router/spool/cleaner.h"
#include "router/spool/core.h"
#include "router/spool/head.h"

#include <errno.h>
#include <time.h>

#define RETRY_MS 100u

/* Under queue_lock, which is let go meanwhile. False: the time is over. */
static bool wait_until(struct spool *spool, uint64_t until_us)
{
    const struct timespec until = {
        .tv_sec = (time_t)(until_us / 1000000),
        .tv_nsec = (long)(until_us % 1000000) * 1000,
    };
    return pthread_cond_timedwait(&spool->queue_filled, &spool->queue_lock,
                                  &until)
           != ETIMEDOUT;
}

/* Under queue_lock. While refusing the wait is cut short, so that the end of
 * the trouble is seen although nobody writes. */
static void wait_for_writes(struct spool *spool)
{
    if (atomic_load(&spool->counts.refuses))
        (void)wait_until(spool, time_now_us() + (uint64_t)RETRY_MS * 1000u);
    else
        (void)pthread_cond_wait(&spool->queue_filled, &spool->queue_lock);
}

/* Meanwhile writes gather. */
static void rest(const struct spool *spool)
{
    const uint64_t rest_us = pace_rest_us(&spool->pace, time_now_us());
    const struct timespec time = { .tv_nsec = (long)rest_us * 1000 };
    if (rest_us > 0)
        (void)nanosleep(&time, NULL);
}

/* Under queue_lock. Those who come for it need not be many: see pace.h. */
static void wait_for_large(struct spool *spool)
{
    const uint64_t now_us = time_now_us();
    const uint64_t wait_us = pace_wait_us(&spool->pace, spool->large_waiting,
                                          atomic_load(&spool->counts.coming));
    spool->is_gathering = wait_us > 0;
    while (spool->is_gathering && list_is_empty(&spool->urgent)
           && spool->large_waiting < PACE_SHARE && !spool->stopping)
        spool->is_gathering = wait_until(spool, now_us + wait_us);
    spool->is_gathering = false;
}

/* Under queue_lock. Takes what makes the batch no larger than bytes_max, and the
 * first in any case. */
static void take_from(struct spool *spool, struct list *queue,
                      struct batch *batch, uint64_t bytes_max)
{
    const struct list *first = queue->next;
    list_each (at, queue) {
        struct spool_write *write = container_of(at, struct spool_write, link);
        const uint64_t bytes = batch->bytes + batch_size_of(write);
        if (!batch_has_room(batch) || (at != first && bytes > bytes_max))
            return;
        list_remove(at);
        if (write->kind == SPOOL_PUT)
            atomic_fetch_sub(&spool->counts.puts_waiting, 1);
        if (batch_is_large(write))
            spool->large_waiting--;
        batch_add(batch, write);
    }
}

/* Under queue_lock. */
static void take_writes(struct spool *spool, struct batch *batch)
{
    const bool has_urgent = !list_is_empty(&spool->urgent);
    const size_t large_waited = spool->large_waiting;
    take_from(spool, &spool->urgent, batch, BATCH_BYTES_MAX);
    take_from(spool, &spool->queue, batch,
              has_urgent ? BATCH_URGENT_BYTES_MAX : BATCH_BYTES_MAX);
    const uint64_t now_us = time_now_us();
    pace_note(&spool->pace, large_waited - spool->large_waiting, now_us);
    pace_note_batch(&spool->pace, batch->count, now_us);
}

static bool has_writes(const struct spool *spool)
{
    return !list_is_empty(&spool->queue) || !list_is_empty(&spool->urgent);
}

/* Waits when there is nothing else to do, or more is worth a wait. False: stopped
 * and done. */
static bool gather(struct spool *spool, struct batch *batch)
{
    (void)pthread_mutex_lock(&spool->queue_lock);
    if (batch->count == 0 && !has_writes(spool) && !spool->stopping)
        wait_for_writes(spool);
    wait_for_large(spool);
    const bool goes_on = !spool->stopping || has_writes(spool);
    take_writes(spool, batch);
    (void)pthread_mutex_unlock(&spool->queue_lock);
    batch_sum(batch);
    return goes_on;
}

static void settle(const struct item *item, enum rc rc)
{
    if (!item->write)
        return;
    CRASH_POINT("write.telling");
    item->write->done(item->write, rc);
    CRASH_POINT("write.told");
}

static void settle_all(const struct item *items, size_t count, enum rc rc)
{
    for (size_t i = 0; i < count; i++)
        settle(&items[i], rc);
}

/* Tries for an ordinary segment; notes whether PUTs have to be refused. */
static enum rc begin_ordinary(struct spool *spool, uint64_t record_bytes)
{
    const enum rc rc = head_begin(spool, HEAD_ORDINARY, record_bytes);
    if (rc != RC_OK && !atomic_load(&spool->counts.refuses))
        spool_tell(spool, SPOOL_SEGMENT_REFUSED, 0, rc == RC_IO ? errno : 0);
    spool->refuse_rc = rc;
    spool->retry_ms = time_now_ms() + RETRY_MS;
    atomic_store(&spool->counts.refuses, rc != RC_OK);
    return rc;
}

/* Nothing is accepted whose end might find no room. */
static bool keep_room(struct spool *spool)
{
    supply_keep(&spool->supply, places_count(&spool->chain.places));
    if (supply_refill(&spool->supply))
        return true;
    spool->refuse_rc = RC_LIMIT;
    spool->retry_ms = time_now_ms() + RETRY_MS;
    atomic_store(&spool->counts.refuses, true);
    return false;
}

/* Between two batches: goes on accepting as soon as that can be. */
static void look_after_room(struct spool *spool)
{
    const bool refuses = atomic_load(&spool->counts.refuses);
    if ((refuses && time_now_ms() < spool->retry_ms) || !keep_room(spool)
        || !refuses)
        return;
    if (head_takes(spool, true, 0))
        atomic_store(&spool->counts.refuses, false);
    else
        (void)begin_ordinary(spool, 0);
}

/* Bytes of the first item and of those that are joined to it. */
static uint64_t first_bytes(const struct item *items, size_t count)
{
    uint64_t bytes = record_size(&items[0].record);
    for (size_t i = 1; i < count && items[i].is_joined; i++)
        bytes += record_size(&items[i].record);
    return bytes;
}

/* A new head that takes the first item. */
static enum rc begin_for(struct spool *spool, const struct item *items,
                         size_t count)
{
    const uint64_t bytes = first_bytes(items, count);
    enum rc rc = spool->refuse_rc;
    if (!atomic_load(&spool->counts.refuses))
        rc = begin_ordinary(spool, bytes);
    if (rc != RC_OK && !item_is_put(items))
        rc = head_begin(spool, HEAD_RESERVE, bytes);
    return rc;
}

/* How many of the items the head takes as it is. */
static size_t count_fitting(const struct spool *spool, const struct item *items,
                            size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += record_size(&items[i].record);
        if (!head_takes(spool, item_is_put(&items[i]), bytes))
            return items[i].is_joined && i > 0 ? i - 1 : i;
    }
    return count;
}

static void apply(struct spool *spool, const struct item *item)
{
    struct chain *chain = &spool->chain;
    switch ((enum record_kind)item->record.kind) {
    case RECORD_PUT:
        chain_put(chain, spool->head, item->offset, &item->record);
        break;
    case RECORD_STATE:
        chain_state(chain, spool->head, item->offset, &item->record);
        break;
    case RECORD_DROP:
        chain_drop(chain, item->record.id);
        break;
    }
}

static void note_sync(struct spool *spool, size_t count, uint64_t sync_us)
{
    struct spool_counts *counts = &spool->counts;
    atomic_fetch_add(&counts->writes, count);
    atomic_fetch_add(&counts->syncs, 1);
    if (sync_us > atomic_load(&counts->sync_us_max))
        atomic_store(&counts->sync_us_max, sync_us);
}

/* All of the items or none. */
static enum rc write_items(struct spool *spool, struct item *items,
                           size_t count)
{
    struct chain *chain = &spool->chain;
    for (size_t i = 0; i < count; i++)
        if (item_is_put(&items[i]) && items[i].write)
            items[i].record.order = chain->next_order + i;

    uint64_t sync_us = 0;
    if (!batch_write(items, count, spool->head, &sync_us)) {
        const enum rc rc = supply_rc(errno);
        spool_tell(spool, SPOOL_SEGMENT_GIVEN_UP, spool->head->sequence, errno);
        head_abandon(spool);
        return rc;
    }
    note_sync(spool, count, sync_us);

    (void)pthread_mutex_lock(&spool->chain_lock);
    for (size_t i = 0; i < count; i++) {
        apply(spool, &items[i]);
        spool->head->end += record_size(&items[i].record);
        chain->bytes += record_size(&items[i].record);
    }
    spool_count_chain(spool);
    (void)pthread_mutex_unlock(&spool->chain_lock);
    CRASH_POINT("batch.applied");
    return RC_OK;
}

/* Moves STATE and DROP to the front, in their order, and tells the others. */
static size_t settle_puts(struct item *items, size_t count, enum rc rc)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (item_is_put(&items[i]) || !items[i].write) {
            settle(&items[i], rc);
            continue;
        }
        /* An exchange: each copy's memory stays in exactly one item. */
        const struct item item = items[i];
        items[i] = items[kept];
        items[kept++] = item;
    }
    return kept;
}

/* The write or sync of these items failed. A new segment comes first: its
 * header says that they are not part of the log. */
static void rescue(struct spool *spool, struct item *items, size_t count,
                   enum rc rc)
{
    const bool has_head = begin_ordinary(spool, 0) == RC_OK
                          || head_begin(spool, HEAD_RESERVE, 0) == RC_OK;
    CRASH_POINT("rescue.begun");
    count = settle_puts(items, count, rc);
    if (!has_head) {
        settle_all(items, count, rc);
        return;
    }
    while (count > 0) {
        size_t fitting = count_fitting(spool, items, count);
        if (fitting == 0 && begin_for(spool, items, count) == RC_OK)
            fitting = count_fitting(spool, items, count);
        if (fitting == 0 || write_items(spool, items, fitting) != RC_OK) {
            settle_all(items, count, rc);
            return;
        }
        settle_all(items, fitting, RC_OK);
        items += fitting;
        count -= fitting;
    }
}

static void commit(struct spool *spool, struct item *items, size_t count)
{
    while (count > 0) {
        size_t fitting = count_fitting(spool, items, count);
        enum rc rc = fitting > 0 ? RC_OK : begin_for(spool, items, count);
        if (rc != RC_OK) {
            settle(items, rc);
            fitting = 1;
        } else if (fitting > 0) {
            rc = write_items(spool, items, fitting);
            if (rc == RC_OK)
                settle_all(items, fitting, RC_OK);
            else
                rescue(spool, items, fitting, rc);
        }
        items += fitting;
        count -= fitting;
    }
}

void *committer_run(void *context)
{
    struct spool *spool = context;
    struct batch *batch = spool->batch;
    bool goes_on = true;
    while (goes_on) {
        cleaner_retire(spool);
        look_after_room(spool);
        rest(spool);
        cleaner_gather(spool, batch);
        goes_on = gather(spool, batch);
        if (goes_on)
            commit(spool, batch->items, batch->count);
        batch_clear(batch);
    }
    return NULL;
}
