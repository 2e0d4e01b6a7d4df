/* head.c - beginning a new segment, and giving one up. */
#include "router/spool/head.h"

#include "common/base/check.h"
#include "common/base/crash.h"
#include "common/base/time.h"
#include "router/spool/checkpoint.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

static struct segment_header header_of_next(const struct spool *spool)
{
    const struct chain *chain = &spool->chain;
    const struct segment *last = chain_last(chain);
    struct segment_header header = {
        .version = SEGMENT_VERSION,
        .sequence = last ? last->sequence + 1 : 1,
        .oldest = last ? chain_first(chain)->sequence : 1,
        .previous_end = last ? last->end : 0,
        .previous_unsynced = last ? (uint32_t)last->unsynced : 0,
        .last_id = chain->last_id,
        .next_order = chain->next_order,
        .made_utc_ms = time_utc_ms(),
    };
    const ssize_t got = getrandom(&header.epoch, sizeof header.epoch, 0);
    CHECK(got == (ssize_t)sizeof header.epoch);
    memcpy(header.router, spool->router, sizeof header.router);
    return header;
}

/* False with errno. */
static bool write_header(int fd, const struct segment_header *header)
{
    char bytes[SEGMENT_START];
    segment_encode(header, bytes);
    const ssize_t put = pwrite(fd, bytes, sizeof bytes, 0);
    if (put >= 0 && put < (ssize_t)sizeof bytes)
        errno = ENOSPC;
    CRASH_POINT("segment.header_written");
    return put == (ssize_t)sizeof bytes && fdatasync(fd) == 0;
}

/* False with errno, and the file is gone. */
static bool put_in_place(struct spool *spool, const struct supply_file *file,
                         const struct segment_header *header)
{
    const struct directory_name name =
        directory_name_of(DIRECTORY_SEGMENT, header->sequence);
    if (write_header(file->fd, header)
        && directory_rename(&spool->directory, file->name.text, name.text)) {
        CRASH_POINT("segment.in_place");
        return true;
    }
    const int reason = errno;
    (void)directory_remove(&spool->directory, file->name.text);
    (void)directory_remove(&spool->directory, name.text);
    (void)close(file->fd);
    errno = reason;
    return false;
}

static bool chain_is_full(const struct chain *chain)
{
    const struct segment *last = chain_last(chain);
    return last
           && last->sequence - chain_first(chain)->sequence
                  >= CHAIN_SEGMENTS_MAX - 1;
}

/* What is below the hard mark is for others, and for the reserve. */
static bool has_room(struct spool *spool)
{
    if (supply_has_spare(&spool->supply))
        return true;
    volume_look(spool->volume);
    return !volume_is_low(spool->volume, spool->segment_size);
}

enum rc head_begin(struct spool *spool, enum head_kind kind,
                   uint64_t record_bytes)
{
    const uint64_t size = SEGMENT_START + record_bytes;
    if (size > SEGMENT_SIZE_MAX || chain_is_full(&spool->chain))
        return RC_LIMIT;

    if (kind == HEAD_ORDINARY && !has_room(spool))
        return RC_LIMIT;

    struct supply_file file = { .fd = -1 };
    const enum rc rc = kind == HEAD_RESERVE
                           ? supply_take_reserve(&spool->supply, size, &file)
                           : supply_take(&spool->supply, size, &file);
    if (rc != RC_OK)
        return rc;

    const struct segment_header header = header_of_next(spool);
    if (!put_in_place(spool, &file, &header)) {
        atomic_fetch_add(&spool->counts.failures, 1);
        return supply_rc(errno);
    }
    const struct segment segment = {
        .sequence = header.sequence,
        .epoch = header.epoch,
        .fd = file.fd,
        .size = file.size,
        .end = SEGMENT_START,
        .is_reserve = file.is_reserve,
    };
    const struct segment *sealed = chain_last(&spool->chain);
    if (sealed)
        checkpoint_seal(spool->checkpoint, sealed->sequence);
    (void)pthread_mutex_lock(&spool->chain_lock);
    chain_add(&spool->chain, &segment);
    spool->head = chain_last(&spool->chain);
    spool_count_chain(spool);
    (void)pthread_mutex_unlock(&spool->chain_lock);
    return RC_OK;
}

void head_abandon(struct spool *spool)
{
    spool->head = NULL;
    atomic_fetch_add(&spool->counts.failures, 1);
}

bool head_takes(const struct spool *spool, bool is_put, uint64_t record_bytes)
{
    const struct segment *head = spool->head;
    return head && record_bytes <= head->size - head->end
           && !(is_put && head->is_reserve);
}
