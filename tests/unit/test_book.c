/* test_book - actions on disk, and what becomes of copies. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/actions/book.h"
#include "router/actions/ledger.h"

struct shelf {
    char folder[32];
    struct loop *loop;
    struct book *book;
    uint64_t id;
    size_t told;
    struct action *last; /* told last */
    bool is_deaf;
};

static uint64_t new_id(void *context)
{
    struct shelf *shelf = context;
    return ++shelf->id;
}

static bool hear(void *context, const struct action *action)
{
    struct shelf *shelf = context;
    if (shelf->is_deaf)
        return false;
    action_free(&shelf->last);
    shelf->last = action_copy(action);
    shelf->told++;
    return true;
}

static void open_book(struct shelf *shelf)
{
    const struct book_options options = {
        .folder = shelf->folder,
        .router = "r1",
        .new_id = new_id,
        .id_context = shelf,
        .tell = hear,
        .tell_context = shelf,
    };
    struct fault fault;
    shelf->book = book_open(shelf->loop, &options, &fault);
    assert_non_null(shelf->book);
    shelf->told = 0;
    book_start(shelf->book);
}

static void again(struct shelf *shelf)
{
    book_free(&shelf->book);
    open_book(shelf);
}

static int setup(void **state)
{
    struct shelf *shelf = NEW(struct shelf);
    (void)snprintf(shelf->folder, sizeof shelf->folder, "/tmp/book-XXXXXX");
    assert_non_null(mkdtemp(shelf->folder));
    shelf->loop = loop_new();
    shelf->id = 1000;
    open_book(shelf);
    *state = shelf;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = { "actions", "actions.new",
                                         "actions.damaged" };
    struct shelf *shelf = *state;
    char path[80];
    book_free(&shelf->book);
    loop_free(&shelf->loop);
    action_free(&shelf->last);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", shelf->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(shelf->folder);
    mem_free(shelf);
    return 0;
}

static struct action wanted(enum action_kind kind, const char *filter)
{
    return (struct action){
        .kind = kind,
        .filter = slice_text(filter),
        .actor = SLICE("op"),
        .why = SLICE(""),
        .route = SLICE(""),
        .ended_by = SLICE(""),
    };
}

static uint64_t add(struct shelf *shelf, enum action_kind kind,
                    const char *filter)
{
    const struct action action = wanted(kind, filter);
    struct fault fault = { .text = "" };
    uint64_t id = 0;
    if (book_add(shelf->book, &action, &id, &fault) != RC_OK)
        fail_msg("%s", fault.text);
    return id;
}

static void note(struct shelf *shelf, uint64_t id, enum progress_state state)
{
    struct book_note *item = NEW(struct book_note);
    item->id = id;
    item->progress = (struct progress){ .state = state, .seen = 5 };
    assert_true(mailbox_post(book_mailbox(shelf->book), item));
    loop_turn(shelf->loop);
}

static bool shows(struct shelf *shelf, uint64_t id, const char *text)
{
    struct buf json;
    buf_init(&json, 1u << 20);
    assert_int_equal(book_add_json(shelf->book, id, &json), RC_OK);
    const struct slice all = buf_slice(&json);
    const bool found = slice_find_slice(all, slice_text(text)) < all.len;
    buf_release(&json);
    return found;
}

static void what_was_asked_for_is_told_and_outlives_a_restart(void **state)
{
    struct shelf *shelf = *state;
    const uint64_t pause = add(shelf, ACTION_PAUSE, "older=60m stream=b");
    const uint64_t bulk = add(shelf, ACTION_DELETE, "tenant=x");
    assert_int_equal(shelf->told, 2);
    assert_int_equal(shelf->last->id, bulk);
    again(shelf);
    assert_int_equal(shelf->told, 2);
    assert_true(shows(shelf, pause, "\"filter\":\"stream=b older=1h\""));
    assert_true(shows(shelf, pause, "\"state\":\"in force\""));
    assert_true(shows(shelf, bulk, "\"state\":\"waiting\""));
}

static void what_is_done_is_not_done_again(void **state)
{
    struct shelf *shelf = *state;
    const uint64_t done = add(shelf, ACTION_DELETE, "tenant=x");
    const uint64_t half = add(shelf, ACTION_DELETE, "tenant=y");
    note(shelf, done, PROGRESS_DONE);
    note(shelf, half, PROGRESS_RUNNING);
    again(shelf);
    assert_int_equal(shelf->told, 1);
    assert_int_equal(shelf->last->id, half);
    assert_true(shows(shelf, done, "\"seen\":5"));
}

static void an_end_is_told_and_kept(void **state)
{
    struct shelf *shelf = *state;
    struct fault fault;
    const uint64_t id = add(shelf, ACTION_PAUSE, "all");
    assert_int_equal(book_end(shelf->book, id, SLICE("me"), &fault), RC_OK);
    assert_int_equal(shelf->told, 2);
    assert_true(shelf->last->ended_utc_ms > 0);
    assert_int_equal(book_end(shelf->book, id, SLICE("me"), &fault), RC_LIMIT);
    assert_int_equal(book_end(shelf->book, 5, SLICE("me"), &fault), RC_NONE);
    again(shelf);
    assert_int_equal(shelf->told, 0);
    assert_true(shows(shelf, id, "\"state\":\"resumed\""));
    assert_true(shows(shelf, id, "\"ended_by\":\"me\""));
}

static void an_old_copy_does_not_undo_an_end(void **state)
{
    struct shelf *shelf = *state;
    struct fault fault;
    const uint64_t id = add(shelf, ACTION_PAUSE, "all");
    struct action *old = action_copy(shelf->last);
    assert_int_equal(book_end(shelf->book, id, SLICE("me"), &fault), RC_OK);
    shelf->told = 0;
    book_merge(shelf->book, old);
    book_merged(shelf->book);
    assert_int_equal(shelf->told, 0);
    assert_true(shows(shelf, id, "\"state\":\"resumed\""));
    action_free(&old);
}

static void of_two_ends_the_earlier_counts_everywhere(void **state)
{
    struct shelf *shelf = *state;
    struct fault fault;
    const uint64_t id = add(shelf, ACTION_PAUSE, "all");
    assert_int_equal(book_end(shelf->book, id, SLICE("me"), &fault), RC_OK);
    struct action *other = action_copy(shelf->last);
    other->ended_utc_ms++;
    other->ended_by = SLICE("late");
    book_merge(shelf->book, other);
    assert_true(shows(shelf, id, "\"ended_by\":\"me\""));
    other->ended_utc_ms -= 10;
    other->ended_by = SLICE("early");
    book_merge(shelf->book, other);
    assert_true(shows(shelf, id, "\"ended_by\":\"early\""));
    action_free(&other);
}

static void anothers_action_is_ours_too(void **state)
{
    struct shelf *shelf = *state;
    struct action action = wanted(ACTION_EXPIRE, "stream=b");
    const struct progress progress = { .state = PROGRESS_DONE, .done = 17 };
    action.id = 500;
    action.created_utc_ms = time_utc_ms();
    book_merge(shelf->book, &action);
    book_merged(shelf->book);
    assert_int_equal(shelf->told, 1);
    book_merge_progress(shelf->book, 500, SLICE("r2"), &progress);
    assert_true(shows(shelf, 500, "\"router\":\"r2\",\"state\":\"done\""));
    assert_true(shows(shelf, 500, "\"done\":17"));
    again(shelf);
    assert_int_equal(shelf->told, 1);
}

static void what_is_long_over_does_not_come_back(void **state)
{
    struct shelf *shelf = *state;
    struct action action = wanted(ACTION_EXPIRE, "stream=b");
    action.id = 500;
    action.created_utc_ms = time_utc_ms() - ACTION_KEEP_MS - 60000;
    book_merge(shelf->book, &action);
    book_merged(shelf->book);
    assert_int_equal(shelf->told, 0);
}

static void who_does_not_hear_is_told_again(void **state)
{
    struct shelf *shelf = *state;
    shelf->is_deaf = true;
    const uint64_t id = add(shelf, ACTION_PAUSE, "all");
    shelf->is_deaf = false;
    for (unsigned i = 0; i < 400 && shelf->told == 0; i++) {
        loop_turn(shelf->loop);
        (void)usleep(10000);
    }
    assert_int_equal(shelf->told, 1);
    assert_int_equal(shelf->last->id, id);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    struct shelf *shelf = *state;
    struct fault fault;
    uint64_t id = 0;
    struct action action = wanted(ACTION_PAUSE, "");
    assert_int_equal(book_add(shelf->book, &action, &id, &fault), RC_SYNTAX);
    action = wanted(ACTION_REROUTE, "all");
    assert_int_equal(book_add(shelf->book, &action, &id, &fault), RC_SYNTAX);
    assert_string_equal(fault.text, "a reroute needs the route to go to");
    action = wanted(ACTION_DELETE, "all");
    action.why = SLICE("two\nlines");
    assert_int_equal(book_add(shelf->book, &action, &id, &fault), RC_SYNTAX);
    assert_int_equal(shelf->told, 0);
}

static int open_file(const struct shelf *shelf, const char *name, int flags)
{
    char path[80];
    (void)snprintf(path, sizeof path, "%s/%s", shelf->folder, name);
    return open(path, flags);
}

static void a_damaged_file_loses_what_is_damaged_alone(void **state)
{
    struct shelf *shelf = *state;
    const uint64_t first = add(shelf, ACTION_PAUSE, "tenant=aaaaaaaa");
    const uint64_t second = add(shelf, ACTION_PAUSE, "tenant=bbbbbbbb");
    book_free(&shelf->book);
    const int fd = open_file(shelf, "actions", O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "X", 1, 8 + 12 + 20), 1); /* in the first */
    (void)close(fd);
    open_book(shelf);
    assert_int_equal(shelf->told, 1);
    assert_int_equal(shelf->last->id, second);
    struct buf json;
    buf_init(&json, 4096);
    assert_int_equal(book_add_json(shelf->book, first, &json), RC_NONE);
    buf_release(&json);
    const int aside = open_file(shelf, "actions.damaged", O_RDONLY);
    assert_true(aside >= 0);
    (void)close(aside);
    again(shelf); /* what was kept was written anew */
    assert_int_equal(shelf->told, 1);
}

static void a_file_that_was_cut_keeps_whole_records(void **state)
{
    struct shelf *shelf = *state;
    (void)add(shelf, ACTION_PAUSE, "tenant=a");
    (void)add(shelf, ACTION_PAUSE, "tenant=b");
    book_free(&shelf->book);
    const int fd = open_file(shelf, "actions", O_RDWR);
    assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 1), 0);
    (void)close(fd);
    open_book(shelf);
    assert_int_equal(shelf->told, 1);
}

static void a_kind_of_a_later_version_is_passed_over(void **state)
{
    (void)state;
    struct buf packed;
    struct action action = wanted(ACTION_DELETE, "all");
    struct action read;
    action.id = 1;
    buf_init(&packed, 4096);
    assert_true(action_pack(&action, &packed));
    assert_int_equal(action_unpack(buf_slice(&packed), &read), RC_OK);
    assert_int_equal(read.kind, ACTION_DELETE);
    buf_clear(&packed);
    action.kind = (enum action_kind)99;
    assert_true(action_pack(&action, &packed));
    assert_int_equal(action_unpack(buf_slice(&packed), &read), RC_NONE);
    buf_release(&packed);
}

#define BOOK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOK(what_was_asked_for_is_told_and_outlives_a_restart),
        BOOK(what_is_done_is_not_done_again),
        BOOK(an_end_is_told_and_kept),
        BOOK(an_old_copy_does_not_undo_an_end),
        BOOK(of_two_ends_the_earlier_counts_everywhere),
        BOOK(anothers_action_is_ours_too),
        BOOK(what_is_long_over_does_not_come_back),
        BOOK(who_does_not_hear_is_told_again),
        BOOK(what_cannot_be_meant_is_refused),
        BOOK(a_damaged_file_loses_what_is_damaged_alone),
        BOOK(a_file_that_was_cut_keeps_whole_records),
        cmocka_unit_test(a_kind_of_a_later_version_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
