/* test_tickets - what is kept of each name, and what is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/edge/tickets.h"

#define TICKETS (TICKETS_NAMES_MAX + 10)

/* A ticket is one of these; its value says how often it was destroyed. */
static int destroyed[TICKETS];

static void destroy(void *ticket)
{
    ++*(int *)ticket;
}

static int set_up(void **state)
{
    memset(destroyed, 0, sizeof destroyed);
    *state = tickets_new(destroy);
    return 0;
}

static int tear_down(void **state)
{
    struct tickets *tickets = *state;
    tickets_free(&tickets);
    for (size_t i = 0; i < TICKETS; i++)
        assert_in_range(destroyed[i], 0, 1);
    return 0;
}

static void the_newest_is_taken_first_and_once(void **state)
{
    struct tickets *tickets = *state;
    assert_null(tickets_take(tickets, "mx"));
    tickets_put(tickets, "mx", &destroyed[0]);
    tickets_put(tickets, "mx", &destroyed[1]);
    tickets_put(tickets, "mx2", &destroyed[2]);
    assert_ptr_equal(tickets_take(tickets, "mx"), &destroyed[1]);
    assert_ptr_equal(tickets_take(tickets, "mx"), &destroyed[0]);
    assert_null(tickets_take(tickets, "mx"));
    assert_null(tickets_take(tickets, "m"));
    assert_int_equal(destroyed[0] + destroyed[1], 0);
    tickets_put(tickets, "mx", &destroyed[0]);
    assert_ptr_equal(tickets_take(tickets, "mx"), &destroyed[0]);
}

static void the_oldest_of_a_name_gives_way(void **state)
{
    struct tickets *tickets = *state;
    for (size_t i = 0; i < TICKETS_EACH_MAX + 2; i++)
        tickets_put(tickets, "mx", &destroyed[i]);
    assert_int_equal(destroyed[0] + destroyed[1], 2);
    assert_int_equal(destroyed[2], 0);
    tickets_drop(tickets, "mx");
    tickets_drop(tickets, "mx");
    for (size_t i = 0; i < TICKETS_EACH_MAX + 2; i++)
        assert_int_equal(destroyed[i], 1);
    assert_null(tickets_take(tickets, "mx"));
}

static void the_name_that_nobody_asks_for_gives_way(void **state)
{
    struct tickets *tickets = *state;
    char name[32];
    for (size_t i = 0; i < TICKETS_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof name, "mx%zu", i);
        tickets_put(tickets, name, &destroyed[i]);
    }
    int again = 0;
    tickets_put(tickets, "mx0", &again);
    tickets_put(tickets, "new", &destroyed[TICKETS - 1]);
    assert_int_equal(destroyed[0], 0);
    assert_int_equal(destroyed[1], 1);
    assert_null(tickets_take(tickets, "mx1"));
    assert_ptr_equal(tickets_take(tickets, "mx0"), &again);
    assert_ptr_equal(tickets_take(tickets, "mx0"), &destroyed[0]);
}

static void long_names_are_cut(void **state)
{
    struct tickets *tickets = *state;
    char name[TICKETS_NAME_SIZE + 50];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    tickets_put(tickets, name, &destroyed[0]);
    name[TICKETS_NAME_SIZE + 10] = '\0';
    assert_ptr_equal(tickets_take(tickets, name), &destroyed[0]);
}

#define tickets_test(name)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        tickets_test(the_newest_is_taken_first_and_once),
        tickets_test(the_oldest_of_a_name_gives_way),
        tickets_test(the_name_that_nobody_asks_for_gives_way),
        tickets_test(long_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
