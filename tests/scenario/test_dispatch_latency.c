/*
 * test_dispatch_latency - mail that is in a hurry: what workers hear of it, in
 * which order it leaves, and what is measured.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "tests/scenario/dispatch_fixture.h"

static const char *const only_a[] = { "a", NULL };

/* "held" is urgent now, and "main" has an objective. */
static void hurry(struct fixture *fixture, const char *latency)
{
    char main_now[64];
    (void)snprintf(main_now, sizeof main_now, "retry = \"1s\"; latency = %s;",
                   latency);
    const struct swap swaps[] = {
        { "in_doubt = \"hold\";",
          "in_doubt = \"hold\"; priority = \"urgent\";" },
        { "retry = \"1s\";", main_now },
    };
    fixture_reload(fixture, swaps, ARRAY_LEN(swaps));
}

static const struct wire_job *pull_one(struct scripted *worker, uint32_t lane,
                                       uint64_t total)
{
    scripted_pull(worker, lane, "a", total);
    return scripted_await_job(worker);
}

static void urgent_mail_is_told_of_and_leaves_first(void **state)
{
    struct fixture *fixture = *state;
    hurry(fixture, "\"1h\"");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    for (unsigned i = 0; i < 3; i++)
        (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_forget(worker, WIRE_OFFER);
    (void)fixture_submit(fixture, "held");
    const struct wire_frame *frame = scripted_await(worker, WIRE_OFFER);
    assert_int_equal(frame->as.offer.lane, lane);
    assert_int_equal(frame->as.offer.urgent, 1);

    const struct wire_job *job = pull_one(worker, lane, 1);
    assert_true(slice_equal(job->stream, SLICE("held")));
    assert_int_equal(job->rank, WIRE_RANK_URGENT);
    scripted_result(worker, job, 250, "ok");
    job = pull_one(worker, lane, 2);
    assert_true(slice_equal(job->stream, SLICE("main")));
    assert_int_equal(job->rank, WIRE_RANK_NORMAL);
    scripted_result(worker, job, 250, "ok");

    /* The credit is used up: what comes now is told of once more. */
    scripted_forget(worker, WIRE_OFFER);
    (void)fixture_submit(fixture, "held");
    frame = scripted_await(worker, WIRE_OFFER);
    assert_int_equal(frame->as.offer.urgent, 1);
    job = pull_one(worker, lane, 3);
    assert_int_equal(job->rank, WIRE_RANK_URGENT);
    scripted_result(worker, job, 250, "ok");
    for (uint64_t total = 4; total <= 5; total++)
        scripted_result(worker, pull_one(worker, lane, total), 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_stream_that_is_behind_says_so(void **state)
{
    struct fixture *fixture = *state;
    hurry(fixture, "\"100ms\"");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    (void)fixture_submit(fixture, "quiet"); /* has no objective */
    const uint32_t lane = scripted_await_lane(worker, "main");
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"lanes_behind\":1");
    const struct wire_job *job = pull_one(worker, lane, 1);
    assert_true(slice_equal(job->stream, SLICE("main")));
    assert_int_equal(job->rank, WIRE_RANK_BEHIND);
    scripted_result(worker, job, 451, "later");
    job = pull_one(worker, lane, 2);
    assert_int_equal(job->rank, WIRE_RANK_NORMAL);
    scripted_result(worker, job, 250, "ok");
    job = pull_one(worker, lane, 3); /* the second attempt of the first */
    assert_int_equal(job->attempt, 2);
    assert_int_equal(job->rank, WIRE_RANK_NORMAL);
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

/* One attempt each at first, and what came of it in the end. */
static void waits_are_measured_by_stream(void **state)
{
    struct fixture *fixture = *state;
    hurry(fixture, "\"1h\"");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    fixture_await_answer(fixture, DISPATCH_STATUS, "",
                         "\"ready\":2,\"lanes_behind\":0");
    scripted_result(worker, pull_one(worker, lane, 1), 451, "later");
    scripted_result(worker, pull_one(worker, lane, 2), 550, "never");
    scripted_result(worker, pull_one(worker, lane, 3), 250, "ok");
    fixture_await_answer(fixture, DISPATCH_STATUS, "",
                         "\"within_objective\":2,\"first_attempt\":"
                         "{\"minute\":{\"count\":2,");
    fixture_await_answer(fixture, DISPATCH_STATUS, "",
                         "\"delivered\":{\"minute\":{\"count\":1,");
    hurry(fixture, "\"2h\""); /* a reload keeps them */
    fixture_await_answer(fixture, DISPATCH_STATUS, "",
                         "\"within_objective\":2,\"first_attempt\":"
                         "{\"minute\":{\"count\":2,");
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(urgent_mail_is_told_of_and_leaves_first),
        SCENARIO(a_stream_that_is_behind_says_so),
        SCENARIO(waits_are_measured_by_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
