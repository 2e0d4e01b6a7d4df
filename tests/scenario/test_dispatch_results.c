/* test_dispatch_results.c - results that come late, twice, in part, or not. */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/check.h"
#include "common/base/time.h"

static const char *const only_a[] = { "a", NULL };
static const char *const both[] = { "a", "b", NULL };
static const char *const two[] = { "u@[127.0.0.1]", "v@[127.0.0.1]" };

/* A job of `worker`, whom the router then gives up; another has it now. */
struct lost {
    struct scripted *late;
    struct scripted *other;
    const struct wire_job *first; /* of late */
    const struct wire_job *again; /* of other */
};

static void lose_one(struct fixture *fixture, struct lost *lost)
{
    lost->late = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit_to(fixture, "main", two, ARRAY_LEN(two));
    const uint32_t lane = scripted_await_lane(lost->late, "main");
    scripted_pull(lost->late, lane, "a", 1);
    lost->first = scripted_await_job(lost->late);
    assert_int_equal(lost->first->recipient_count, 2);
    lost->late->silent = true;
    fixture_await_logged(fixture, "\"event\":\"worker_lost\"");
    lost->other = scripted_new(fixture, "w2", 2, only_a);
    scripted_pull(lost->other, scripted_await_lane(lost->other, "main"), "a",
                  9);
    lost->again = scripted_await_job(lost->other);
    assert_int_equal(lost->again->recipient_count, 2);
    assert_true(lost->again->lease != lost->first->lease);
    lost->late->silent = false;
    scripted_hello(lost->late);
}

static void end(struct fixture *fixture, struct lost *lost)
{
    fixture_await_empty(fixture);
    scripted_free(&lost->late);
    scripted_free(&lost->other);
}

static size_t delivered(struct fixture *fixture)
{
    return fixture_count_logged(fixture, "\"event\":\"delivered\"");
}

static void deliver_both(struct scripted *worker, const struct wire_job *job)
{
    static const struct scripted_outcome ok[] = { { 0, 250, "ok" },
                                                  { 1, 250, "ok" } };
    scripted_results(worker, job, ok, ARRAY_LEN(ok));
}

static void a_late_delivery_counts_while_another_has_the_job(void **state)
{
    struct fixture *fixture = *state;
    struct lost lost;
    lose_one(fixture, &lost);
    deliver_both(lost.late, lost.first);
    (void)scripted_await(lost.late, WIRE_ACK);
    fixture_await_empty(fixture);
    assert_int_equal(delivered(fixture), 2);
    deliver_both(lost.other, lost.again);
    (void)scripted_await(lost.other, WIRE_ACK);
    assert_int_equal(delivered(fixture), 2);
    end(fixture, &lost);
}

static void a_late_delivery_in_part_leaves_the_rest_with_the_other(void **state)
{
    struct fixture *fixture = *state;
    struct lost lost;
    lose_one(fixture, &lost);
    scripted_result(lost.late, lost.first, 250, "ok");
    (void)scripted_await(lost.late, WIRE_ACK);
    fixture_pass(fixture, 100);
    assert_null(scripted_look(lost.other, WIRE_JOB));
    deliver_both(lost.other, lost.again);
    fixture_await_empty(fixture);
    assert_int_equal(delivered(fixture), 2);
    end(fixture, &lost);
}

static void a_late_failure_is_not_believed_while_another_tries(void **state)
{
    struct fixture *fixture = *state;
    struct lost lost;
    lose_one(fixture, &lost);
    static const struct scripted_outcome bad[] = { { 0, 451, "later" },
                                                   { 1, 550, "no" } };
    scripted_results(lost.late, lost.first, bad, ARRAY_LEN(bad));
    (void)scripted_await(lost.late, WIRE_ACK);
    assert_false(fixture_logged(fixture, "\"event\":\"bounced\""));
    assert_false(fixture_logged(fixture, "\"event\":\"deferred\""));
    deliver_both(lost.other, lost.again);
    end(fixture, &lost);
}

static void a_result_that_comes_twice_counts_once(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    for (unsigned i = 0; i < 3; i++)
        scripted_result(worker, job, 451, "later");
    (void)scripted_await(worker, WIRE_ACK);
    scripted_result(worker, job, 451, "later");
    (void)scripted_await(worker, WIRE_ACK);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"deferred\""),
                     1);
    const struct wire_job *again = scripted_await_job(worker);
    assert_int_equal(again->attempt, 2);
    scripted_result(worker, again, 250, "ok");
    scripted_result(worker, again, 250, "ok");
    fixture_await_empty(fixture);
    assert_int_equal(delivered(fixture), 1);
    scripted_free(&worker);
}

/* Restarts the router while the worker has a job; the worker says so. */
static const struct wire_job *restart_with_held(struct fixture *fixture,
                                                struct scripted *worker)
{
    (void)fixture_submit_to(fixture, "main", two, ARRAY_LEN(two));
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    worker->held_leases = (struct wire_ids){ &job->lease, 1 };
    worker->held_messages = (struct wire_ids){ &job->message, 1 };
    scripted_hello(worker);
    return job;
}

static void a_result_in_part_leaves_the_rest_to_be_sent(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct wire_job *job = restart_with_held(fixture, worker);
    scripted_result(worker, job, 250, "ok"); /* says nothing of the second */
    (void)scripted_await(worker, WIRE_ACK);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *rest = scripted_await_job(worker);
    assert_int_equal(rest->message, job->message);
    assert_int_equal(rest->recipient_count, 1);
    assert_int_equal(rest->recipients[0].index, 1);
    scripted_result(worker, rest, 250, "ok");
    fixture_await_empty(fixture);
    assert_int_equal(delivered(fixture), 2);
    scripted_free(&worker);
}

static void a_claim_in_part_of_two_domains_ends_with_its_result(void **state)
{
    struct fixture *fixture = *state;
    static const char *const domains[] = { "u@[127.0.0.1]", "v@[127.0.0.2]" };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit_to(fixture, "main", domains, ARRAY_LEN(domains));
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    worker->held_leases = (struct wire_ids){ &job->lease, 1 };
    worker->held_messages = (struct wire_ids){ &job->message, 1 };
    scripted_hello(worker);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":2");
    scripted_result(worker, job, 451, "later"); /* the other may go */
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *other = scripted_await_job(worker);
    assert_true(other->recipients[0].index != job->recipients[0].index);
    scripted_result(worker, other, 250, "ok");
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"waiting\":1");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *again = scripted_await_job(worker);
    assert_int_equal(again->attempt, 2);
    scripted_result(worker, again, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_claim_ends_when_it_is_named_no_more(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct wire_job *job = restart_with_held(fixture, worker);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":1");
    worker->held_leases = (struct wire_ids){ NULL, 0 };
    worker->held_messages = (struct wire_ids){ NULL, 0 };
    scripted_hello(worker);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *again = scripted_await_job(worker);
    assert_int_equal(again->message, job->message);
    deliver_both(worker, again);
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_new_boot_of_the_same_name_takes_over(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *before = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t id = fixture_submit(fixture, "main");
    scripted_pull(before, scripted_await_lane(before, "main"), "a", 1);
    (void)scripted_await_job(before);
    before->silent = true;
    struct scripted *after = scripted_new(fixture, "w1", 2, only_a);
    assert_true(fixture_logged(fixture, "\"why\":\"restarted\""));
    assert_true(fixture_logged(fixture, "\"event\":\"possible_duplicate\""));
    scripted_pull(after, scripted_await_lane(after, "main"), "a", 1);
    const struct wire_job *job = scripted_await_job(after);
    assert_int_equal(job->message, id);
    scripted_result(after, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&before);
    scripted_free(&after);
}

static void a_new_boot_over_the_same_link_takes_over(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t id = fixture_submit(fixture, "main");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    (void)scripted_await_job(worker);
    worker->boot = 7;
    scripted_hello(worker);
    assert_true(fixture_logged(fixture, "\"event\":\"possible_duplicate\""));
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, id);
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

/* Takes `count` jobs; which recipients they had, as bits. */
static unsigned take_jobs(struct scripted *worker, size_t count,
                          const struct wire_job *jobs[])
{
    unsigned seen = 0;
    for (size_t i = 0; i < count; i++) {
        jobs[i] = scripted_await_job(worker);
        for (size_t j = 0; j < jobs[i]->recipient_count; j++) {
            const unsigned bit = 1u << jobs[i]->recipients[j].index;
            assert_int_equal(seen & bit, 0);
            seen |= bit;
        }
    }
    return seen;
}

static const struct wire_job *job_of(const struct wire_job *const jobs[],
                                     size_t count, uint32_t index)
{
    const struct wire_job *found = NULL;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < jobs[i]->recipient_count; j++)
            if (jobs[i]->recipients[j].index == index)
                found = jobs[i];
    CHECK(found);
    return found;
}

static void recipients_part_by_route_and_domain(void **state)
{
    struct fixture *fixture = *state;
    static const struct mail mail = {
        .stream = "main",
        .sender = "",
        .recipients = { { .address = "u@[127.0.0.1]", .route = "main" },
                        { .address = "u@[127.0.0.2]", .route = "main" },
                        { .address = "v@[127.0.0.1]", .route = "main" },
                        { .address = "w@[127.0.0.1]", .route = "held" },
                        { .address = "x@[127.0.0.2]", .route = "held" },
                        { .address = "y@[127.0.0.2]", .route = "main" } },
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, both);
    (void)fixture_submit_mail(fixture, &mail);
    const uint32_t lane = scripted_await_lane(worker, "main");
    const uint32_t other = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 9);
    scripted_pull(worker, other, "b", 9);
    const struct wire_job *jobs[4];
    assert_int_equal(take_jobs(worker, 4, jobs), 0x3f);
    assert_ptr_equal(job_of(jobs, 4, 0), job_of(jobs, 4, 2));
    assert_ptr_equal(job_of(jobs, 4, 1), job_of(jobs, 4, 5));

    /* Each its own fate; a restart finds what is left of them. */
    static const struct scripted_outcome mixed[] = { { 0, 250, "ok" },
                                                     { 2, 451, "later" } };
    static const struct scripted_outcome done[] = { { 1, 250, "ok" },
                                                    { 5, 550, "no" } };
    scripted_results(worker, job_of(jobs, 4, 0), mixed, 2);
    scripted_results(worker, job_of(jobs, 4, 1), done, 2);
    scripted_result(worker, job_of(jobs, 4, 3), 250, "ok");
    scripted_handback(worker, job_of(jobs, 4, 4)->lease);
    assert_int_equal(take_jobs(worker, 1, jobs), 1u << 4);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"waiting\":1");
    fixture_pass(fixture, 50);

    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    scripted_hello(worker);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    assert_int_equal(take_jobs(worker, 2, jobs), 1u << 4 | 1u << 2);
    assert_int_equal(job_of(jobs, 2, 2)->attempt, 2);
    assert_int_equal(job_of(jobs, 2, 4)->attempt, 1);
    scripted_result(worker, jobs[0], 250, "ok");
    scripted_result(worker, jobs[1], 250, "ok");
    fixture_await_empty(fixture);
    assert_int_equal(delivered(fixture), 5);
    scripted_free(&worker);
}

/* A message whose job is in doubt and held; the job, of a worker that is gone
 * by now and has said nothing of it. */
static const struct wire_job *hold_one(struct fixture *fixture,
                                       struct scripted *worker,
                                       uint64_t expires_ms)
{
    const struct mail mail = { .stream = "held",
                               .sender = "s@[127.0.0.1]",
                               .recipients = { { .address = "u@[127.0.0.1]" } },
                               .expires_ms = expires_ms };
    (void)fixture_submit_mail(fixture, &mail);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    worker->silent = true;
    fixture_await_logged(fixture, "\"event\":\"worker_lost\"");
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"held\":1");
    assert_int_equal(fixture_number(fixture, "\"bodies_bytes\":"), 0);
    return job;
}

static void held_mail_stays_held_over_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct wire_job *job = hold_one(fixture, worker, 0);
    fixture_pass(fixture, 50); /* its state is on disk */
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"held\":1");

    /* The worker comes back with what became of it. */
    worker->silent = false;
    worker->held_leases = (struct wire_ids){ &job->lease, 1 };
    worker->held_messages = (struct wire_ids){ &job->message, 1 };
    scripted_hello(worker);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":1");
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void held_mail_that_was_not_begun_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct wire_job *job = hold_one(fixture, worker, 0);
    worker->silent = false;
    worker->held_leases = (struct wire_ids){ &job->lease, 1 };
    worker->held_messages = (struct wire_ids){ &job->message, 1 };
    scripted_hello(worker);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":1");
    scripted_handback(worker, job->lease);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    const struct wire_job *again = scripted_await_job(worker);
    assert_int_equal(again->message, job->message);
    scripted_result(worker, again, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void held_mail_expires_and_says_why(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)hold_one(fixture, worker, 2500);
    fixture_await_logged(fixture, "it may have been delivered");
    worker->silent = false;
    scripted_hello(worker);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    const struct wire_job *report = scripted_await_job(worker);
    assert_int_equal(report->mail_from.len, 0);
    scripted_result(worker, report, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(a_late_delivery_counts_while_another_has_the_job),
        SCENARIO(a_late_delivery_in_part_leaves_the_rest_with_the_other),
        SCENARIO(a_late_failure_is_not_believed_while_another_tries),
        SCENARIO(a_result_that_comes_twice_counts_once),
        SCENARIO(a_result_in_part_leaves_the_rest_to_be_sent),
        SCENARIO(a_claim_in_part_of_two_domains_ends_with_its_result),
        SCENARIO(a_claim_ends_when_it_is_named_no_more),
        SCENARIO(a_new_boot_of_the_same_name_takes_over),
        SCENARIO(a_new_boot_over_the_same_link_takes_over),
        SCENARIO(recipients_part_by_route_and_domain),
        SCENARIO(held_mail_stays_held_over_a_restart),
        SCENARIO(held_mail_that_was_not_begun_goes_on),
        SCENARIO(held_mail_expires_and_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
