/* test_cold.c - mail of which only the place in a queue is kept. */
#include "router/lanes/cold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define START_MS 7777000u

struct yard {
    struct cold *cold;
    struct cold_queue ready;
    struct cold_queue waiting;
    struct cold_queue fetching;
};

static int set_up(void **state)
{
    static struct yard yard;
    yard.cold = cold_new(START_MS);
    cold_open(yard.cold, &yard.ready, COLD_READY);
    cold_open(yard.cold, &yard.waiting, COLD_WAITING);
    cold_open(yard.cold, &yard.fetching, COLD_FETCHING);
    *state = &yard;
    return 0;
}

static int tear_down(void **state)
{
    struct yard *yard = *state;
    cold_free(&yard->cold);
    return 0;
}

static void a_line_keeps_its_order(void **state)
{
    struct yard *yard = *state;
    for (uint64_t id = 1; id <= 5; id++)
        cold_push(yard->cold, &yard->ready, id, START_MS + 1000 * id);
    cold_push_front(yard->cold, &yard->ready, 9, START_MS);
    cold_take(yard->cold, 3);
    static const uint64_t order[] = { 9, 1, 2, 4, 5 };
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(cold_first(yard->cold, &yard->ready), order[i]);
        cold_move(yard->cold, &yard->fetching, order[i]);
    }
    assert_int_equal(cold_first(yard->cold, &yard->ready), 0);
    assert_int_equal(yard->fetching.in_line, 5);
    assert_int_equal(cold_count(yard->cold), 5);
    cold_take(yard->cold, 5); /* the last of a line */
    cold_take(yard->cold, 2); /* one in its middle */
    cold_push(yard->cold, &yard->fetching, 6, START_MS);
    assert_int_equal(cold_first(yard->cold, &yard->fetching), 9);
    assert_int_equal(yard->fetching.in_line, 4);
}

static void recipients_are_one_a_message_unless_told(void **state)
{
    struct yard *yard = *state;
    cold_push(yard->cold, &yard->ready, 1, START_MS);
    cold_wait(yard->cold, &yard->waiting, 2, START_MS);
    cold_set_recipients(yard->cold, 2, 100);
    assert_int_equal(cold_recipients_all(yard->cold), 101);
    assert_int_equal(cold_recipients(yard->cold, 1), 1);
    assert_int_equal(cold_recipients(yard->cold, 2), 100);
    cold_set_recipients(yard->cold, 2, 10);
    cold_move(yard->cold, &yard->fetching, 2);
    assert_int_equal(cold_recipients_all(yard->cold), 11);
    cold_take(yard->cold, 2);
    assert_int_equal(cold_recipients_all(yard->cold), 1);
    cold_push(yard->cold, &yard->ready, 2, START_MS); /* as if it were new */
    assert_int_equal(cold_recipients_all(yard->cold), 2);
}

static void the_head_says_when_it_is_due(void **state)
{
    struct yard *yard = *state;
    assert_false(cold_first_is_due(yard->cold, &yard->ready, UINT64_MAX / 2));
    cold_push(yard->cold, &yard->ready, 1, START_MS + 5500);
    assert_false(cold_first_is_due(yard->cold, &yard->ready, START_MS + 4999));
    assert_true(cold_first_is_due(yard->cold, &yard->ready, START_MS + 5500));
}

static void an_entry_is_found_with_its_place(void **state)
{
    struct yard *yard = *state;
    assert_null(cold_find(yard->cold, 1));
    cold_push(yard->cold, &yard->ready, 1, START_MS + 500);
    cold_wait(yard->cold, &yard->waiting, 2, START_MS + 90000);
    assert_ptr_equal(cold_find(yard->cold, 1), &yard->ready);
    assert_int_equal(yard->ready.in_line, 1);
    assert_ptr_equal(cold_find(yard->cold, 2), &yard->waiting);
    assert_int_equal(yard->waiting.waiting, 1);
    assert_int_equal(cold_due(yard->cold, START_MS + 89999), 0);
    assert_int_equal(cold_due(yard->cold, START_MS + 90000), 2);
    assert_int_equal(cold_queued(&yard->waiting), 1);
}

static void a_queue_closes_and_its_number_serves_again(void **state)
{
    struct yard *yard = *state;
    struct cold_queue more[3];
    for (size_t i = 0; i < 3; i++)
        cold_open(yard->cold, &more[i], COLD_READY);
    const uint32_t number = more[1].number;
    cold_close(yard->cold, &more[1]);
    cold_open(yard->cold, &more[1], COLD_READY);
    assert_int_equal(more[1].number, number);
    cold_push(yard->cold, &more[1], 4, START_MS);
    assert_int_equal(cold_first(yard->cold, &more[1]), 4);
    assert_int_equal(cold_first(yard->cold, &more[2]), 0);
}

/* Each falls due in the second of its time: not before, and not a second later,
 * however far away it was. */
static void the_calendar_keeps_time(void **state)
{
    struct yard *yard = *state;
    static const uint64_t after_s[] = { 0,    1,    59,    4095,  4096,
                                        4097, 6000, 10000, 86400, 345600 };
    for (size_t i = 0; i < 10; i++)
        cold_wait(yard->cold, &yard->waiting, 1 + i,
                  START_MS + after_s[i] * 1000 + 400);
    for (uint64_t s = 0; s <= after_s[9]; s++) {
        for (uint64_t id; (id = cold_due(yard->cold, START_MS + s * 1000));) {
            assert_int_equal(after_s[id - 1], s);
            cold_take(yard->cold, id);
        }
    }
    assert_int_equal(cold_count(yard->cold), 0);
    assert_int_equal(yard->waiting.waiting, 0);
}

static void a_clock_that_jumps_loses_nobody(void **state)
{
    struct yard *yard = *state;
    for (uint64_t id = 1; id <= 100; id++)
        cold_wait(yard->cold, &yard->waiting, id, START_MS + id * 100000);
    unsigned due = 0;
    for (uint64_t id; (id = cold_due(yard->cold, START_MS + 20000000));) {
        cold_take(yard->cold, id);
        due++;
    }
    assert_int_equal(due, 100);
    cold_wait(yard->cold, &yard->waiting, 7, START_MS); /* long ago */
    assert_int_equal(cold_due(yard->cold, START_MS + 20000000), 7);
}

static void one_that_is_due_may_leave_before_it_is_served(void **state)
{
    struct yard *yard = *state;
    cold_wait(yard->cold, &yard->waiting, 1, START_MS + 5000000); /* later */
    cold_wait(yard->cold, &yard->waiting, 2, START_MS + 5000000);
    cold_wait(yard->cold, &yard->waiting, 3, START_MS + 5000000);
    assert_int_equal(cold_due(yard->cold, START_MS + 3000000), 0);
    cold_take(yard->cold, 3);
    cold_take(yard->cold, 1);
    assert_int_equal(cold_due(yard->cold, START_MS + 5000000), 2);
    cold_move(yard->cold, &yard->fetching, 2);
    assert_int_equal(cold_due(yard->cold, START_MS + 5000000), 0);
}

/* Against a plain array, over many thousand random steps. */
#define IDS 3000u

struct model {
    struct cold_queue *queue[IDS];
};

static void step(struct yard *yard, struct model *model, uint32_t at)
{
    const uint64_t id = (uint64_t)(at + 1) << 22;
    const uint64_t due_ms = START_MS + (uint64_t)(rand() % 9000) * 1000;
    if (!model->queue[at] && rand() % 2) {
        cold_push(yard->cold, &yard->ready, id, due_ms);
        model->queue[at] = &yard->ready;
    } else if (!model->queue[at]) {
        cold_wait(yard->cold, &yard->waiting, id, due_ms);
        model->queue[at] = &yard->waiting;
    } else if (rand() % 2) {
        cold_move(yard->cold, &yard->fetching, id);
        model->queue[at] = &yard->fetching;
    } else {
        cold_take(yard->cold, id);
        model->queue[at] = NULL;
    }
}

static void it_agrees_with_a_plain_array(void **state)
{
    struct yard *yard = *state;
    static struct model model;
    srand(1);
    for (unsigned i = 0; i < 200000; i++)
        step(yard, &model, (uint32_t)rand() % IDS);
    size_t known = 0;
    for (uint32_t at = 0; at < IDS; at++) {
        assert_ptr_equal(cold_find(yard->cold, (uint64_t)(at + 1) << 22),
                         model.queue[at]);
        known += model.queue[at] != NULL;
    }
    assert_int_equal(cold_count(yard->cold), known);
    size_t walked = 0;
    for (size_t at = 0; cold_next(yard->cold, &at);)
        walked++;
    assert_int_equal(walked, known);
    assert_int_equal(cold_queued(&yard->ready) + cold_queued(&yard->waiting)
                         + cold_queued(&yard->fetching),
                     known);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_line_keeps_its_order),
        CASE(recipients_are_one_a_message_unless_told),
        CASE(the_head_says_when_it_is_due),
        CASE(an_entry_is_found_with_its_place),
        CASE(a_queue_closes_and_its_number_serves_again),
        CASE(the_calendar_keeps_time),
        CASE(a_clock_that_jumps_loses_nobody),
        CASE(one_that_is_due_may_leave_before_it_is_served),
        CASE(it_agrees_with_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
