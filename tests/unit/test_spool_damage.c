/* test_spool_damage - a spool that was cut short or has a wrong byte anywhere
 * opens, gives back all that was not hit, and never a wrong body. */
#include "tests/unit/spool_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "router/spool/segment.h"
#include "router/spool/walk.h"

#define SEGMENTS     2u
#define RECORDS_MAX  32u
#define MESSAGES_MAX 16u

/* The records of the pristine spool, in the order of the log. */
struct written {
    unsigned segment;
    uint64_t offset;
    uint64_t size;
    uint8_t kind;
    uint64_t id;
};

struct image {
    struct slice bytes;
    uint64_t end; /* of the last record */
};

struct pristine {
    struct fixture fixture; /* never opened again: its files are copied */
    struct image images[SEGMENTS];
    struct written records[RECORDS_MAX];
    size_t record_count;
};

static void segment_path(const struct fixture *fixture, unsigned segment,
                         char path[128])
{
    (void)snprintf(path, 128, "%s/%016x.seg", fixture->path, segment + 1);
}

static bool read_image(void *context, uint64_t offset, char *bytes, size_t len)
{
    const struct image *image = context;
    if (offset > image->bytes.len || len > image->bytes.len - offset)
        return false;
    memcpy(bytes, image->bytes.ptr + offset, len);
    return true;
}

static void load_image(struct pristine *pristine, unsigned segment)
{
    char path[128];
    struct stat is;
    struct image *image = &pristine->images[segment];
    segment_path(&pristine->fixture, segment, path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &is) == 0);
    char *bytes = mem_new((size_t)is.st_size, 1);
    assert_true(read(fd, bytes, (size_t)is.st_size) == is.st_size);
    (void)close(fd);
    image->bytes = slice_of(bytes, (size_t)is.st_size);

    struct segment_header header;
    assert_int_equal(segment_decode(image->bytes, &header), RC_OK);
    const struct walk_input input = {
        .source = { .read = read_image,
                    .context = image,
                    .end = image->bytes.len },
        .epoch = header.epoch,
    };
    struct walk walk;
    walk_init(&walk, &input, SEGMENT_START);
    while (walk_next(&walk)) {
        assert_true(pristine->record_count < RECORDS_MAX);
        pristine->records[pristine->record_count++] = (struct written){
            .segment = segment,
            .offset = walk.offset,
            .size = walk.next - walk.offset,
            .kind = walk.record.kind,
            .id = walk.record.id,
        };
        image->end = walk.next;
    }
    walk_release(&walk);
}

/* Two lives of a router, so two segments: the end of the first is known. */
static void make_pristine(struct pristine *pristine)
{
    *pristine = (struct pristine){ .record_count = 0 };
    struct fixture *fixture = &pristine->fixture;
    fixture_init(fixture, fixture_memory_folder());
    fixture_open(fixture);
    for (uint64_t id = 1; id <= 4; id++)
        assert_int_equal(fixture_put(fixture, id, 90 + id), RC_OK);
    assert_int_equal(fixture_state(fixture, 1, "state 1"), RC_OK);
    assert_int_equal(fixture_drop(fixture, 2), RC_OK);
    fixture_close(fixture);
    fixture_open(fixture);
    for (uint64_t id = 5; id <= 7; id++)
        assert_int_equal(fixture_put(fixture, id, 90 + id), RC_OK);
    assert_int_equal(fixture_state(fixture, 3, "state 3"), RC_OK);
    assert_int_equal(fixture_state(fixture, 6, "state 6"), RC_OK);
    assert_int_equal(fixture_drop(fixture, 4), RC_OK);
    assert_int_equal(fixture_drop(fixture, 5), RC_OK);
    fixture_close(fixture);
    load_image(pristine, 0);
    load_image(pristine, 1);
    assert_int_equal(pristine->record_count, 13);
}

static void release_pristine(struct pristine *pristine)
{
    for (unsigned i = 0; i < SEGMENTS; i++) {
        char *bytes = NULL;
        memcpy(&bytes, &pristine->images[i].bytes.ptr, sizeof bytes);
        mem_free(bytes);
    }
    fixture_release(&pristine->fixture);
}

/* A fresh copy of the two segments in a folder that has nothing else. */
static void copy_spool(const struct pristine *pristine, struct fixture *copy)
{
    fixture_close(copy);
    char path[128];
    for (unsigned i = 3; i < 6; i++) {
        segment_path(copy, i - 1, path);
        (void)unlink(path);
    }
    /* What an earlier opening knew of the segments would hide the damage. */
    for (unsigned i = 0; i < SEGMENTS; i++) {
        (void)snprintf(path, sizeof path, "%s/%016x.index", copy->path, i + 1);
        (void)unlink(path);
    }
    for (unsigned i = 0; i < SEGMENTS; i++) {
        const struct slice bytes = pristine->images[i].bytes;
        segment_path(copy, i, path);
        const int fd =
            open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_true(write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
        (void)close(fd);
    }
}

struct expected {
    bool lives;
    const char *state;
};

/* What the log says of one message when only records before `cut` of the last
 * segment count. */
static struct expected expect(const struct pristine *pristine, uint64_t id,
                              uint64_t cut)
{
    static char texts[MESSAGES_MAX][FIXTURE_TEXT_MAX];
    struct expected expected = { .state = "" };
    for (size_t i = 0; i < pristine->record_count; i++) {
        const struct written *at = &pristine->records[i];
        if (at->id != id
            || (at->segment == SEGMENTS - 1 && at->offset + at->size > cut))
            continue;
        if (at->kind == RECORD_PUT)
            expected.lives = true;
        if (at->kind == RECORD_DROP)
            expected.lives = false;
        if (at->kind == RECORD_STATE) {
            (void)snprintf(texts[id], FIXTURE_TEXT_MAX, "state %u",
                           (unsigned)id);
            expected.state = texts[id];
        }
    }
    return expected;
}

static void assert_whole(struct fixture *copy, uint64_t id,
                         struct expected expected)
{
    const struct found_message *found = fixture_find(copy, id);
    if (expected.lives != (found != NULL))
        fail_msg("message %u: found is %d", (unsigned)id, found != NULL);
    if (!found)
        return;
    char envelope[FIXTURE_TEXT_MAX];
    (void)snprintf(envelope, sizeof envelope, "envelope %u %u", (unsigned)id,
                   90 + (unsigned)id);
    assert_string_equal(found->envelope, envelope);
    assert_string_equal(found->state, expected.state);
    assert_int_equal(fixture_check_body(copy, id), RC_OK);
}

/* The message that was hit may be lost or in an earlier state; its body is
 * right or refused (fixture_check_body fails the test on a wrong one). */
static void assert_not_wrong(struct fixture *copy, uint64_t id)
{
    const struct found_message *found = fixture_find(copy, id);
    if (!found)
        return;
    const enum rc rc = fixture_check_body(copy, id);
    assert_true(rc == RC_OK || rc == RC_SYNTAX);
    char envelope[FIXTURE_TEXT_MAX];
    (void)snprintf(envelope, sizeof envelope, "envelope %u %u", (unsigned)id,
                   90 + (unsigned)id);
    assert_string_equal(found->envelope, envelope);
}

static void a_cut_loses_only_what_lay_behind_it(void **state)
{
    (void)state;
    struct pristine pristine;
    struct fixture copy;
    make_pristine(&pristine);
    fixture_init(&copy, fixture_memory_folder());
    const uint64_t end = pristine.images[1].end;
    for (uint64_t cut = 0; cut <= end + 8; cut++) {
        char path[128];
        copy_spool(&pristine, &copy);
        segment_path(&copy, 1, path);
        assert_int_equal(truncate(path, (off_t)cut), 0);
        fixture_open(&copy);
        const uint64_t counted = cut < SEGMENT_START ? 0 : cut;
        for (uint64_t id = 1; id <= 7; id++)
            assert_whole(&copy, id, expect(&pristine, id, counted));
        /* It goes on working. */
        if (cut % 64 == 0)
            assert_int_equal(fixture_put(&copy, 8, 98), RC_OK);
    }
    fixture_release(&copy);
    release_pristine(&pristine);
}

/* The message whose record covers this byte; 0: the header, or behind all. */
static uint64_t owner_of(const struct pristine *pristine, unsigned segment,
                         uint64_t offset)
{
    for (size_t i = 0; i < pristine->record_count; i++) {
        const struct written *at = &pristine->records[i];
        if (at->segment == segment && offset >= at->offset
            && offset < at->offset + at->size)
            return at->id;
    }
    return 0;
}

static void flip_byte(const struct fixture *copy, unsigned segment,
                      uint64_t offset, unsigned char mask)
{
    char path[128];
    unsigned char byte = 0;
    segment_path(copy, segment, path);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
    byte ^= mask;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    (void)close(fd);
}

static void flip_each_byte(unsigned segment, unsigned char mask)
{
    struct pristine pristine;
    struct fixture copy;
    make_pristine(&pristine);
    fixture_init(&copy, fixture_memory_folder());
    const uint64_t end = pristine.images[segment].end;
    for (uint64_t offset = 0; offset < end + 8; offset++) {
        copy_spool(&pristine, &copy);
        flip_byte(&copy, segment, offset, mask);
        fixture_open(&copy);
        const uint64_t hit = owner_of(&pristine, segment, offset);
        for (uint64_t id = 1; id <= 7; id++) {
            if (id == hit)
                assert_not_wrong(&copy, id);
            else
                assert_whole(&copy, id, expect(&pristine, id, UINT64_MAX));
        }
    }
    fixture_release(&copy);
    release_pristine(&pristine);
}

static void a_wrong_byte_in_an_older_segment_hits_one_message(void **state)
{
    (void)state;
    flip_each_byte(0, 0xff);
    flip_each_byte(0, 0x01);
}

static void a_wrong_byte_in_the_last_segment_hits_one_message(void **state)
{
    (void)state;
    flip_each_byte(1, 0xff);
    flip_each_byte(1, 0x10);
}

static void damage_is_counted(void **state)
{
    (void)state;
    struct pristine pristine;
    struct fixture copy;
    make_pristine(&pristine);
    fixture_init(&copy, fixture_memory_folder());
    copy_spool(&pristine, &copy);
    flip_byte(&copy, 0, pristine.records[1].offset + 3, 0xff);
    fixture_open(&copy);
    assert_int_equal(fixture_stats(&copy).damaged, 1);
    assert_int_equal(atomic_load(&copy.heard[SPOOL_DAMAGED]), 1);
    /* The torn end of the last segment is not damage. */
    copy_spool(&pristine, &copy);
    flip_byte(&copy, 1, pristine.images[1].end - 3, 0xff);
    fixture_open(&copy);
    assert_int_equal(fixture_stats(&copy).damaged, 0);
    fixture_release(&copy);
    release_pristine(&pristine);
}

/* Power went while the last batch was written: header and envelope reached the
 * disk, the body did not. Nobody was told, so there is no such message. */
static void a_torn_body_is_no_message(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, fixture_memory_folder());
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1, 20000), RC_OK);
    assert_int_equal(fixture_put(&fixture, 2, 20000), RC_OK);
    fixture_close(&fixture);
    flip_byte(&fixture, 0, SEGMENT_START + 30000, 0xff);
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 1);
    assert_non_null(fixture_find(&fixture, 1));
    assert_int_equal(fixture_check_body(&fixture, 2), RC_NONE);
    assert_int_equal(fixture_stats(&fixture).damaged, 0);
    /* Nor does it become one when the log has gone on behind it. */
    assert_int_equal(fixture_put(&fixture, 3, 20000), RC_OK);
    for (int life = 0; life < 2; life++) {
        fixture_close(&fixture);
        fixture_open(&fixture);
        assert_int_equal(fixture.found_count, 2);
        assert_null(fixture_find(&fixture, 2));
        assert_int_equal(fixture_check_body(&fixture, 1), RC_OK);
        assert_int_equal(fixture_check_body(&fixture, 3), RC_OK);
        assert_int_equal(fixture_stats(&fixture).damaged, 0);
    }
    fixture_release(&fixture);
}

/* The segment of a message that cannot be read does not stay in the log, and
 * is kept for people. */
static void a_damaged_segment_is_set_aside(void **state)
{
    (void)state;
    struct pristine pristine;
    struct fixture copy;
    make_pristine(&pristine);
    fixture_init(&copy, fixture_memory_folder());
    copy_spool(&pristine, &copy);
    flip_byte(&copy, 0, pristine.records[2].offset + 70, 0xff);
    fixture_open(&copy);
    for (uint64_t id = 20; id < 200; id++) {
        assert_int_equal(fixture_put(&copy, id, 2000), RC_OK);
        assert_int_equal(fixture_drop(&copy, id), RC_OK);
    }
    assert_int_equal(atomic_load(&copy.heard[SPOOL_DAMAGED]), 1);
    assert_int_equal(atomic_load(&copy.heard_id), 3);
    assert_int_equal(atomic_load(&copy.heard[SPOOL_SET_ASIDE]), 1);
    fixture_close(&copy);
    assert_int_equal(fixture_count_files(&copy, ".damaged"), 1);
    fixture_open(&copy);
    assert_null(fixture_find(&copy, 3));
    assert_non_null(fixture_find(&copy, 1));
    assert_int_equal(fixture_check_body(&copy, 1), RC_OK);
    fixture_release(&copy);
    release_pristine(&pristine);
}

static void a_later_format_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1, 10), RC_OK);
    fixture_close(&fixture);
    char path[128];
    char bytes[SEGMENT_START];
    segment_path(&fixture, 0, path);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(pread(fd, bytes, sizeof bytes, 0) == sizeof bytes);
    struct segment_header header;
    assert_int_equal(segment_decode(slice_of(bytes, sizeof bytes), &header),
                     RC_OK);
    assert_string_equal(header.router, "test");
    header.version = SEGMENT_VERSION + 1;
    segment_encode(&header, bytes);
    assert_true(pwrite(fd, bytes, sizeof bytes, 0) == sizeof bytes);
    (void)close(fd);
    assert_int_equal(fixture_try_open(&fixture), RC_SYNTAX);
    fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_loses_only_what_lay_behind_it),
        cmocka_unit_test(a_wrong_byte_in_an_older_segment_hits_one_message),
        cmocka_unit_test(a_wrong_byte_in_the_last_segment_hits_one_message),
        cmocka_unit_test(damage_is_counted),
        cmocka_unit_test(a_torn_body_is_no_message),
        cmocka_unit_test(a_damaged_segment_is_set_aside),
        cmocka_unit_test(a_later_format_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
