/* test_spool_index - with the index of a segment recovery finds what it finds
 * without; an index that is not exactly right is not used. */
#include "tests/unit/spool_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "router/spool/index.h"
#include "router/spool/segment.h"

struct path {
    char text[128];
};

static struct path path_of(const struct fixture *fixture, unsigned sequence,
                           const char *suffix)
{
    struct path path;
    (void)snprintf(path.text, sizeof path.text, "%s/%016x%s", fixture->path,
                   sequence, suffix);
    return path;
}

static char *load(const struct path *path, size_t *len)
{
    struct stat is;
    const int fd = open(path->text, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &is) == 0);
    *len = (size_t)is.st_size;
    char *bytes = mem_new(*len + 1, 1);
    assert_true(read(fd, bytes, *len) == (ssize_t)*len);
    (void)close(fd);
    return bytes;
}

static void store(const struct path *path, const char *bytes, size_t len)
{
    const int fd =
        open(path->text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_true(write(fd, bytes, len) == (ssize_t)len);
    (void)close(fd);
}

static void flip_byte(const struct path *path, uint64_t offset)
{
    char byte = 0;
    const int fd = open(path->text, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
    byte = (char)~byte;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    (void)close(fd);
}

/* A sealed segment with its index; and one record in it made unreadable, so
 * that a walk can be told from a use of the index. */
#define MESSAGES 5u

static void make_marked(struct fixture *fixture)
{
    fixture_init(fixture, fixture_memory_folder());
    fixture_open(fixture);
    for (uint64_t id = 1; id <= MESSAGES; id++)
        assert_int_equal(fixture_put(fixture, id, 100), RC_OK);
    assert_int_equal(fixture_state(fixture, 2, "waits"), RC_OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, 9, 100), RC_OK); /* seals */
    fixture_close(fixture);
    const struct path segment = path_of(fixture, 1, ".seg");
    flip_byte(&segment, SEGMENT_START + 10);
}

static bool was_walked(struct fixture *fixture)
{
    fixture_open_live(fixture);
    const bool walked = fixture_find(fixture, 1) == NULL;
    assert_int_equal(fixture_stats(fixture).damaged, walked ? 1 : 0);
    assert_int_equal(fixture->found_count, MESSAGES + (walked ? 0 : 1));
    for (uint64_t id = 2; id <= MESSAGES; id++)
        assert_int_equal(fixture_find(fixture, id)->has_state, id == 2);
    fixture_close(fixture);
    return walked;
}

static void a_right_index_is_used(void **state)
{
    (void)state;
    struct fixture fixture;
    make_marked(&fixture);
    assert_int_equal(fixture_count_files(&fixture, ".index"), 1);
    assert_false(was_walked(&fixture));
    fixture_release(&fixture);
}

static void an_index_with_a_wrong_byte_is_not_used(void **state)
{
    (void)state;
    struct fixture fixture;
    make_marked(&fixture);
    const struct path path = path_of(&fixture, 1, ".index");
    size_t len = 0;
    scoped(mem_free_at) char *bytes = load(&path, &len);
    assert_int_equal(len, INDEX_HEADER_SIZE + 6 * INDEX_ENTRY_SIZE);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)~bytes[i];
        store(&path, bytes, len);
        bytes[i] = (char)~bytes[i];
        if (!was_walked(&fixture))
            fail_msg("byte %zu is wrong, the index was used", i);
    }
    fixture_release(&fixture);
}

static void a_torn_index_is_not_used(void **state)
{
    (void)state;
    struct fixture fixture;
    make_marked(&fixture);
    const struct path path = path_of(&fixture, 1, ".index");
    size_t len = 0;
    scoped(mem_free_at) char *bytes = load(&path, &len);
    for (size_t cut = 0; cut < len; cut++) {
        store(&path, bytes, cut);
        assert_true(was_walked(&fixture));
    }
    store(&path, bytes, len + 1);
    assert_true(was_walked(&fixture));
    fixture_release(&fixture);
}

/* Right in itself, but of another segment, another use of it, or made when it
 * had another end. */
static void a_foreign_index_is_not_used(void **state)
{
    (void)state;
    struct fixture fixture;
    make_marked(&fixture);
    const struct path path = path_of(&fixture, 1, ".index");
    size_t len = 0;
    scoped(mem_free_at) char *bytes = load(&path, &len);
    static const size_t fields[] = { 16, 24, 32 }; /* sequence, epoch, end */
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        bytes[fields[i]] ^= 8;
        const uint64_t sum = index_sum(slice_of(bytes, len));
        memcpy(bytes + 56, &sum, sizeof sum);
        store(&path, bytes, len);
        bytes[fields[i]] ^= 8;
        assert_true(was_walked(&fixture));
    }
    const uint64_t sum = index_sum(slice_of(bytes, len));
    memcpy(bytes + 56, &sum, sizeof sum);
    store(&path, bytes, len);
    assert_false(was_walked(&fixture));
    fixture_release(&fixture);
}

/* Damage shall be seen at each start, until the segment is set aside. */
static void a_damaged_segment_gets_no_index(void **state)
{
    (void)state;
    struct fixture fixture;
    make_marked(&fixture);
    const struct path path = path_of(&fixture, 1, ".index");
    assert_int_equal(unlink(path.text), 0);
    for (int life = 0; life < 3; life++)
        assert_true(was_walked(&fixture));
    assert_int_equal(fixture_count_files(&fixture, ".index"), 0);
    fixture_release(&fixture);
}

static void an_index_leaves_with_its_segment(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, fixture_memory_folder());
    fixture_open(&fixture);
    for (uint64_t id = 1; id <= 500; id++) {
        assert_int_equal(fixture_put(&fixture, id, 2500), RC_OK);
        assert_int_equal(fixture_drop(&fixture, id), RC_OK);
    }
    fixture_close(&fixture);
    assert_true(fixture_count_files(&fixture, ".index")
                <= fixture_count_files(&fixture, ".seg"));
    const struct path stray = path_of(&fixture, 1, ".index");
    store(&stray, "stray", 5);
    fixture_open(&fixture);
    assert_int_equal(access(stray.text, F_OK), -1);
    fixture_release(&fixture);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* PUTs, STATEs and DROPs at random, over several lives; the cleaner moves some. */
static void use_at_random(struct fixture *fixture, uint64_t seed)
{
    uint64_t next_id = 1;
    for (int life = 0; life < 3; life++) {
        fixture_open(fixture);
        for (int i = 0; i < 150; i++) {
            const uint64_t what = next_random(&seed) % 8;
            const uint64_t id = 1 + next_random(&seed) % next_id;
            if (what < 3)
                assert_int_equal(
                    fixture_put(fixture, next_id++, next_random(&seed) % 6000),
                    RC_OK);
            else if (what < 5)
                assert_int_equal(fixture_state(fixture, id, "x"), RC_OK);
            else
                assert_int_equal(fixture_drop(fixture, id), RC_OK);
        }
        fixture_close(fixture);
    }
}

static void remove_indexes(const struct fixture *fixture)
{
    for (unsigned sequence = 1; sequence < 200; sequence++) {
        const struct path path = path_of(fixture, sequence, ".index");
        (void)unlink(path.text);
    }
}

static void what_is_found_is_the_same(void **state)
{
    (void)state;
    struct found_message *expected =
        mem_new(FIXTURE_FOUND_MAX, sizeof *expected);
    size_t indexes = 0;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        struct fixture fixture;
        fixture_init(&fixture, fixture_memory_folder());
        use_at_random(&fixture, seed);
        indexes += fixture_count_files(&fixture, ".index");
        fixture_open(&fixture);
        const size_t count = fixture.found_count;
        memcpy(expected, fixture.found, count * sizeof *expected);
        const struct spool_stats stats = fixture_stats(&fixture);
        fixture_close(&fixture);

        remove_indexes(&fixture);
        assert_int_equal(fixture_count_files(&fixture, ".index"), 0);
        fixture_open(&fixture);
        assert_int_equal(fixture.found_count, count);
        assert_memory_equal(fixture.found, expected, count * sizeof *expected);
        assert_true(fixture_stats(&fixture).bytes_live == stats.bytes_live);
        assert_int_equal(fixture_stats(&fixture).damaged, 0);
        fixture_release(&fixture);
    }
    assert_true(indexes > 50);
    mem_free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_index_is_used),
        cmocka_unit_test(an_index_with_a_wrong_byte_is_not_used),
        cmocka_unit_test(a_torn_index_is_not_used),
        cmocka_unit_test(a_foreign_index_is_not_used),
        cmocka_unit_test(a_damaged_segment_gets_no_index),
        cmocka_unit_test(an_index_leaves_with_its_segment),
        cmocka_unit_test(what_is_found_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
