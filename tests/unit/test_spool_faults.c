/* test_spool_faults - a disk that fails or is full: nothing is told as kept
 * that is not, nothing comes back that was refused, and work goes on by itself
 * when the disk does. */
#include "tests/unit/spool_fixture.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/time.h"

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

/* A file system of 2 MiB that no other process sees; needs root. */
static bool mount_small(const char *path)
{
    return geteuid() == 0 && unshare(CLONE_NEWNS) == 0
           && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
           && mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=2m")
                  == 0;
}

static void a_full_disk_drains_and_recovers(void **state)
{
    (void)state;
    char path[] = "/tmp/spool-mount-XXXXXX";
    assert_non_null(mkdtemp(path));
    if (!mount_small(path)) {
        (void)rmdir(path);
        skip();
    }
    struct fixture fixture;
    fixture_init(&fixture, path);
    fixture_open(&fixture);
    check_full_disk(&fixture, NULL);
    fixture_release(&fixture);
    (void)umount(path);
    (void)rmdir(path);
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
    fixture.options.min_free = UINT64_MAX / 2;
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
        cmocka_unit_test(a_full_disk_drains_and_recovers),
        cmocka_unit_test(a_limit_on_files_is_a_full_disk),
        cmocka_unit_test(below_the_mark_nothing_is_welcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
