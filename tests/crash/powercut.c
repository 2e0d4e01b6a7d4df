/*
 * powercut.c - crash-powercut: cuts a recorded run at every step and opens
 * what a power cut there may have left.
 *
 *     crash-powercut TRACE FOLDER [--variants N] [--seed N] [--jobs N]
 *                    [--lie files|folder|early] [--only CUT.VARIANT]
 *
 * A cut lies before each call that changes something, when everything that was
 * told so far is promised. Where the pieces not synced are few, all their
 * combinations are tried; else N variants: all kept, none, names alone,
 * contents alone, torn at some sector, and by chance. Each image is opened by
 * the spool's own recovery, and again after it took another message. FOLDER is
 * where images are made: best on a tmpfs.
 *
 * --lie judges the run as if the program had not synced its files, or its
 * folder, or had told of writes before their sync: it must come out as wrong.
 * --only makes and checks one image and leaves it there. Prints a line per
 * fault, then the totals. Exit status: 0 all held, 1 not, 64 wrong options.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "router/spool/spool.h"
#include "tests/crash/disk.h"
#include "tests/crash/letters.h"
#include "tests/crash/promises.h"

#define JOBS_MAX     16u
#define ALL_BITS_MAX 6u /* pieces of which all combinations are tried */
#define SHOWN_MAX    5u
#define FIXED        6u /* variants that are not left to chance */
#define REOPEN_EACH  8u

struct tally {
    atomic_uint_least64_t cuts;
    atomic_uint_least64_t images;
    atomic_uint_least64_t faults;
    atomic_uint_least64_t lost;          /* of those: acknowledged, and gone */
    atomic_uint_least64_t cut[JOBS_MAX]; /* at which each job is */
    atomic_uint_least64_t variant[JOBS_MAX];
};

struct options {
    const char *trace;
    const char *folder;
    uint64_t variants;
    uint64_t seed;
    uint64_t jobs;
    struct disk_lies lies;
    bool tells_early;
    bool has_only;
    uint64_t only_cut;
    uint64_t only_variant;
};

struct job {
    const struct options *options;
    struct tally *tally;
    uint64_t number;
    struct slice rest; /* of the trace */
    struct disk *disk;
    struct promises *promises;
    uint64_t cut;
    char folder[256];
    uint64_t variant; /* at hand */
    bool is_wrong;
    char why[PROMISES_WHY_MAX];
    uint64_t *ids; /* that the last opening told of */
    uint64_t *lens;
    size_t count;
    uint64_t extra_id; /* put behind the cut; 0: none */
};

#define FOUND_MAX 100000u

static void complain(struct job *job, const char *why)
{
    if (job->is_wrong)
        return;
    job->is_wrong = true;
    const uint64_t before = atomic_fetch_add(&job->tally->faults, 1);
    if (strncmp(why, "lost", 4) == 0)
        atomic_fetch_add(&job->tally->lost, 1);
    if (before < SHOWN_MAX)
        (void)fprintf(stderr, "cut %" PRIu64 ".%" PRIu64 ": %s\n", job->cut,
                      job->variant, why);
}

static void check_found(void *context, uint64_t id, struct slice envelope,
                        struct slice state)
{
    struct job *job = context;
    uint64_t len = 0;
    if (id == job->extra_id && job->extra_id != 0) {
        job->extra_id = 0;
        return;
    }
    if (!promises_found(job->promises, id, envelope, state, job->why)) {
        complain(job, job->why);
        return;
    }
    CHECK(letter_read_envelope(envelope, id, &len) && job->count < FOUND_MAX);
    job->ids[job->count] = id;
    job->lens[job->count++] = len;
}

static void check_bodies(struct job *job, struct spool *spool)
{
    for (size_t i = 0; i < job->count && !job->is_wrong; i++) {
        struct body *body = NULL;
        struct fault fault = { .rc = RC_OK };
        if (spool_read_body(spool, job->ids[i], &body, &fault) != RC_OK) {
            complain(job, fault.text);
            return;
        }
        const struct slice right = letter_body(job->ids[i], job->lens[i]);
        if (body->len != right.len
            || memcmp(body->bytes, right.ptr, right.len) != 0)
            complain(job, "another body");
        body_release(&body);
    }
}

/* Opens and checks; the spool stays open when the result is not NULL. */
static struct spool *open_image(struct job *job)
{
    const struct spool_options options = {
        .path = job->folder,
        .segment_size = 64u << 10,
        .queue_max = 100,
        .router = "crash",
    };
    struct spool *spool = NULL;
    struct fault fault = { .rc = RC_OK };
    job->count = 0;
    promises_begin(job->promises);
    if (spool_open(&options, check_found, job, &spool, &fault) != RC_OK) {
        complain(job, fault.text);
        return NULL;
    }
    if (!job->is_wrong && !promises_end(job->promises, job->why))
        complain(job, job->why);
    struct spool_stats stats;
    spool_stats(spool, &stats);
    if (stats.damaged > 0)
        complain(job, "undamaged records are called damaged");
    check_bodies(job, spool);
    return spool;
}

struct waiter {
    struct spool_write write;
    sem_t done;
    enum rc rc;
};

static void wake(struct spool_write *write, enum rc rc)
{
    struct waiter *waiter = container_of(write, struct waiter, write);
    waiter->rc = rc;
    (void)sem_post(&waiter->done);
}

/* The spool goes on behind the cut, and what it took then is kept as well. */
static void check_going_on(struct job *job, struct spool **spool)
{
    struct body body = { .len = 0 };
    struct waiter waiter = { .write = {
                                 .kind = SPOOL_PUT,
                                 .id = spool_last_id(*spool) + 1,
                                 .payload = SLICE("one more"),
                                 .body = &body,
                                 .done = wake,
                             } };
    const struct slice bytes = letter_body(1, 100);
    body.bytes = (char *)(uintptr_t)bytes.ptr;
    body.len = bytes.len;
    CHECK(sem_init(&waiter.done, 0, 0) == 0);
    list_init(&waiter.write.link);
    CHECK(spool_post(*spool, &waiter.write));
    while (sem_wait(&waiter.done) != 0)
        ;
    (void)sem_destroy(&waiter.done);
    spool_close(spool);
    if (waiter.rc != RC_OK)
        complain(job, "takes nothing after the cut");
    job->extra_id = waiter.write.id;
    *spool = open_image(job);
    if (job->extra_id != 0)
        complain(job, "lost what it took after the cut");
    job->extra_id = 0;
}

static void empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    CHECK(folder);
    for (;;) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
        const struct dirent *at = readdir(folder);
        if (!at)
            break;
        if (at->d_name[0] != '.')
            (void)unlinkat(dirfd(folder), at->d_name, 0);
    }
    (void)closedir(folder);
}

static struct choice choice_of(const struct job *job, uint64_t variant)
{
    static const enum choice_kind fixed[FIXED] = {
        CHOICE_ALL,  CHOICE_NONE,   CHOICE_NAMES,
        CHOICE_DATA, CHOICE_BEFORE, CHOICE_BEHIND,
    };
    struct choice choice = { .kind = CHOICE_DICE };
    choice.dice.state =
        job->options->seed * 1000003 + job->cut * 4099 + variant;
    choice.sector = dice_roll(&choice.dice, 3) > 0 ? 512 : 4096;
    choice.leaves_stale = dice_roll(&choice.dice, 4) == 0;
    const size_t pieces = disk_count_pieces(job->disk, choice.sector);
    if (variant < FIXED)
        choice.kind = fixed[variant];
    if (choice.kind == CHOICE_DICE)
        choice.bits = 2 + dice_roll(&choice.dice, 2) * 6;
    else
        choice.bits = dice_roll(&choice.dice, pieces + 1);
    return choice;
}

static void check_image(struct job *job, uint64_t variant,
                        struct choice *choice)
{
    atomic_store(&job->tally->variant[job->number], variant);
    job->variant = variant;
    job->is_wrong = false;
    empty_folder(job->folder);
    const int folder = open(job->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(folder >= 0 && disk_make_image(job->disk, choice, folder));
    (void)close(folder);
    if (job->options->has_only)
        return;
    struct spool *spool = open_image(job);
    if (spool && !job->is_wrong && variant % REOPEN_EACH == 0)
        check_going_on(job, &spool);
    spool_close(&spool);
    atomic_fetch_add(&job->tally->images, 1);
}

static bool is_wanted(const struct job *job)
{
    if (job->options->has_only)
        return job->cut == job->options->only_cut;
    return job->cut % job->options->jobs == job->number;
}

static void check_cut(struct job *job)
{
    const struct options *options = job->options;
    job->cut++;
    if (!is_wanted(job))
        return;
    atomic_store(&job->tally->cut[job->number], job->cut);
    atomic_fetch_add(&job->tally->cuts, 1);
    const size_t pieces = disk_count_pieces(job->disk, 512);
    const bool all =
        pieces <= ALL_BITS_MAX && options->variants >= 1u << ALL_BITS_MAX;
    const uint64_t count = all           ? 1u << pieces
                           : pieces == 0 ? 1
                                         : options->variants;
    for (uint64_t variant = 0; variant < count; variant++) {
        struct choice choice = choice_of(job, variant);
        if (all)
            choice = (struct choice){ .kind = CHOICE_BITS,
                                      .bits = variant,
                                      .sector = 512 };
        if (!options->has_only || variant == options->only_variant)
            check_image(job, variant, &choice);
    }
}

/* False: the trace ends here. */
static bool next_event(struct slice *rest, struct trace_event *event,
                       const char **bytes)
{
    if (rest->len < sizeof *event)
        return false;
    memcpy(event, rest->ptr, sizeof *event);
    if (rest->len - sizeof *event < event->len)
        return false;
    *bytes = rest->ptr + sizeof *event;
    const size_t len = sizeof *event + (size_t)event->len;
    *rest = slice_of(rest->ptr + len, rest->len - len);
    return true;
}

static void hear_mark(struct job *job, const char *bytes)
{
    struct mark mark;
    memcpy(&mark, bytes, sizeof mark);
    promises_hear(job->promises, &mark);
}

/* Tells of the writes behind a sync before it. Returns where they end. */
static struct slice tell_early(struct job *job, struct slice rest)
{
    struct trace_event event;
    const char *bytes = NULL;
    struct slice ahead = rest;
    while (next_event(&ahead, &event, &bytes) && event.kind == TRACE_MARK) {
        hear_mark(job, bytes);
        rest = ahead;
    }
    return rest;
}

static void run_job(struct job *job)
{
    struct trace_event event;
    const char *bytes = NULL;
    while (next_event(&job->rest, &event, &bytes)) {
        if (event.kind == TRACE_MARK) {
            hear_mark(job, bytes);
            continue;
        }
        if (job->options->tells_early && event.kind == TRACE_SYNC)
            job->rest = tell_early(job, job->rest);
        if (event.kind >= TRACE_WRITE || event.kind == TRACE_LIFE
            || (event.kind == TRACE_OPEN && event.number != 0))
            check_cut(job);
        disk_hear(job->disk, &event, bytes);
    }
    check_cut(job);
}

static int run_child(const struct options *options, struct tally *tally,
                     uint64_t number, struct slice trace)
{
    struct job job = {
        .options = options,
        .tally = tally,
        .number = number,
        .rest = trace,
        .disk = disk_new(options->lies),
        .promises = promises_new(),
        .ids = mem_new(FOUND_MAX, sizeof(uint64_t)),
        .lens = mem_new(FOUND_MAX, sizeof(uint64_t)),
    };
    (void)snprintf(job.folder, sizeof job.folder, "%s/%" PRIu64,
                   options->folder, number);
    CHECK(mkdir(job.folder, 0700) == 0 || errno == EEXIST);
    run_job(&job);
    if (!options->has_only) {
        empty_folder(job.folder);
        (void)rmdir(job.folder);
    }
    disk_free(&job.disk);
    promises_free(&job.promises);
    mem_free(job.ids);
    mem_free(job.lens);
    return 0;
}

/* A job that dies is a recovery that died. */
static void run_all(const struct options *options, struct tally *tally,
                    struct slice trace)
{
    pid_t pids[JOBS_MAX];
    for (uint64_t i = 0; i < options->jobs; i++) {
        pids[i] = fork();
        CHECK(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(run_child(options, tally, i, trace));
    }
    for (uint64_t i = 0; i < options->jobs; i++) {
        int status = 0;
        CHECK(waitpid(pids[i], &status, 0) == pids[i]);
        if (status == 0)
            continue;
        atomic_fetch_add(&tally->faults, 1);
        (void)fprintf(stderr, "cut %" PRIu64 ".%" PRIu64 ": died, status %d\n",
                      atomic_load(&tally->cut[i]),
                      atomic_load(&tally->variant[i]), status);
    }
}

static bool take_lie(struct options *options, const char *text)
{
    options->lies.files = strcmp(text, "files") == 0;
    options->lies.folder = strcmp(text, "folder") == 0;
    options->tells_early = strcmp(text, "early") == 0;
    return options->lies.files || options->lies.folder || options->tells_early;
}

static bool take_only(struct options *options, const char *text)
{
    struct cursor cursor = cursor_of(slice_text(text));
    options->has_only = true;
    options->jobs = 1;
    return cursor_number(&cursor, UINT64_MAX, &options->only_cut)
           && cursor_byte(&cursor, '.')
           && cursor_number(&cursor, UINT64_MAX, &options->only_variant);
}

static bool take_option(struct options *options, const char *name,
                        const char *text)
{
    const struct slice value = slice_text(text);
    if (strcmp(name, "--variants") == 0)
        return slice_number(value, UINT32_MAX, &options->variants);
    if (strcmp(name, "--seed") == 0)
        return slice_number(value, UINT32_MAX, &options->seed);
    if (strcmp(name, "--jobs") == 0)
        return slice_number(value, JOBS_MAX, &options->jobs)
               && options->jobs > 0;
    if (strcmp(name, "--lie") == 0)
        return take_lie(options, text);
    return strcmp(name, "--only") == 0 && take_only(options, text);
}

static bool read_arguments(int argc, char **argv, struct options *options)
{
    if (argc < 3 || argc % 2 == 0)
        return false;
    options->trace = argv[1];
    options->folder = argv[2];
    for (int i = 3; i + 1 < argc; i += 2)
        if (!take_option(options, argv[i], argv[i + 1]))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    struct options options = { .variants = 10, .seed = 1, .jobs = 2 };
    if (!read_arguments(argc, argv, &options)) {
        (void)fputs("usage: crash-powercut TRACE FOLDER [--variants N]"
                    " [--seed N] [--jobs N]\n"
                    "    [--lie files|folder|early] [--only CUT.VARIANT]\n",
                    stderr);
        return EX_USAGE;
    }
    const int fd = open(options.trace, O_RDONLY | O_CLOEXEC);
    struct stat is;
    CHECK(fd >= 0 && fstat(fd, &is) == 0 && is.st_size > 0);
    const char *bytes =
        mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    struct tally *tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(bytes != MAP_FAILED && tally != MAP_FAILED);
    run_all(&options, tally, slice_of(bytes, (size_t)is.st_size));
    (void)printf("cuts=%" PRIu64 " images=%" PRIu64 " faults=%" PRIu64
                 " lost=%" PRIu64 " seed=%" PRIu64 "\n",
                 atomic_load(&tally->cuts), atomic_load(&tally->images),
                 atomic_load(&tally->faults), atomic_load(&tally->lost),
                 options.seed);
    return atomic_load(&tally->faults) == 0 ? 0 : 1;
}
