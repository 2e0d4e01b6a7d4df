/*
 * test_dispatch_lives.c - a worker dies and comes back with the journal of its
 * former life: what it may have sent is in doubt, and nothing else.
 */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const only_a[] = { "a", NULL };
static const uint64_t first_life[] = { 1 };

#define DUPLICATE "\"event\":\"possible_duplicate\""

static size_t doubts(struct fixture *fixture)
{
    return fixture_count_logged(fixture, DUPLICATE);
}

/* Does the log own up to this message, and to no other? */
static void check_doubted(struct fixture *fixture, uint64_t message)
{
    char id[ID_TEXT_SIZE];
    char text[128];
    (void)snprintf(text, sizeof text, DUPLICATE ",\"id\":\"%s\"",
                   id_format(message, id));
    fixture_await_logged(fixture, text);
    assert_int_equal(doubts(fixture), 1);
}

static const struct wire_job *take_job(struct scripted *worker, uint64_t total)
{
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", total);
    return scripted_await_job(worker);
}

/* A worker that has a job of the stream, and is not heard of any more. */
static struct scripted *dead_with_job(struct fixture *fixture,
                                      const char *stream,
                                      const struct wire_job **job)
{
    struct scripted *before = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, stream);
    *job = take_job(before, 1);
    before->silent = true;
    return before;
}

/* The next life of w1, which has read the journal of the first; it holds what
 * became of one job. */
static struct scripted *next_life(struct fixture *fixture,
                                  const struct wire_job *held)
{
    struct scripted *worker = scripted_make(fixture, "w1", 2, only_a);
    worker->former_boots = (struct wire_ids){ first_life, 1 };
    worker->held_leases = (struct wire_ids){ &held->lease, 1 };
    worker->held_messages = (struct wire_ids){ &held->message, 1 };
    scripted_hello(worker);
    return worker;
}

static void what_the_journal_does_not_name_goes_again_unmarked(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *before = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const struct wire_job *said = take_job(before, 9);
    const uint64_t other = fixture_submit(fixture, "main");
    (void)scripted_await_job(before);
    before->silent = true;

    struct scripted *after = next_life(fixture, said);
    assert_true(fixture_logged(fixture, "\"why\":\"restarted\""));
    const struct wire_job *job = take_job(after, 9);
    assert_int_equal(job->message, other);
    assert_int_equal(job->attempt, 1);
    assert_int_equal(doubts(fixture), 0);

    scripted_doubt(after, said);
    const struct wire_job *again = scripted_await_job(after);
    assert_int_equal(again->message, said->message);
    assert_int_equal(again->attempt, 1); /* none was charged */
    check_doubted(fixture, said->message);
    scripted_result(after, job, 250, "ok");
    scripted_result(after, again, 250, "ok");
    fixture_await_empty(fixture);
    assert_int_equal(doubts(fixture), 1);
    scripted_free(&before);
    scripted_free(&after);
}

static void a_delivery_in_the_journal_counts(void **state)
{
    struct fixture *fixture = *state;
    const struct wire_job *job;
    struct scripted *before = dead_with_job(fixture, "main", &job);
    struct scripted *after = next_life(fixture, job);
    scripted_result(after, job, 250, "ok");
    fixture_await_empty(fixture);
    assert_null(scripted_look(after, WIRE_JOB));
    assert_int_equal(doubts(fixture), 0);
    scripted_free(&before);
    scripted_free(&after);
}

static void without_its_journal_all_is_in_doubt(void **state)
{
    static const uint64_t another[] = { 77 };
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const struct wire_job *job = take_job(worker, 1);
    worker->boot = 2;
    worker->former_boots = (struct wire_ids){ another, 1 };
    scripted_hello(worker);
    check_doubted(fixture, job->message);
    scripted_free(&worker);
}

static void router_and_worker_die_together(void **state)
{
    struct fixture *fixture = *state;
    const struct wire_job *job;
    struct scripted *before = dead_with_job(fixture, "main", &job);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    struct scripted *after = next_life(fixture, job);
    scripted_doubt(after, job);
    const struct wire_job *again = take_job(after, 1);
    assert_int_equal(again->message, job->message);
    check_doubted(fixture, job->message);
    scripted_result(after, again, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&before);
    scripted_free(&after);
}

/* The router dies with a worker that is not heard of again; another has come. */
static struct scripted *survivor(struct fixture *fixture)
{
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    return scripted_new(fixture, "w3", 3, only_a);
}

static void router_and_worker_die_for_good(void **state)
{
    struct fixture *fixture = *state;
    const struct wire_job *job;
    struct scripted *before = dead_with_job(fixture, "main", &job);
    const uint64_t other = fixture_submit(fixture, "main"); /* was not out */
    struct scripted *after = survivor(fixture);
    const uint32_t lane = scripted_await_lane(after, "main");
    scripted_pull(after, lane, "a", 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct wire_job *again = scripted_await_job(after);
        assert_true(again->message == job->message || again->message == other);
        assert_int_equal(again->attempt, 1);
        scripted_result(after, again, 250, "ok");
    }
    check_doubted(fixture, job->message);
    assert_true(fixture_logged(fixture, "\"worker\":\"w1\""));
    fixture_await_empty(fixture);

    /* Nothing of it is left for the life after that. */
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    fixture_pass(fixture, LEASE_MS + 500);
    assert_int_equal(doubts(fixture), 1);
    scripted_free(&before);
    scripted_free(&after);
}

static void router_and_worker_die_for_good_and_the_job_is_held(void **state)
{
    struct fixture *fixture = *state;
    const struct wire_job *job;
    struct scripted *before = dead_with_job(fixture, "held", &job);
    const uint64_t id = job->message;
    struct scripted *after = survivor(fixture);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"held\":1");
    check_doubted(fixture, id);
    assert_true(fixture_logged(fixture, "\"then\":\"hold\""));

    /* And stays so. */
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"held\":1");
    assert_int_equal(doubts(fixture), 1);
    scripted_free(&before);
    scripted_free(&after);
}

/* What it does not name it has never seen, or it was handed back. */
static void a_worker_that_outlives_the_router_leaves_no_doubt(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const struct wire_job *named = take_job(worker, 2);
    (void)fixture_submit(fixture, "main");
    const struct wire_job *unnamed = scripted_await_job(worker);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    worker->held_leases = (struct wire_ids){ &named->lease, 1 };
    worker->held_messages = (struct wire_ids){ &named->message, 1 };
    scripted_hello(worker);
    const struct wire_job *again = take_job(worker, 1);
    assert_int_equal(again->message, unnamed->message);
    scripted_result(worker, again, 250, "ok");
    scripted_result(worker, named, 250, "ok");
    fixture_await_empty(fixture);
    assert_int_equal(doubts(fixture), 0);
    scripted_free(&worker);
}

/* A result that is on disk is no doubt, though its worker is gone. */
static void what_was_settled_is_in_no_doubt(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *before = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const struct wire_job *refused = take_job(before, 2);
    scripted_result(before, refused, 451, "4.3.0 later");
    (void)scripted_await(before, WIRE_ACK);
    (void)fixture_submit(fixture, "main");
    const struct wire_job *returned = scripted_await_job(before);
    scripted_handback(before, returned->lease);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"leased\":0");
    before->silent = true;
    struct scripted *after = survivor(fixture);
    (void)take_job(after, 1);
    fixture_pass(fixture, LEASE_MS);
    assert_int_equal(doubts(fixture), 0);
    scripted_free(&before);
    scripted_free(&after);
}

static void what_is_in_doubt_can_be_held(void **state)
{
    struct fixture *fixture = *state;
    const struct wire_job *job;
    struct scripted *before = dead_with_job(fixture, "held", &job);
    struct scripted *after = next_life(fixture, job);
    scripted_doubt(after, job);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"held\":1");
    check_doubted(fixture, job->message);
    assert_true(fixture_logged(fixture, "\"then\":\"hold\""));
    scripted_free(&before);
    scripted_free(&after);
}

static void what_was_given_up_is_told_of_once(void **state)
{
    struct fixture *fixture = *state;
    const struct wire_job *job;
    struct scripted *before = dead_with_job(fixture, "held", &job);
    fixture_await_logged(fixture, "\"why\":\"silent\"");
    check_doubted(fixture, job->message);

    struct scripted *after = next_life(fixture, job);
    for (unsigned i = 0; i < 3; i++) {
        scripted_doubt(after, job);
        (void)scripted_await(after, WIRE_ACK);
    }
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"held\":1");
    assert_int_equal(doubts(fixture), 1);
    scripted_free(&before);
    scripted_free(&after);
}

static void lose_book(const struct fixture *fixture)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s.leases", fixture->folder,
                   fixture->conf->routers[0].name);
    assert_int_equal(unlink(path), 0);
}

/* The router's host took the book along: the word comes when the message was
 * sent again as if nothing had been. */
static void a_doubt_that_comes_too_late_is_owned_up_to(void **state)
{
    struct fixture *fixture = *state;
    const struct wire_job *job;
    struct scripted *before = dead_with_job(fixture, "main", &job);
    fixture_stop_router(fixture);
    lose_book(fixture);
    fixture_start_router(fixture);
    struct scripted *other = scripted_new(fixture, "w3", 3, only_a);
    scripted_result(other, take_job(other, 1), 250, "ok");
    fixture_await_empty(fixture);
    assert_int_equal(doubts(fixture), 0);

    struct scripted *after = next_life(fixture, job);
    for (unsigned i = 0; i < 3; i++) {
        scripted_doubt(after, job);
        (void)scripted_await(after, WIRE_ACK);
    }
    check_doubted(fixture, job->message);
    scripted_free(&before);
    scripted_free(&other);
    scripted_free(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(what_the_journal_does_not_name_goes_again_unmarked),
        SCENARIO(a_delivery_in_the_journal_counts),
        SCENARIO(without_its_journal_all_is_in_doubt),
        SCENARIO(router_and_worker_die_together),
        SCENARIO(router_and_worker_die_for_good),
        SCENARIO(router_and_worker_die_for_good_and_the_job_is_held),
        SCENARIO(a_worker_that_outlives_the_router_leaves_no_doubt),
        SCENARIO(what_was_settled_is_in_no_doubt),
        SCENARIO(what_is_in_doubt_can_be_held),
        SCENARIO(what_was_given_up_is_told_of_once),
        SCENARIO(a_doubt_that_comes_too_late_is_owned_up_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
