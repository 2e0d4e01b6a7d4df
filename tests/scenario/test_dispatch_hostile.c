/* test_dispatch_hostile.c - whatever a worker says, the router lives, and mail
 * of others is not touched. */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/time.h"

#define ROUNDS 3000u

static const char *const only_a[] = { "a", NULL };
static const char *const only_b[] = { "b", NULL };

/* xorshift: the same frames in each run. */
static uint32_t next_number(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 32);
}

/* A new message still reaches a new worker, who takes what there is; at the
 * latest when the bad one, who may have asked for it, is given up. */
static void check_alive(struct fixture *fixture)
{
    struct scripted *good = scripted_new(fixture, "good", 99, only_a);
    const uint64_t id = fixture_submit(fixture, "main");
    bool came = false;
    for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
         !came && time_now_ms() < end; fixture_pass(fixture, 1)) {
        const struct wire_frame *frame = scripted_look(good, WIRE_OFFER);
        if (frame)
            scripted_pull(good, frame->as.offer.lane, "a", 1000);
        frame = scripted_look(good, WIRE_JOB);
        if (!frame)
            continue;
        scripted_result(good, &frame->as.job, 250, "ok");
        came = frame->as.job.message == id;
    }
    assert_true(came);
    scripted_free(&good);
}

static void random_bytes_do_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "bad", 1, only_b);
    uint64_t seed = 20261123;
    char bytes[96];
    for (unsigned i = 0; i < ROUNDS; i++) {
        const size_t len = next_number(&seed) % sizeof bytes + 1;
        for (size_t j = 0; j < len; j++)
            bytes[j] = (char)next_number(&seed);
        if (i % 2) { /* a version and a kind that exist */
            bytes[0] = WIRE_VERSION;
            bytes[1] = (char)(next_number(&seed) % 12);
        }
        scripted_send_bytes(worker, slice_of(bytes, len));
        if (i % 64 == 0)
            fixture_pass(fixture, 1);
    }
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"workers\"");
    scripted_free(&worker);
    check_alive(fixture);
}

/* Frames that would be right but for a few bytes. */
static void encode_some(unsigned which, const struct wire_job *job,
                        struct buf *bytes)
{
    const struct slice sources[] = { SLICE("a"), SLICE("b") };
    const struct wire_outcome outcomes[] = {
        { .index = 0, .verdict = { .class = VERDICT_FAILED, .code = 550 } },
        { .index = 0, .verdict = { .class = VERDICT_DELIVERED, .code = 250 } },
        { .index = 1, .verdict = { .class = VERDICT_DEFERRED, .code = 451 } },
    };
    const struct wire_frame frames[] = {
        { .kind = WIRE_PULL, .as.pull = { job->lane, SLICE("b"), 3 } },
        { .kind = WIRE_HANDBACK,
          .as.handback = { { &job->lease, 1 }, SLICE("limit") } },
        { .kind = WIRE_RESULT,
          .as.result = { .lease = job->lease,
                         .message = job->message,
                         .lane = job->lane,
                         .source = SLICE("b"),
                         .outcomes = outcomes,
                         .outcome_count = ARRAY_LEN(outcomes) } },
        { .kind = WIRE_HELLO,
          .as.hello = { .worker = SLICE("bad"),
                        .boot = 1,
                        .sources = { sources, ARRAY_LEN(sources) },
                        .held_leases = { &job->lease, 1 },
                        .held_messages = { &job->message, 1 } } },
    };
    assert_int_equal(wire_encode(&frames[which % ARRAY_LEN(frames)], bytes),
                     RC_OK);
}

static void frames_with_wrong_bytes_are_not_fatal(void **state)
{
    struct fixture *fixture = *state;
    static const char *const several[] = { "u@[127.0.0.1]", "v@[127.0.0.1]",
                                           "w@[127.0.0.2]" };
    struct scripted *worker = scripted_new(fixture, "bad", 1, only_b);
    (void)fixture_submit_to(fixture, "main", several, ARRAY_LEN(several));
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "b", 1);
    struct wire_job job = *scripted_await_job(worker);
    worker->prompt = true; /* what comes now is not kept */
    uint64_t seed = 4711;
    struct buf bytes;
    buf_init(&bytes, 4096);
    for (unsigned i = 0; i < ROUNDS; i++) {
        encode_some(i, &job, &bytes);
        char copy[512];
        const struct slice frame = buf_slice(&bytes);
        assert_true(frame.len <= sizeof copy);
        memcpy(copy, frame.ptr, frame.len);
        for (unsigned j = 0; j < 1 + i % 3; j++)
            copy[next_number(&seed) % frame.len] = (char)next_number(&seed);
        scripted_send_bytes(worker, slice_of(copy, frame.len));
        if (i % 32 == 0)
            fixture_pass(fixture, 1);
    }
    buf_release(&bytes);
    scripted_free(&worker);
    check_alive(fixture);
}

static void wrong_totals_take_nothing_that_is_not_due(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane + 1000, "a", 5);         /* no such lane */
    scripted_pull(worker, lane, "b", UINT64_MAX);       /* not its source */
    scripted_pull(worker, lane, "nowhere", UINT64_MAX); /* nobody's */
    scripted_pull(worker, lane, "a", 0);
    fixture_pass(fixture, 150);
    assert_null(scripted_look(worker, WIRE_JOB));

    scripted_pull(worker, lane, "a", UINT64_MAX);
    const struct wire_job job = *scripted_await_job(worker);
    scripted_result(worker, &job, 250, "ok");
    (void)scripted_await(worker, WIRE_ACK);
    fixture_await_empty(fixture);
    scripted_pull(worker, lane, "a", 0); /* below what was sent */
    scripted_result(worker, &job, 250, "again: its ACK tells of the PULL");
    (void)scripted_await(worker, WIRE_ACK);
    (void)fixture_submit(fixture, "main");
    fixture_pass(fixture, 150);
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_pull(worker, lane, "a", 2);
    scripted_result(worker, scripted_await_job(worker), 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_lease_of_another_is_not_given_back(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *good = scripted_new(fixture, "w1", 1, only_a);
    struct scripted *bad = scripted_new(fixture, "bad", 2, only_b);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(good, "main");
    scripted_pull(good, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(good);
    scripted_pull(bad, lane, "b", 9);
    scripted_handback(bad, job->lease);
    scripted_handback(bad, job->lease + 1);
    scripted_result(bad, job, 550, "not yours");
    (void)scripted_await(bad, WIRE_ACK);
    fixture_pass(fixture, 100);
    assert_null(scripted_look(bad, WIRE_JOB));
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"leases\":1");
    scripted_result(good, job, 250, "ok");
    fixture_await_empty(fixture);
    assert_false(fixture_logged(fixture, "\"event\":\"bounced\""));
    scripted_free(&good);
    scripted_free(&bad);
}

static void a_claim_of_another_is_not_ended(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *good = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    scripted_pull(good, scripted_await_lane(good, "main"), "a", 1);
    const struct wire_job *job = scripted_await_job(good);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    good->held_leases = (struct wire_ids){ &job->lease, 1 };
    good->held_messages = (struct wire_ids){ &job->message, 1 };
    scripted_hello(good);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":1");
    struct scripted *bad = scripted_new(fixture, "bad", 2, only_b);
    scripted_handback(bad, job->lease);
    fixture_pass(fixture, 100);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":1");
    scripted_result(good, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&good);
    scripted_free(&bad);
}

/* The claim is for one message and the result for another; what the end of the
 * claim does must not be written down for that one. */
static void a_result_for_another_message_than_its_claim(void **state)
{
    struct fixture *fixture = *state;
    const struct mail short_lived = { .stream = "main",
                                      .sender = "s@[127.0.0.1]",
                                      .recipients = { { .address =
                                                            "u@[127.0.0.1]" } },
                                      .expires_ms = 900 };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t first = fixture_submit_mail(fixture, &short_lived);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    struct wire_job job = *scripted_await_job(worker);
    assert_int_equal(job.message, first);
    const uint64_t second = fixture_submit(fixture, "main");
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    worker->held_leases = (struct wire_ids){ &job.lease, 1 };
    worker->held_messages = (struct wire_ids){ &first, 1 };
    scripted_hello(worker);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":1");
    fixture_pass(fixture, 900); /* its expiry comes with the end of the claim */
    job.message = second;
    scripted_result(worker, &job, 250, "ok");
    fixture_await_logged(fixture, "\"event\":\"expired\"");
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"delivered\""),
                     1);

    job.lease++;
    job.message = 12345; /* nobody's */
    scripted_result(worker, &job, 250, "ok");
    (void)scripted_await(worker, WIRE_ACK);
    scripted_free(&worker);
}

static void a_result_may_repeat_itself_and_name_strangers(void **state)
{
    struct fixture *fixture = *state;
    static const char *const two[] = { "u@[127.0.0.1]", "v@[127.0.0.1]" };
    static const struct scripted_outcome odd[] = {
        { 77, 250, "who" },   { 1, 451, "first" }, { 0, 250, "ok" },
        { 1, 550, "second" }, { 0, 550, "no" },    { 4294967295u, 550, "no" },
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit_to(fixture, "main", two, ARRAY_LEN(two));
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    scripted_results(worker, job, odd, 0); /* says nothing at all */
    job = scripted_await_job(worker);
    assert_int_equal(job->attempt, 1);
    scripted_results(worker, job, odd, ARRAY_LEN(odd));
    (void)scripted_await(worker, WIRE_ACK);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"workers\"");
    scripted_free(&worker);
    check_alive(fixture);
}

static void a_worker_that_leaves_and_comes_back_gets_mail(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_drain(worker);
    scripted_pull(worker, lane, "a", 1);
    fixture_pass(fixture, 100);
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_hello(worker);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    scripted_result(worker, scripted_await_job(worker), 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(random_bytes_do_nothing),
        SCENARIO(frames_with_wrong_bytes_are_not_fatal),
        SCENARIO(wrong_totals_take_nothing_that_is_not_due),
        SCENARIO(a_lease_of_another_is_not_given_back),
        SCENARIO(a_claim_of_another_is_not_ended),
        SCENARIO(a_result_for_another_message_than_its_claim),
        SCENARIO(a_result_may_repeat_itself_and_name_strangers),
        SCENARIO(a_worker_that_leaves_and_comes_back_gets_mail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
