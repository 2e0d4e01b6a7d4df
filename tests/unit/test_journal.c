/* test_journal - what a worker's next life finds of this one. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "workers/results/journal.h"

#define HEAD_BYTES 4096 /* of the file, before the slots */
#define SLOT_BYTES 512

struct folder {
    char path[64];
    char file[96];
};

struct seen {
    char frames[8][1600];
    size_t count;
};

static int setup(void **state)
{
    static struct folder folder;
    (void)snprintf(folder.path, sizeof folder.path, "/tmp/journal-XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    (void)snprintf(folder.file, sizeof folder.file, "%s/w.journal",
                   folder.path);
    *state = &folder;
    return 0;
}

static int teardown(void **state)
{
    const struct folder *folder = *state;
    (void)unlink(folder->file);
    return rmdir(folder->path);
}

static struct journal *life(const struct folder *folder, uint64_t boot)
{
    struct fault fault;
    struct journal *journal = journal_open(folder->file, boot, &fault);
    assert_non_null(journal);
    return journal;
}

static bool see(void *context, struct slice frame)
{
    struct seen *seen = context;
    assert_true(frame.len < sizeof seen->frames[0]);
    (void)snprintf(seen->frames[seen->count++], sizeof seen->frames[0], "%.*s",
                   SLICE_ARG(frame));
    return true;
}

static struct seen all_of(struct journal *journal)
{
    struct seen seen = { .count = 0 };
    journal_each(journal, see, &seen);
    return seen;
}

static void check_former(struct journal *journal, const uint64_t *boots,
                         size_t count)
{
    size_t found = 0;
    const uint64_t *former = journal_former(journal, &found);
    assert_int_equal(found, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(former[i], boots[i]);
}

static void the_next_life_finds_what_counts(void **state)
{
    struct journal *journal = life(*state, 1);
    check_former(journal, NULL, 0);
    journal_note(journal, 10, JOURNAL_DOUBT, SLICE("doubt 10"));
    journal_note(journal, 11, JOURNAL_DOUBT, SLICE("doubt 11"));
    journal_note(journal, 11, JOURNAL_RESULT, SLICE("result 11"));
    journal_note(journal, 12, JOURNAL_DOUBT, SLICE("doubt 12"));
    journal_clear(journal, 12);
    journal_clear(journal, 99);
    journal_close(&journal);

    journal = life(*state, 2);
    check_former(journal, (const uint64_t[]){ 1 }, 1);
    struct seen seen = all_of(journal);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.frames[0], "doubt 10");
    assert_string_equal(seen.frames[1], "result 11");
    journal_clear(journal, 10);
    journal_close(&journal);

    journal = life(*state, 3);
    check_former(journal, (const uint64_t[]){ 1, 2 }, 2);
    seen = all_of(journal);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.frames[0], "result 11");
    journal_close(&journal);
    journal_close(&journal);
}

static void long_frames_take_several_slots(void **state)
{
    static char text[3 * JOURNAL_SLOT_BYTES];
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = (char)('a' + i % 26);
    struct journal *journal = life(*state, 1);
    journal_note(journal, 5, JOURNAL_DOUBT, SLICE("short"));
    for (uint64_t lease = 0; lease < 3; lease++)
        journal_note(journal, lease, JOURNAL_DOUBT, slice_text(text));
    journal_clear(journal, 1);
    journal_close(&journal);

    journal = life(*state, 2);
    const struct seen seen = all_of(journal);
    size_t whole = 0;
    for (size_t i = 0; i < seen.count; i++)
        whole += strcmp(seen.frames[i], text) == 0;
    assert_int_equal(seen.count, 3);
    assert_int_equal(whole, 2);
    journal_close(&journal);
}

static void what_finds_no_room_is_not_vouched_for(void **state)
{
    struct journal *journal = life(*state, 1);
    for (uint64_t lease = 0; lease <= JOURNAL_SLOTS; lease++)
        journal_note(journal, lease, JOURNAL_DOUBT, SLICE("d"));
    journal_close(&journal);
    journal = life(*state, 2);
    check_former(journal, NULL, 0);
    journal_close(&journal);

    /* Settled before the death, it is missed no more. */
    journal = life(*state, 3);
    journal_note(journal, JOURNAL_SLOTS, JOURNAL_DOUBT, SLICE("d"));
    journal_clear(journal, 0);
    journal_note(journal, JOURNAL_SLOTS, JOURNAL_RESULT, SLICE("r"));
    journal_close(&journal);
    journal = life(*state, 4);
    check_former(journal, (const uint64_t[]){ 2, 3 }, 2);
    journal_close(&journal);
}

static void the_oldest_lives_are_forgotten(void **state)
{
    struct journal *journal = NULL;
    for (uint64_t boot = 1; boot <= JOURNAL_BOOTS_MAX + 5; boot++) {
        journal_close(&journal);
        journal = life(*state, boot);
    }
    size_t count = 0;
    const uint64_t *former = journal_former(journal, &count);
    assert_int_equal(count, JOURNAL_BOOTS_MAX - 1);
    assert_int_equal(former[0], 6);
    assert_int_equal(former[count - 1], JOURNAL_BOOTS_MAX + 4);
    journal_close(&journal);
}

static void one_process_has_it(void **state)
{
    const struct folder *folder = *state;
    struct fault fault;
    struct journal *journal = life(folder, 1);
    assert_null(journal_open(folder->file, 2, &fault));
    assert_int_equal(fault.rc, RC_IO);
    journal_close(&journal);
    journal = life(folder, 3);
    check_former(journal, (const uint64_t[]){ 1 }, 1);
    journal_close(&journal);
}

/* At any moment of any change the next life finds a frame of each lease. */
static void a_kill_leaves_the_old_or_the_new(void **state)
{
    for (unsigned round = 0; round < 40; round++) {
        int ready[2];
        assert_int_equal(pipe(ready), 0);
        const pid_t child = fork();
        if (child == 0) {
            struct fault fault;
            struct journal *journal = journal_open(
                ((const struct folder *)*state)->file, round, &fault);
            if (!journal)
                _exit(1);
            for (uint64_t i = 0;; i++) {
                journal_note(journal, i % 7,
                             i / 7 % 2 ? JOURNAL_RESULT : JOURNAL_DOUBT,
                             SLICE("frame"));
                if (i == 7)
                    (void)!write(ready[1], "", 1);
            }
        }
        (void)close(ready[1]);
        char byte;
        assert_int_equal(read(ready[0], &byte, 1), 1);
        (void)usleep(200 * (round % 10));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        (void)close(ready[0]);
        struct journal *journal = life(*state, 1000 + round);
        assert_int_equal(all_of(journal).count, 7);
        journal_close(&journal);
    }
}

/* The file with four bytes changed at this place. */
static void damage(const struct folder *folder, off_t at, uint32_t value)
{
    const int fd = open(folder->file, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &value, sizeof value, at), sizeof value);
    (void)close(fd);
}

static void what_makes_no_sense_is_not_vouched_for(void **state)
{
    static const struct {
        off_t at;
        uint32_t value;
    } cases[] = {
        { 0, 1 },                 /* magic */
        { 8, 99 },                /* version */
        { 12, 17 },               /* lives */
        { HEAD_BYTES + 8, 0 },    /* length */
        { HEAD_BYTES + 8, 2000 }, /* longer than its chain */
        { HEAD_BYTES + 8, UINT32_MAX },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)unlink(((const struct folder *)*state)->file);
        struct journal *journal = life(*state, 1);
        journal_note(journal, 4, JOURNAL_DOUBT, SLICE("frame"));
        journal_close(&journal);
        damage(*state, cases[i].at, cases[i].value);
        journal = life(*state, 2);
        check_former(journal, NULL, 0);
        assert_int_equal(all_of(journal).count, 0);
        journal_close(&journal);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_next_life_finds_what_counts),
        TEST(long_frames_take_several_slots),
        TEST(what_finds_no_room_is_not_vouched_for),
        TEST(the_oldest_lives_are_forgotten),
        TEST(one_process_has_it),
        TEST(a_kill_leaves_the_old_or_the_new),
        TEST(what_makes_no_sense_is_not_vouched_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
