/* test_spool_faults - a disk that fails or is full: nothing is told as kept
 * that is not, nothing comes back that was refused, and work goes on by itself
 * when the disk does. */
#include "tests/unit/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/base/time.h"
#include "router/spool/check.h"
#include "router/spool/cleaner.h"

#define FOR_EVER 1000000

/* How many of the next syncs fail; and what to fail them with. */
static atomic_int syncs_to_fail;
static atomic_int sync_errno;

/* The linker puts these in front of the system's: see CMakeLists.txt. */
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
    if (atomic_load(&syncs_to_fail) > 0) {
        atomic_fetch_sub(&syncs_to_fail, 1);
        errno = atomic_load(&sync_errno);
        return -1;
    }
    return __real_fdatasync(fd);
}

static void fail_syncs(int count, int reason)
{
    atomic_store(&sync_errno, reason);
    atomic_store(&syncs_to_fail, count);
}

/* Reads of files whose names end so fail; NULL: none do. */
static _Atomic(const char *) unreadable;
static atomic_uint reads_failed;
static atomic_uint_least64_t skew_ms; /* what the clock is ahead */

ssize_t __real_pread64(int fd, void *bytes, size_t len, off_t offset);
ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset);

static bool is_unreadable(int fd)
{
    const char *suffix = atomic_load(&unreadable);
    char link[64];
    char path[PATH_MAX];
    if (!suffix)
        return false;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof path);
    return len > 0
           && slice_ends_nocase(slice_of(path, (size_t)len),
                                slice_text(suffix));
}

ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset)
{
    if (!is_unreadable(fd))
        return __real_pread64(fd, bytes, len, offset);
    atomic_fetch_add(&reads_failed, 1);
    errno = EIO;
    return -1;
}

uint64_t __real_time_now_ms(void);
uint64_t __wrap_time_now_ms(void);

uint64_t __wrap_time_now_ms(void)
{
    return __real_time_now_ms() + atomic_load(&skew_ms);
}

/* The committer tries again every 100 ms. */
static bool accepts_soon(struct fixture *fixture)
{
    const uint64_t until_ms = time_now_ms() + SECONDS_MS(5);
    const struct timespec pause = { .tv_nsec = 10 * 1000000 };
    while (time_now_ms() < until_ms) {
        if (spool_accepts(fixture->spool, 1000))
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static void a_put_whose_sync_failed_never_comes_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1, 500), RC_OK);
    fail_syncs(1, EIO);
    assert_int_equal(fixture_put(&fixture, 2, 500), RC_IO);
    assert_int_equal(atomic_load(&syncs_to_fail), 0);
    assert_int_equal(fixture_check_body(&fixture, 2), RC_NONE);
    assert_int_equal(fixture_check_body(&fixture, 1), RC_OK);
    assert_int_equal(fixture_stats(&fixture).failures, 1);
    assert_int_equal(atomic_load(&fixture.heard[SPOOL_SEGMENT_GIVEN_UP]), 1);
    assert_int_equal(fixture_put(&fixture, 3, 500), RC_OK);
    assert_int_equal(fixture_stats(&fixture).segments, 2);
    fixture_close(&fixture);
    /* Its bytes are in the file, whole: the next segment's header says that
     * they do not count. */
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 2);
    assert_null(fixture_find(&fixture, 2));
    assert_int_equal(fixture_check_body(&fixture, 1), RC_OK);
    assert_int_equal(fixture_check_body(&fixture, 3), RC_OK);
    assert_int_equal(fixture_stats(&fixture).damaged, 0);
    fixture_release(&fixture);
}

static void a_refused_put_stays_refused_without_a_later_write(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1, 500), RC_OK);
    fail_syncs(1, EIO);
    assert_int_equal(fixture_put(&fixture, 2, 500), RC_IO);
    fixture_close(&fixture);
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 1);
    fixture_release(&fixture);
}

static void state_and_drop_are_written_elsewhere(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    for (uint64_t id = 1; id <= 3; id++)
        assert_int_equal(fixture_put(&fixture, id, 500), RC_OK);
    fail_syncs(1, EIO);
    assert_int_equal(fixture_state(&fixture, 1, "kept"), RC_OK);
    fail_syncs(1, EIO);
    assert_int_equal(fixture_drop(&fixture, 2), RC_OK);
    fixture_close(&fixture);
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 2);
    assert_string_equal(fixture_find(&fixture, 1)->state, "kept");
    assert_null(fixture_find(&fixture, 2));
    fixture_release(&fixture);
}

static void a_failing_disk_takes_nothing_until_it_works(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1, 500), RC_OK);
    fail_syncs(FOR_EVER, EIO);
    for (uint64_t id = 2; id < 10; id++)
        assert_int_equal(fixture_put(&fixture, id, 500), RC_IO);
    assert_int_equal(fixture_drop(&fixture, 1), RC_IO);
    assert_false(spool_accepts(fixture.spool, 100));
    assert_int_equal(fixture_check_body(&fixture, 1), RC_OK);
    fail_syncs(0, 0);
    assert_true(accepts_soon(&fixture));
    assert_int_equal(fixture_put(&fixture, 20, 500), RC_OK);
    assert_int_equal(fixture_drop(&fixture, 1), RC_OK);
    fixture_close(&fixture);
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 1);
    assert_non_null(fixture_find(&fixture, 20));
    fixture_release(&fixture);
}

static void no_sync_at_the_start_is_no_start(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1, 500), RC_OK);
    fixture_close(&fixture);
    fail_syncs(1, EIO);
    assert_int_equal(fixture_try_open(&fixture), RC_IO);
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 1);
    fixture_release(&fixture);
}

/* Mail that comes and goes, as much as ten segments take. */
static void pass_mail(struct fixture *fixture)
{
    static uint64_t id = 1000;
    for (const uint64_t end = id + 300; id < end; id++) {
        assert_int_equal(fixture_put(fixture, id, 2000), RC_OK);
        assert_int_equal(fixture_drop(fixture, id), RC_OK);
    }
}

static unsigned heard(struct fixture *fixture, enum spool_event event)
{
    return atomic_load(&fixture->heard[event]);
}

#define OTHERS 20u

/* The oldest segment is worth cleaning only when they are gone. */
static void drop_others(struct fixture *fixture)
{
    for (uint64_t id = 10; id < 10 + OTHERS; id++)
        assert_int_equal(fixture_drop(fixture, id), RC_OK);
}

/* Three messages in the oldest segment, and others; the first has a STATE in the
 * next one. */
static void put_three(struct fixture *fixture)
{
    fixture_init(fixture, fixture_memory_folder());
    fixture_open(fixture);
    for (uint64_t id = 1; id <= 3; id++)
        assert_int_equal(fixture_put(fixture, id, 500), RC_OK);
    for (uint64_t id = 10; id < 10 + OTHERS; id++)
        assert_int_equal(fixture_put(fixture, id, 4000), RC_OK);
    assert_int_equal(fixture_stats(fixture).segments, 2);
    assert_int_equal(fixture_state(fixture, 1, "kept"), RC_OK);
}

static void check_three(struct fixture *fixture)
{
    assert_int_equal(fixture_stats(fixture).messages, 3);
    assert_int_equal(fixture_stats(fixture).damaged, 0);
    fixture_close(fixture);
    assert_int_equal(fixture_count_files(fixture, ".damaged"), 0);
    fixture_open(fixture);
    assert_int_equal(fixture->found_count, 3);
    assert_string_equal(fixture_find(fixture, 1)->state, "kept");
    for (uint64_t id = 1; id <= 3; id++)
        assert_int_equal(fixture_check_body(fixture, id), RC_OK);
    fixture_release(fixture);
}

/* The cleaner meets files that it cannot read now; later it can. */
static void pass_read_error(const char *suffix)
{
    struct fixture fixture;
    put_three(&fixture);
    atomic_store(&reads_failed, 0);
    atomic_store(&unreadable, suffix);
    drop_others(&fixture);
    for (int i = 0; i < 3; i++)
        pass_mail(&fixture);
    assert_in_range(atomic_load(&reads_failed), 1, 100); /* one walk */
    assert_int_equal(heard(&fixture, SPOOL_UNREADABLE), 1);
    assert_int_equal(heard(&fixture, SPOOL_MESSAGE_LOST), 0);
    assert_int_equal(fixture_stats(&fixture).messages, 3);
    const uint64_t before = fixture_stats(&fixture).segments;

    atomic_store(&unreadable, NULL);
    atomic_fetch_add(&skew_ms, CLEANER_PAUSE_MS);
    pass_mail(&fixture);
    assert_true(fixture_stats(&fixture).segments < before);
    check_three(&fixture);
}

static void a_read_error_that_passes_loses_nothing(void **state)
{
    (void)state;
    pass_read_error("01.seg");
}

static void a_state_that_cannot_be_read_now_is_not_left_behind(void **state)
{
    (void)state;
    pass_read_error("02.seg");
}

static void what_stays_unreadable_is_told_and_set_aside(void **state)
{
    (void)state;
    struct fixture fixture;
    put_three(&fixture);
    atomic_store(&unreadable, "01.seg");
    drop_others(&fixture);
    for (unsigned i = 0; i < CLEANER_TRIES; i++) {
        pass_mail(&fixture);
        atomic_fetch_add(&skew_ms, CLEANER_PAUSE_MS);
    }
    assert_int_equal(heard(&fixture, SPOOL_MESSAGE_LOST), 0); /* too soon */
    atomic_fetch_add(&skew_ms, CLEANER_PATIENCE_MS);
    pass_mail(&fixture);
    atomic_store(&unreadable, NULL);
    assert_int_equal(heard(&fixture, SPOOL_UNREADABLE), 1);
    assert_int_equal(heard(&fixture, SPOOL_MESSAGE_LOST), 3);
    assert_int_equal(heard(&fixture, SPOOL_SET_ASIDE), 1);
    assert_int_equal(fixture_count_files(&fixture, "01.damaged"), 1);
    fixture_release(&fixture);
}

/* No start goes on without what it could not read. */
static void fail_start(struct fixture *fixture, const char *suffix)
{
    atomic_store(&unreadable, suffix);
    assert_int_equal(fixture_try_open(fixture), RC_IO);
    atomic_store(&unreadable, NULL);
}

/* An offline reader shows what it can. */
static void look_around(struct fixture *fixture, const char *suffix)
{
    struct check *check = NULL;
    struct fault fault = { .rc = RC_OK };
    atomic_store(&unreadable, suffix);
    assert_int_equal(check_open(fixture->path, false, &check, &fault), RC_OK);
    atomic_store(&unreadable, NULL);
    assert_true(check_totals(check).damaged > 0);
    assert_true(check_totals(check).messages > 0);
    check_close(&check);
}

static void a_start_that_cannot_read_is_no_start(void **state)
{
    (void)state;
    struct fixture fixture;
    put_three(&fixture);
    fixture_close(&fixture);
    fail_start(&fixture, ".seg");
    fail_start(&fixture, "01.seg");
    fail_start(&fixture, "02.seg");
    look_around(&fixture, "01.seg");
    look_around(&fixture, "02.seg");
    fixture_open(&fixture);
    assert_int_equal(heard(&fixture, SPOOL_SET_ASIDE), 0);
    assert_int_equal(heard(&fixture, SPOOL_DAMAGED), 0);
    drop_others(&fixture);
    check_three(&fixture);
}

static void a_start_without_descriptors_is_no_start(void **state)
{
    (void)state;
    struct fixture fixture;
    struct rlimit limit;
    put_three(&fixture);
    fixture_close(&fixture);
    const int lowest = dup(0);
    assert_true(lowest >= 0);
    (void)close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit few = { .rlim_cur = (rlim_t)lowest + 3,
                                .rlim_max = limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(fixture_try_open(&fixture), RC_IO);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    fixture_open(&fixture);
    drop_others(&fixture);
    check_three(&fixture);
}

/* Puts until there is no space; returns the id that was refused. */
static uint64_t fill_up(struct fixture *fixture, enum rc *rc)
{
    uint64_t id = 1;
    *rc = RC_OK;
    while (id < 5000 && *rc == RC_OK)
        *rc = fixture_put(fixture, id++, 3000);
    return id - 1;
}

static void check_full_disk(struct fixture *fixture, void (*relieve)(void))
{
    enum rc rc = RC_OK;
    const uint64_t refused = fill_up(fixture, &rc);
    assert_int_equal(rc, RC_LIMIT);
    assert_true(refused > 10);
    assert_false(spool_accepts(fixture->spool, 3000));
    assert_int_equal(fixture_put(fixture, refused, 3000), RC_LIMIT);
    /* What is queued can be noted and can go. */
    for (uint64_t id = 1; id < refused; id++)
        assert_int_equal(fixture_state(fixture, id, "tried"), RC_OK);
    assert_int_equal(fixture_check_body(fixture, 1), RC_OK);
    for (uint64_t id = 1; id < refused; id++)
        assert_int_equal(fixture_drop(fixture, id), RC_OK);
    if (relieve)
        relieve();
    assert_true(accepts_soon(fixture));
    assert_int_equal(fixture_put(fixture, refused, 3000), RC_OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->found_count, 1);
    assert_int_equal(fixture_check_body(fixture, refused), RC_OK);
    assert_int_equal(fixture_stats(fixture).damaged, 0);
}

/* Many small messages: what has to be noted of them is as much as they are. */
static void check_small_messages(struct fixture *fixture)
{
    enum rc rc = RC_OK;
    uint64_t count = 0;
    while (count < 20000 && rc == RC_OK)
        rc = fixture_put(fixture, ++count, 0);
    assert_int_equal(rc, RC_LIMIT);
    assert_true(count > 1000);
    for (uint64_t id = 1; id < count; id++)
        assert_int_equal(
            fixture_state(fixture, id, "451 4.7.1 Greylisted, try again later"),
            RC_OK);
    for (uint64_t id = 1; id < count; id++)
        assert_int_equal(fixture_drop(fixture, id), RC_OK);
    assert_true(accepts_soon(fixture));
    assert_int_equal(fixture_put(fixture, count, 3000), RC_OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->found_count, 1);
}

/* A file system of 2 MiB and 60 files that no other process sees; needs root. */
static bool mount_small(const char *path)
{
    return geteuid() == 0 && unshare(CLONE_NEWNS) == 0
           && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
           && mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV,
                    "size=2m,nr_inodes=60")
                  == 0;
}

typedef void on_small_disk_fn(struct fixture *fixture);

static void run_on_small_disk(on_small_disk_fn *run)
{
    char path[] = "/tmp/spool-mount-XXXXXX";
    assert_non_null(mkdtemp(path));
    if (!mount_small(path)) {
        (void)rmdir(path);
        skip();
    }
    struct fixture fixture;
    fixture_init(&fixture, path);
    run(&fixture);
    fixture_release(&fixture);
    (void)umount(path);
    (void)rmdir(path);
}

static void drain_and_recover(struct fixture *fixture)
{
    fixture_open(fixture);
    check_full_disk(fixture, NULL);
}

static void a_full_disk_drains_and_recovers(void **state)
{
    (void)state;
    run_on_small_disk(drain_and_recover);
}

static void note_all(struct fixture *fixture)
{
    fixture_open(fixture);
    check_small_messages(fixture);
}

static void a_full_disk_has_room_for_every_state(void **state)
{
    (void)state;
    run_on_small_disk(note_all);
}

static void never(struct spool_write *write, enum rc rc)
{
    (void)write;
    fail_msg("was taken: %s", rc_name(rc));
}

static bool takes_put(struct fixture *fixture, struct body *body)
{
    struct spool_write write = {
        .kind = SPOOL_PUT, .id = 1000, .body = body, .done = never
    };
    return spool_post(fixture->spool, &write);
}

static void pass_looks(void)
{
    const struct timespec pause = { .tv_nsec = 2 * VOLUME_LOOK_MS * 1000000 };
    (void)nanosleep(&pause, NULL);
}

/* Somebody else fills the disk, and makes room again. */
static void obey_hard_mark(struct fixture *fixture)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/others", fixture->path);
    fixture->options.soft.bytes = 600u << 10;
    fixture->options.hard.bytes = 400u << 10;
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, 1, 3000), RC_OK);
    assert_int_equal(fixture_put(fixture, 2, 3000), RC_OK);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, 1600 << 10), 0);
    (void)close(fd);
    pass_looks();
    struct body *body = fixture_body(1000, 10);
    assert_false(takes_put(fixture, body)); /* the head has room for it */
    body_release(&body);
    assert_int_equal(atomic_load(&fixture->heard[SPOOL_REFUSES]), 0);
    for (int i = 0; i < 3; i++)
        assert_false(spool_accepts(fixture->spool, 0));
    assert_int_equal(atomic_load(&fixture->heard[SPOOL_REFUSES]), 1);
    assert_string_equal(fixture_stats(fixture).refuses, "min_free");
    assert_int_equal(fixture_state(fixture, 1, "tried"), RC_OK);
    assert_int_equal(fixture_drop(fixture, 2), RC_OK);
    assert_int_equal(unlink(path), 0);
    assert_true(accepts_soon(fixture));
    assert_int_equal(atomic_load(&fixture->heard[SPOOL_ACCEPTS]), 1);
    assert_null(fixture_stats(fixture).refuses);
    assert_int_equal(fixture_put(fixture, 3, 3000), RC_OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->found_count, 2);
}

static void below_the_hard_mark_no_message_is_taken(void **state)
{
    (void)state;
    run_on_small_disk(obey_hard_mark);
}

static uint64_t free_inodes(const struct fixture *fixture)
{
    struct statvfs is;
    assert_int_equal(statvfs(fixture->path, &is), 0);
    return is.f_favail;
}

/* Empty files of somebody else, until so many inodes are free. */
static void take_inodes(const struct fixture *fixture, uint64_t leave)
{
    char path[128];
    for (uint64_t left = free_inodes(fixture); left > leave; left--) {
        (void)snprintf(path, sizeof path, "%s/other-%u", fixture->path,
                       (unsigned)left);
        const int fd =
            open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        (void)close(fd);
    }
    pass_looks();
}

static void give_inodes(const struct fixture *fixture)
{
    char path[128];
    for (unsigned i = 0; i <= 60; i++) {
        (void)snprintf(path, sizeof path, "%s/other-%u", fixture->path, i);
        (void)unlink(path);
    }
}

static void obey_inode_marks(struct fixture *fixture)
{
    fixture->options.soft.inodes = 30;
    fixture->options.hard.inodes = 15;
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, 1, 3000), RC_OK);
    assert_true(spool_accepts(fixture->spool, 3000));
    take_inodes(fixture, 29);
    assert_false(spool_accepts(fixture->spool, 0));
    assert_string_equal(fixture_stats(fixture).refuses, "min_free_inodes");
    assert_int_equal(atomic_load(&fixture->heard[SPOOL_REFUSES]), 1);
    assert_int_equal(fixture_put(fixture, 2, 3000), RC_OK); /* let in before */

    take_inodes(fixture, 14);
    struct body *body = fixture_body(1000, 10);
    assert_false(takes_put(fixture, body));
    body_release(&body);
    assert_int_equal(fixture_state(fixture, 1, "tried"), RC_OK);
    assert_int_equal(fixture_drop(fixture, 2), RC_OK);

    give_inodes(fixture);
    pass_looks();
    assert_true(accepts_soon(fixture));
    assert_int_equal(atomic_load(&fixture->heard[SPOOL_ACCEPTS]), 1);
    assert_int_equal(fixture_put(fixture, 3, 3000), RC_OK);
}

static void inodes_have_marks_of_their_own(void **state)
{
    (void)state;
    run_on_small_disk(obey_inode_marks);
}

/* Without one inode no segment can be made; what is queued goes all the same. */
static void drain_without_inodes(struct fixture *fixture)
{
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, 9000, 3000), RC_OK); /* a head */
    take_inodes(fixture, 0);
    enum rc rc = RC_OK;
    const uint64_t refused = fill_up(fixture, &rc);
    assert_int_equal(rc, RC_LIMIT);
    assert_true(refused > 1);
    assert_false(spool_accepts(fixture->spool, 3000));
    for (uint64_t id = 1; id < refused; id++)
        assert_int_equal(fixture_state(fixture, id, "tried"), RC_OK);
    for (uint64_t id = 1; id < refused; id++)
        assert_int_equal(fixture_drop(fixture, id), RC_OK);
    give_inodes(fixture);
    assert_true(accepts_soon(fixture));
    assert_int_equal(fixture_put(fixture, refused, 3000), RC_OK);
}

static void without_inodes_what_is_queued_can_go(void **state)
{
    (void)state;
    run_on_small_disk(drain_without_inodes);
}

/* What other programs need is not taken for segments. */
static void stop_at_hard_mark(struct fixture *fixture)
{
    enum rc rc = RC_OK;
    struct statvfs is;
    fixture->options.hard.bytes = 800u << 10;
    fixture_open(fixture);
    for (uint64_t id = 1; id < 1000 && rc == RC_OK; id++) {
        struct body *body = fixture_body(id, 3000);
        rc = fixture_write(fixture, SPOOL_PUT, id, SLICE("x"), body);
        body_release(&body);
    }
    assert_int_equal(rc, RC_LIMIT);
    assert_int_equal(statvfs(fixture->path, &is), 0);
    assert_true((uint64_t)is.f_bavail * is.f_frsize >= 800u << 10);
}

static void segments_stop_at_the_hard_mark(void **state)
{
    (void)state;
    run_on_small_disk(stop_at_hard_mark);
}

static void limit_file_size(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void lift_limit(void)
{
    limit_file_size(RLIM_INFINITY);
}

/* No file may be made that is as large as a segment; those that are there (the
 * head and the reserve) may be written up to the limit. */
static void a_limit_on_files_is_a_full_disk(void **state)
{
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1000000, 10), RC_OK);
    assert_int_equal(fixture_drop(&fixture, 1000000), RC_OK);
    limit_file_size((64u << 10) - 8);
    check_full_disk(&fixture, lift_limit);
    fixture_release(&fixture);
}

static void below_the_mark_nothing_is_welcome(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_true(spool_accepts(fixture.spool, 1000));
    assert_false(spool_accepts(fixture.spool, UINT64_MAX));
    fixture_close(&fixture);
    fixture.options.soft.bytes = UINT64_MAX / 2;
    fixture_open(&fixture);
    assert_false(spool_accepts(fixture.spool, 0));
    assert_false(fixture_stats(&fixture).accepts);
    assert_int_equal(fixture_put(&fixture, 1, 10), RC_OK); /* a soft mark */
    fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_whose_sync_failed_never_comes_back),
        cmocka_unit_test(a_refused_put_stays_refused_without_a_later_write),
        cmocka_unit_test(state_and_drop_are_written_elsewhere),
        cmocka_unit_test(a_failing_disk_takes_nothing_until_it_works),
        cmocka_unit_test(no_sync_at_the_start_is_no_start),
        cmocka_unit_test(a_read_error_that_passes_loses_nothing),
        cmocka_unit_test(a_state_that_cannot_be_read_now_is_not_left_behind),
        cmocka_unit_test(what_stays_unreadable_is_told_and_set_aside),
        cmocka_unit_test(a_start_that_cannot_read_is_no_start),
        cmocka_unit_test(a_start_without_descriptors_is_no_start),
        cmocka_unit_test(a_full_disk_drains_and_recovers),
        cmocka_unit_test(a_full_disk_has_room_for_every_state),
        cmocka_unit_test(below_the_hard_mark_no_message_is_taken),
        cmocka_unit_test(inodes_have_marks_of_their_own),
        cmocka_unit_test(without_inodes_what_is_queued_can_go),
        cmocka_unit_test(segments_stop_at_the_hard_mark),
        cmocka_unit_test(a_limit_on_files_is_a_full_disk),
        cmocka_unit_test(below_the_mark_nothing_is_welcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
