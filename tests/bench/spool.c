/*
 * spool.c - how fast the spool takes messages, and how fast it comes back.
 *
 *     bench_spool commit FOLDER             1, 16 and 100 writers of 2.5 KiB
 *     bench_spool pass FOLDER COUNT SIZE    each put and dropped: bytes written
 *     bench_spool recover FOLDER COUNT SIZE COUNT messages of SIZE bytes, found
 *                                           warm, evicted, without indexes
 *
 * FOLDER must not exist or be a spool on the disk to be measured; what was
 * written is left there: `recover FOLDER 0 0` opens it again. A writer is a message that is put again as soon as
 * it was told as written, which is what a submission session does.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/envelope.h"
#include "router/spool/spool.h"

#define WRITERS_MAX  100u
#define BODY_BYTES   2560u
#define MEASURED_MS  3000u
#define SEGMENT_SIZE (64ull << 20)

struct run {
    struct spool *spool;
    struct body *body;
    struct buf envelope;
    atomic_uint_least64_t next_id;
    atomic_uint_least64_t written;
    atomic_uint running; /* writers that have not stopped */
    uint64_t last_id;    /* writers stop there */
    atomic_bool stopping;
    atomic_bool failed;
    sem_t stopped;
};

/* Puts a message, and when it is written drops it or not: in "commit" the spool
 * stays small, in "recover" it grows. */
struct writer {
    struct spool_write write;
    struct run *run;
    bool drops;
};

static void stop(struct run *run)
{
    if (atomic_fetch_sub(&run->running, 1) == 1)
        (void)sem_post(&run->stopped);
}

static void post_next(struct writer *writer)
{
    struct run *run = writer->run;
    struct spool_write *write = &writer->write;
    if (writer->drops && write->kind == SPOOL_PUT && write->id != 0) {
        write->kind = SPOOL_DROP;
        write->payload = SLICE("");
    } else {
        write->kind = SPOOL_PUT;
        write->payload = buf_slice(&run->envelope);
        write->id = atomic_fetch_add(&run->next_id, 1);
    }
    if (atomic_load(&run->stopping) || write->id > run->last_id)
        stop(run);
    else if (!spool_post(run->spool, write))
        atomic_store(&run->failed, true);
}

static void count_and_go_on(struct spool_write *write, enum rc rc)
{
    struct writer *writer = container_of(write, struct writer, write);
    if (rc != RC_OK) {
        atomic_store(&writer->run->failed, true);
        stop(writer->run);
        return;
    }
    if (write->kind == SPOOL_PUT)
        atomic_fetch_add(&writer->run->written, 1);
    post_next(writer);
}

static void pack_envelope(struct buf *out)
{
    const struct envelope_recipient recipient = {
        .address = SLICE("somebody@receiver.example"),
        .route = SLICE("transactional"),
    };
    const struct envelope envelope = {
        .id = 1,
        .accepted_utc_ms = 1769903999999u,
        .expires_utc_ms = 1770335999999u,
        .account = SLICE("shop"),
        .tenant = SLICE("acme"),
        .stream = SLICE("transactional"),
        .reasons = SLICE("header"),
        .mail_from = SLICE("bounce+12345@acme.example"),
        .message_id = SLICE("<1234567890.12345@acme.example>"),
        .recipients = &recipient,
        .recipient_count = 1,
    };
    if (envelope_pack(&envelope, out) != RC_OK)
        (void)fputs("the envelope does not fit\n", stderr);
}

static void count_live(void *context, const struct spool_live *live)
{
    (void)live;
    uint64_t *count = context;
    (*count)++;
}

/* Says how long it took when there was something to find. */
static struct spool *open_spool(const char *path, const char *how,
                                uint64_t *count)
{
    const struct spool_options options = {
        .path = path,
        .segment_size = SEGMENT_SIZE,
        .queue_max = 100000,
        .router = "bench",
        .live = count_live,
    };
    struct spool *spool = NULL;
    struct fault fault;
    const uint64_t begun_us = time_now_us();
    if (spool_open(&options, NULL, count, &spool, &fault) != RC_OK)
        (void)fprintf(stderr, "%s\n", fault.text);
    else if (*count > 0)
        printf("%" PRIu64 " messages found in %.3f s, %s\n", *count,
               (double)(time_now_us() - begun_us) / 1e6, how);
    return spool;
}

static bool run_init(struct run *run, const char *path, size_t body_len)
{
    uint64_t count = 0;
    memset(run, 0, sizeof *run);
    run->spool = open_spool(path, "as it was", &count);
    if (!run->spool)
        return false;
    run->body = body_new(mem_new(body_len + 1, 1), body_len);
    memset(run->body->bytes, 'm', body_len);
    buf_init(&run->envelope, 1000);
    pack_envelope(&run->envelope);
    atomic_init(&run->next_id, spool_last_id(run->spool) + 1);
    run->last_id = UINT64_MAX;
    return sem_init(&run->stopped, 0, 0) == 0;
}

static void run_release(struct run *run)
{
    spool_close(&run->spool);
    body_release(&run->body);
    buf_release(&run->envelope);
    (void)sem_destroy(&run->stopped);
}

static void start(struct run *run, struct writer *writers, unsigned count,
                  bool drops)
{
    atomic_store(&run->running, count);
    for (unsigned i = 0; i < count; i++) {
        writers[i] = (struct writer){
            .write = { .body = run->body, .done = count_and_go_on },
            .run = run,
            .drops = drops,
        };
        post_next(&writers[i]);
    }
}

static void wait_stopped(struct run *run)
{
    while (sem_wait(&run->stopped) != 0)
        ;
}

static bool measure_commits(const char *path, unsigned writers_count)
{
    struct run run;
    if (!run_init(&run, path, BODY_BYTES))
        return false;
    struct writer writers[WRITERS_MAX];
    const uint64_t begun_us = time_now_us();
    start(&run, writers, writers_count, true);
    struct timespec pause = { .tv_sec = MEASURED_MS / 1000 };
    while (nanosleep(&pause, &pause) != 0)
        ;
    const uint64_t written = atomic_load(&run.written);
    const uint64_t took_us = time_now_us() - begun_us;
    struct spool_stats stats;
    spool_stats(run.spool, &stats);
    atomic_store(&run.stopping, true);
    wait_stopped(&run);
    printf("%3u writers: %7" PRIu64 " messages/s (and as many drops), %6" PRIu64
           " syncs/s, %.1f records a sync, longest sync %.1f ms\n",
           writers_count, written * 1000000 / took_us,
           stats.syncs * 1000000 / took_us,
           (double)stats.writes / (double)(stats.syncs + (stats.syncs == 0)),
           (double)stats.sync_us_max / 1000);
    const bool failed = atomic_load(&run.failed);
    run_release(&run);
    return !failed;
}

typedef void each_fn(int folder, const char *name);

static void each_file(const char *path, each_fn *visit)
{
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (;;) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
        const struct dirent *at = readdir(folder);
        if (!at)
            break;
        visit(dirfd(folder), at->d_name);
    }
    (void)closedir(folder);
}

/* Out of the page cache, as far as the kernel does as it is told. */
static void evict(int folder, const char *name)
{
    const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)close(fd);
}

static void remove_index(int folder, const char *name)
{
    if (slice_ends_nocase(slice_text(name), SLICE(".index")))
        (void)unlinkat(folder, name, 0);
}

static uint64_t find_all(const char *path, const char *how)
{
    uint64_t found = 0;
    struct spool *spool = open_spool(path, how, &found);
    spool_close(&spool);
    return found;
}

/* What this process has written to disks so far. */
static uint64_t bytes_written(void)
{
    uint64_t bytes = 0;
    char text[1024];
    FILE *file = fopen("/proc/self/io", "r");
    const size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        (void)fclose(file);
    text[len] = '\0';
    const char *at = strstr(text, "\nwrite_bytes: ");
    if (at) {
        at += sizeof "\nwrite_bytes: " - 1;
        (void)slice_number(slice_of(at, strcspn(at, "\n")), UINT64_MAX, &bytes);
    }
    return bytes;
}

static bool fill_up(const char *path, uint64_t count, size_t size, bool drops)
{
    struct run run;
    if (!run_init(&run, path, size))
        return false;
    const uint64_t before = bytes_written();
    struct writer writers[WRITERS_MAX];
    run.last_id = atomic_load(&run.next_id) + count - 1;
    start(&run, writers, WRITERS_MAX, drops);
    wait_stopped(&run);
    const bool failed = atomic_load(&run.failed);
    run_release(&run);
    if (count > 0 && size > 0)
        printf("%.3f bytes written per byte of a message\n",
               (double)(bytes_written() - before)
                   / (double)(count * (uint64_t)size));
    return !failed;
}

static bool measure_recovery(const char *path, uint64_t count, size_t size)
{
    if (!fill_up(path, count, size, false))
        return false;
    /* Each opening makes the indexes that are missing. */
    const uint64_t found = find_all(path, "warm");
    each_file(path, remove_index);
    (void)find_all(path, "warm, without indexes");
    each_file(path, evict);
    (void)find_all(path, "evicted");
    each_file(path, remove_index);
    each_file(path, evict);
    (void)find_all(path, "evicted, without indexes");
    return found >= count;
}

int main(int argc, char **argv)
{
    uint64_t count = 0;
    uint64_t size = 0;
    bool good = false;
    if (argc == 3 && strcmp(argv[1], "commit") == 0) {
        good = measure_commits(argv[2], 1) && measure_commits(argv[2], 16)
               && measure_commits(argv[2], 100);
    } else if (argc == 5 && strcmp(argv[1], "pass") == 0
               && slice_number(slice_text(argv[3]), UINT32_MAX, &count)
               && slice_number(slice_text(argv[4]), 1u << 26, &size)) {
        good = fill_up(argv[2], count, (size_t)size, true);
    } else if (argc == 5 && strcmp(argv[1], "recover") == 0
               && slice_number(slice_text(argv[3]), UINT32_MAX, &count)
               && slice_number(slice_text(argv[4]), 1u << 26, &size)) {
        good = measure_recovery(argv[2], count, (size_t)size);
    } else {
        (void)fprintf(stderr,
                      "usage: %s commit FOLDER\n"
                      "       %s pass FOLDER COUNT SIZE\n"
                      "       %s recover FOLDER COUNT SIZE\n",
                      argv[0], argv[0], argv[0]);
        return 64;
    }
    return good ? 0 : 1;
}
