/* test_leasebook - what a router's next life finds of its leases. */
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
#include "router/dispatch/leasebook.h"

struct folder {
    char path[64];
    char file[96];
};

struct seen {
    struct leasebook_entry entries[8]; /* those of the first */
    size_t count;
};

static int setup(void **state)
{
    static struct folder folder;
    (void)snprintf(folder.path, sizeof folder.path, "/tmp/leasebook-XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    (void)snprintf(folder.file, sizeof folder.file, "%s/r.leases", folder.path);
    *state = &folder;
    return 0;
}

static int teardown(void **state)
{
    const struct folder *folder = *state;
    (void)unlink(folder->file);
    return rmdir(folder->path);
}

static struct leasebook *life(const struct folder *folder)
{
    struct fault fault;
    struct leasebook *book = leasebook_open(folder->file, &fault);
    assert_non_null(book);
    return book;
}

static void note(struct leasebook *book, uint64_t lease)
{
    leasebook_note(book, &(struct leasebook_entry){ .lease = lease,
                                                    .message = 100 + lease,
                                                    .boot = 7,
                                                    .worker = "w1" });
}

static void see(void *context, const struct leasebook_entry *entry)
{
    struct seen *seen = context;
    if (seen->count < ARRAY_LEN(seen->entries))
        seen->entries[seen->count] = *entry;
    seen->count++;
}

static struct seen all_of(struct leasebook *book)
{
    struct seen seen = { .count = 0 };
    leasebook_each(book, see, &seen);
    return seen;
}

static void what_was_out_is_found_after_a_kill(void **state)
{
    const struct folder *folder = *state;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct leasebook *book = life(folder);
        for (uint64_t lease = 1; lease <= 3; lease++)
            note(book, lease);
        leasebook_clear(book, 2);
        (void)raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));

    struct leasebook *book = life(folder);
    struct seen seen = all_of(book);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.entries[0].lease, 1);
    assert_int_equal(seen.entries[1].lease, 3);
    assert_int_equal(seen.entries[1].message, 103);
    assert_int_equal(seen.entries[1].boot, 7);
    assert_string_equal(seen.entries[1].worker, "w1");
    /* It stays until it is cleared, over any number of lives. */
    leasebook_clear(book, 1);
    leasebook_clear(book, 1);
    leasebook_close(&book);
    book = life(folder);
    seen = all_of(book);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.entries[0].lease, 3);
    leasebook_close(&book);
}

static void a_full_book_says_how_many_are_missing(void **state)
{
    const struct folder *folder = *state;
    struct leasebook *book = life(folder);
    for (uint64_t lease = 1; lease <= LEASEBOOK_ENTRIES + 5; lease++)
        note(book, lease);
    leasebook_clear(book, 1);
    leasebook_clear(book, LEASEBOOK_ENTRIES + 1); /* has none */
    note(book, LEASEBOOK_ENTRIES + 6);
    leasebook_close(&book);
    book = life(folder);
    assert_int_equal(leasebook_missing(book), 5);
    assert_int_equal(all_of(book).count, LEASEBOOK_ENTRIES);
    leasebook_close(&book);
    book = life(folder);
    assert_int_equal(leasebook_missing(book), 0);
    leasebook_close(&book);
}

static void one_process_has_it(void **state)
{
    const struct folder *folder = *state;
    struct fault fault;
    struct leasebook *book = life(folder);
    assert_null(leasebook_open(folder->file, &fault));
    leasebook_close(&book);
    leasebook_close(&book);
}

static void no_book_is_no_harm(void **state)
{
    (void)state;
    note(NULL, 1);
    leasebook_clear(NULL, 1);
    assert_int_equal(all_of(NULL).count, 0);
    assert_int_equal(leasebook_missing(NULL), 0);
}

#define BOOK(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOK(what_was_out_is_found_after_a_kill),
        BOOK(a_full_book_says_how_many_are_missing),
        BOOK(one_process_has_it),
        cmocka_unit_test(no_book_is_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
