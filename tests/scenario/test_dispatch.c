/* test_dispatch.c - the life of a job between router and workers. */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/time.h"

static const char *const both[] = { "a", "b", NULL };
static const char *const only_a[] = { "a", NULL };
static const char *const only_r[] = { "r", NULL };

static void a_job_leaves_and_its_message_ends(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t id = fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    assert_null(scripted_look(worker, WIRE_JOB)); /* nothing without credit */

    scripted_pull(worker, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, id);
    assert_int_equal(job->attempt, 1);
    assert_int_equal(job->recipient_count, 1);
    assert_int_equal(job->size, 25);
    assert_true(slice_equal(job->source, SLICE("a")));
    assert_true(slice_equal(job->hosts[0].name, SLICE("[127.0.0.1]")));
    assert_true(
        slice_equal(job->recipients[0].address, SLICE("u@[127.0.0.1]")));

    scripted_result(worker, job, 250, "ok");
    const struct wire_ack *ack = &scripted_await(worker, WIRE_ACK)->as.ack;
    assert_int_equal(ack->leases.count, 1);
    assert_int_equal(ack->leases.items[0], job->lease);
    fixture_await_empty(fixture);
    assert_true(fixture_logged(fixture, "\"event\":\"delivered\""));
    scripted_free(&worker);
}

static void sources_share_by_weight(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, both);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    unsigned from_a = 0;
    scripted_pull(worker, lane, "a", 8);
    scripted_pull(worker, lane, "b", 8);
    for (unsigned i = 0; i < 8; i++) {
        const struct wire_job *job = scripted_await_job(worker);
        from_a += slice_equal(job->source, SLICE("a"));
        scripted_result(worker, job, 250, "ok");
        if (i < 7) /* credit stands: each leaves at once */
            (void)fixture_submit(fixture, "main");
    }
    assert_int_equal(from_a, 6); /* weights 3 and 1 */
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void deferred_mail_is_tried_again(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 2);
    const struct wire_job *job = scripted_await_job(worker);
    scripted_result(worker, job, 451, "greylisted");
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main", "\"waiting\":1");
    const struct wire_job *again = scripted_await_job(worker);
    assert_int_equal(again->attempt, 2);
    assert_true(again->lease != job->lease);
    scripted_result(worker, again, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void failed_mail_comes_back_to_the_sender(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    static const char *const two[] = { "u@[127.0.0.1]", "v@[127.0.0.1]" };
    const uint64_t id = fixture_submit_to(fixture, "main", two, 2);
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 2);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->recipient_count, 2);
    scripted_result(worker, job, 550, "no such user");
    (void)scripted_await(worker, WIRE_ACK);
    assert_true(fixture_logged(fixture, "\"event\":\"bounced\""));
    assert_true(fixture_logged(fixture, "delivery-report"));

    /* The recipient that the result did not name goes again, uncharged. */
    const struct wire_job *rest = scripted_await_job(worker);
    assert_int_equal(rest->message, id);
    assert_int_equal(rest->recipient_count, 1);
    assert_int_equal(rest->recipients[0].index, 1);
    assert_int_equal(rest->attempt, 1);
    scripted_result(worker, rest, 250, "ok");
    /* The report waits for the DNS, which does not answer here. */
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"messages\":1,");
    scripted_free(&worker);
}

static void a_job_handed_back_is_not_charged(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t first = fixture_submit(fixture, "main");
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    scripted_handback(worker, job->lease);
    scripted_pull(worker, lane, "a", 3);
    job = scripted_await_job(worker);
    assert_int_equal(job->message, first); /* at the front again */
    assert_int_equal(job->attempt, 1);
    scripted_result(worker, job, 250, "ok");
    job = scripted_await_job(worker);
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_lost_workers_job_goes_to_another(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *dies = scripted_new(fixture, "w1", 1, only_a);
    struct scripted *lives = scripted_new(fixture, "w2", 2, both);
    const uint64_t id = fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(dies, "main");
    scripted_pull(dies, lane, "a", 1);
    (void)scripted_await(dies, WIRE_JOB);
    scripted_pull(lives, lane, "b", 1);
    dies->silent = true;
    const uint64_t since_ms = time_now_ms();
    const struct wire_job *job = scripted_await_job(lives);
    assert_int_equal(job->message, id);
    assert_true(time_now_ms() - since_ms < LEASE_MS + 2000);
    assert_true(fixture_logged(fixture, "\"event\":\"possible_duplicate\""));
    assert_true(fixture_logged(fixture, "\"event\":\"worker_lost\""));
    scripted_result(lives, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&dies);
    scripted_free(&lives);
}

static void what_is_in_doubt_can_be_held(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "held");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    (void)scripted_await(worker, WIRE_JOB);
    scripted_free(&worker);
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main", "\"held\":1");
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main", "held: in doubt");
}

static void a_late_result_counts(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t id = fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    worker->silent = true;
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"workers\":[]");

    /* A frame of somebody unknown: he is asked who he is. */
    worker->silent = false;
    worker->router_boot = 1;
    for (unsigned i = 0; worker->router_boot != 0 && i < 100; i++)
        fixture_pass(fixture, 10);
    assert_int_equal(worker->router_boot, 0);
    const uint64_t lease = job->lease;
    worker->held_leases = (struct wire_ids){ &lease, 1 };
    worker->held_messages = (struct wire_ids){ &id, 1 };
    scripted_hello(worker);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":1");
    scripted_result(worker, job, 250, "ok");
    (void)scripted_await(worker, WIRE_ACK);
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void mail_takes_the_fallback_of_a_dead_pool(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_r);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "reserve");
    scripted_pull(worker, lane, "r", 1);
    const struct wire_job *job = scripted_await_job(worker);
    assert_true(slice_equal(job->source, SLICE("r")));
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_restart_waits_for_what_workers_hold(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t held = fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    struct wire_job job = *scripted_await_job(worker);
    const uint64_t lease = job.lease;
    const uint64_t other = fixture_submit(fixture, "main");

    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    worker->held_leases = (struct wire_ids){ &lease, 1 };
    worker->held_messages = (struct wire_ids){ &held, 1 };
    scripted_hello(worker);
    const uint32_t anew = scripted_await_lane(worker, "main");
    scripted_pull(worker, anew, "a", 9);
    const struct wire_job *next = scripted_await_job(worker);
    assert_int_equal(next->message, other);
    fixture_pass(fixture, 2 * LEASE_MS);
    assert_null(scripted_look(worker, WIRE_JOB));
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":1");

    scripted_result(worker, next, 250, "ok");
    scripted_result(worker, &job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void what_was_delivered_is_gone_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    scripted_result(worker, job, 250, "ok");
    (void)scripted_await(worker, WIRE_ACK); /* it is on disk by now */
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

/* The DNS has not answered when the router goes: the question is forgotten, and
 * the message is not. */
static void a_stop_while_the_dns_is_asked_forgets_the_question(void **state)
{
    struct fixture *fixture = *state;
    static const char *const one[] = { "u@b.example" };
    const int resolver = fixture_bind_resolver(fixture); /* it is silent */
    (void)fixture_submit_to(fixture, "main", one, 1);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"resolving\":1");
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"resolving\":1");
    (void)close(resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(a_job_leaves_and_its_message_ends),
        SCENARIO(sources_share_by_weight),
        SCENARIO(deferred_mail_is_tried_again),
        SCENARIO(failed_mail_comes_back_to_the_sender),
        SCENARIO(a_job_handed_back_is_not_charged),
        SCENARIO(a_lost_workers_job_goes_to_another),
        SCENARIO(what_is_in_doubt_can_be_held),
        SCENARIO(a_late_result_counts),
        SCENARIO(mail_takes_the_fallback_of_a_dead_pool),
        SCENARIO(a_restart_waits_for_what_workers_hold),
        SCENARIO(what_was_delivered_is_gone_after_a_restart),
        SCENARIO(a_stop_while_the_dns_is_asked_forgets_the_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
