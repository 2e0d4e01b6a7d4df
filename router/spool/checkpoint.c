/* checkpoint.c - indexes of sealed segments. */
#include "router/spool/checkpoint.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/spool/contents.h"
#include "router/spool/core.h"

#include <sys/stat.h>
#include <unistd.h>

struct checkpoint {
    struct spool *spool;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    uint64_t *sealed; /* sequences, the newest last */
    size_t count;
    size_t size;
    bool stopping;
};

struct checkpoint *checkpoint_new(struct spool *spool)
{
    struct checkpoint *checkpoint = NEW(struct checkpoint);
    checkpoint->spool = spool;
    CHECK(pthread_mutex_init(&checkpoint->lock, NULL) == 0);
    CHECK(pthread_cond_init(&checkpoint->filled, NULL) == 0);
    return checkpoint;
}

void checkpoint_free(struct checkpoint **checkpoint)
{
    struct checkpoint *freed = steal(*checkpoint);
    if (!freed)
        return;
    mem_free(freed->sealed);
    (void)pthread_mutex_destroy(&freed->lock);
    (void)pthread_cond_destroy(&freed->filled);
    mem_free(freed);
}

void checkpoint_seal(struct checkpoint *checkpoint, uint64_t sequence)
{
    CHECK(pthread_mutex_lock(&checkpoint->lock) == 0);
    if (checkpoint->count == checkpoint->size) {
        checkpoint->size = checkpoint->size * 2 + 16;
        checkpoint->sealed = mem_resize(checkpoint->sealed, checkpoint->size,
                                        sizeof *checkpoint->sealed);
    }
    checkpoint->sealed[checkpoint->count++] = sequence;
    (void)pthread_cond_signal(&checkpoint->filled);
    (void)pthread_mutex_unlock(&checkpoint->lock);
}

void checkpoint_stop(struct checkpoint *checkpoint)
{
    CHECK(pthread_mutex_lock(&checkpoint->lock) == 0);
    checkpoint->stopping = true;
    (void)pthread_cond_signal(&checkpoint->filled);
    (void)pthread_mutex_unlock(&checkpoint->lock);
}

/* The newest first: the oldest are the likeliest to leave soon. 0: stopped. */
static uint64_t take_sealed(struct checkpoint *checkpoint)
{
    uint64_t sequence = 0;
    CHECK(pthread_mutex_lock(&checkpoint->lock) == 0);
    while (checkpoint->count == 0 && !checkpoint->stopping)
        (void)pthread_cond_wait(&checkpoint->filled, &checkpoint->lock);
    if (checkpoint->count > 0)
        sequence = checkpoint->sealed[--checkpoint->count];
    (void)pthread_mutex_unlock(&checkpoint->lock);
    return sequence;
}

/* NULL: it left, or is damaged and has to be walked through. */
static struct segment *borrow(struct spool *spool, uint64_t sequence)
{
    (void)pthread_mutex_lock(&spool->chain_lock);
    struct segment *segment = chain_find(&spool->chain, sequence);
    if (segment && segment->is_damaged)
        segment = NULL;
    if (segment)
        segment->readers++;
    (void)pthread_mutex_unlock(&spool->chain_lock);
    return segment;
}

static void give_back(struct spool *spool, struct segment *segment)
{
    (void)pthread_mutex_lock(&spool->chain_lock);
    segment->readers--;
    (void)pthread_mutex_unlock(&spool->chain_lock);
}

/* False: something in it is damaged or torn, which whoever opens the spool shall
 * see; or cannot be said in an index. */
static bool make_index(struct segment *segment, struct index *index)
{
    const struct walk_input input = contents_input(segment);
    struct walk walk;
    bool is_good = true;
    walk_init(&walk, &input, SEGMENT_START);
    while (is_good && walk_next(&walk)) {
        struct slice payload;
        is_good = walk.gap == 0 && walk.record.flags <= INDEX_FLAGS_MAX
                  && walk_payload(&walk, &payload);
        if (is_good && walk.offset >= segment->end - segment->unsynced)
            is_good = walk_body_is_good(&walk);
        if (walk.record.kind <= RECORD_DROP)
            index_add(index, walk.offset, &walk.record);
    }
    is_good &= walk.gap == 0;
    walk_release(&walk);
    index_reduce(index);
    return is_good;
}

static void write_index(const struct directory *directory,
                        const struct index *index)
{
    const struct directory_name name =
        directory_name_of(DIRECTORY_INDEX, index->sequence);
    size_t len = 0;
    scoped(mem_free_at) char *bytes = index_encode(index, &len);
    (void)directory_note_file(directory, name.text, slice_of(bytes, len));
}

/* No index is worth the last blocks of a disk. */
static bool may_write(struct spool *spool)
{
    return !atomic_load(&spool->counts.refuses)
           && volume_has_room(spool->volume, 0);
}

static void seal(struct spool *spool, uint64_t sequence)
{
    struct segment *segment = borrow(spool, sequence);
    if (!segment)
        return;
    struct index index = {
        .sequence = sequence,
        .epoch = segment->epoch,
        .end = segment->end,
    };
    if (may_write(spool) && make_index(segment, &index))
        write_index(&spool->directory, &index);
    index_release(&index);
    give_back(spool, segment);
}

void *checkpoint_run(void *context)
{
    struct checkpoint *checkpoint = context;
    for (;;) {
        const uint64_t sequence = take_sealed(checkpoint);
        if (sequence == 0)
            return NULL;
        seal(checkpoint->spool, sequence);
    }
}

static char *read_file(const struct directory *directory, uint64_t sequence,
                       uint64_t max, size_t *len)
{
    const struct directory_name name =
        directory_name_of(DIRECTORY_INDEX, sequence);
    struct segment file = { .fd = directory_open_file(directory, name.text,
                                                      false) };
    if (file.fd < 0)
        return NULL;
    struct stat is;
    scoped(mem_free_at) char *bytes = NULL;
    if (fstat(file.fd, &is) == 0 && S_ISREG(is.st_mode)
        && (uint64_t)is.st_size <= max) {
        *len = (size_t)is.st_size;
        bytes = mem_new(*len + 1, 1);
        if (!contents_read(&file, 0, bytes, *len))
            mem_free(steal(bytes));
    }
    (void)close(file.fd);
    return steal(bytes);
}

bool checkpoint_load(const struct directory *directory,
                     const struct segment *segment, struct index *index)
{
    size_t len = 0;
    scoped(mem_free_at) char *bytes = read_file(
        directory, segment->sequence, index_bytes_max(segment->end), &len);
    *index = (struct index){
        .sequence = segment->sequence,
        .epoch = segment->epoch,
        .end = segment->end,
    };
    return bytes && index_decode(slice_of(bytes, len), index) == RC_OK;
}

void checkpoint_forget(const struct directory *directory, uint64_t sequence)
{
    directory_forget_file(directory,
                          directory_name_of(DIRECTORY_INDEX, sequence).text);
}
