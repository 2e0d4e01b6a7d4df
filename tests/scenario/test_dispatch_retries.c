/* test_dispatch_retries.c - when deferred mail is tried again, and from where. */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/time.h"

static const char *const a_and_b[] = { "a", "b", NULL };
static const char *const only_a[] = { "a", NULL };
static const char *const only_b[] = { "b", NULL };

/* Longer between attempts than a test is patient for, and less than mail lives. */
static const struct swap slowly = { "retry = \"1s\"", "retry = \"30m\"" };

/* Where limits are put into the config. */
#define LIMITS_AT "pools = (\n"

static void use_slow_retries(struct fixture *fixture, const char *limits)
{
    char text[512];
    (void)snprintf(text, sizeof text, "limits = ( { %s } );\n%s", limits,
                   LIMITS_AT);
    const struct swap swaps[] = { slowly, { LIMITS_AT, text } };
    fixture_reload(fixture, swaps, ARRAY_LEN(swaps));
}

static bool left_by(const struct wire_job *job, const char *source)
{
    return slice_equal(job->source, slice_text(source));
}

static void a_wait_that_the_reply_names_is_obeyed(void **state)
{
    struct fixture *fixture = *state;
    use_slow_retries(fixture, "");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const uint64_t begin_ms = time_now_ms();
    scripted_result(worker, scripted_await_job(worker), 451,
                    "Greylisted for 2 seconds");
    const struct wire_job *job = scripted_await_job(worker);
    assert_true(time_now_ms() - begin_ms >= 2000);
    assert_int_equal(job->attempt, 2);
    assert_true(fixture_logged(fixture, "\"asked_ms\":2000"));
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void who_does_not_want_it_keeps_to_the_schedule(void **state)
{
    struct fixture *fixture = *state;
    use_slow_retries(fixture, "retry_as_asked = false;");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_result(worker, scripted_await_job(worker), 451,
                    "Greylisted for 1 seconds");
    fixture_await_logged(fixture, "\"event\":\"deferred\"");
    assert_false(fixture_logged(fixture, "asked_ms"));
    fixture_pass(fixture, 1500);
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_free(&worker);
}

static void one_that_asks_for_ever_is_asked_less_often(void **state)
{
    struct fixture *fixture = *state;
    use_slow_retries(fixture, "");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    for (unsigned i = 0; i < 5; i++)
        scripted_result(worker, scripted_await_job(worker), 451,
                        "try again in 1 second");
    fixture_await_logged(fixture, "\"attempt\":5");
    assert_int_equal(fixture_count_logged(fixture, "asked_ms"), 4);
    fixture_pass(fixture, 1500);
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_free(&worker);
}

static void each_recipient_waits_as_its_own_reply_says(void **state)
{
    struct fixture *fixture = *state;
    static const char *const both[] = { "u@[127.0.0.1]", "v@[127.0.0.1]" };
    use_slow_retries(fixture, "");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit_to(fixture, "main", both, 2);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    static const struct scripted_outcome all[] = {
        { 0, 452, "mailbox full" }, { 1, 451, "come back in 00:00:01" }
    };
    scripted_results(worker, scripted_await_job(worker), all, 2);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->recipient_count, 1);
    assert_int_equal(job->recipients[0].index, 1);
    scripted_free(&worker);
}

static void a_local_finding_names_no_wait(void **state)
{
    struct fixture *fixture = *state;
    use_slow_retries(fixture, "");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    struct wire_outcome outcome = { .index = 0 };
    verdict_local(&outcome.verdict, (struct enhanced){ 4, 4, 1 },
                  "no answer; try again in 1 second");
    scripted_send(worker,
                  &(struct wire_frame){ .kind = WIRE_RESULT,
                                        .as.result = { .lease = job->lease,
                                                       .message = job->message,
                                                       .outcomes = &outcome,
                                                       .outcome_count = 1 } });
    fixture_await_logged(fixture, "\"event\":\"deferred\"");
    assert_false(fixture_logged(fixture, "asked_ms"));
    scripted_free(&worker);
}

/* The wait that was asked for is longer than the message lives. */
static void what_would_come_too_late_ends_at_the_expiry(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct mail mail = { .stream = "main",
                               .sender = "",
                               .recipients = { { .address = "u@[127.0.0.1]" } },
                               .expires_ms = 700 };
    const uint64_t begin_ms = time_now_ms();
    (void)fixture_submit_mail(fixture, &mail);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_result(worker, scripted_await_job(worker), 451,
                    "Greylisted for 300 seconds");
    fixture_await_empty(fixture);
    const uint64_t took_ms = time_now_ms() - begin_ms;
    assert_true(took_ms >= 700 && took_ms < 5000);
    assert_false(fixture_logged(fixture, "retry_ms"));
    assert_true(fixture_logged(fixture, "last reply: 451 4.0.0 Greylisted for "
                                        "300 seconds"));
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_free(&worker);
}

/* Ready, but the limits kept it: it is not tried any more. */
static void what_expired_in_its_lane_is_not_tried(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct mail mail = { .stream = "main",
                               .sender = "",
                               .recipients = { { .address = "u@[127.0.0.1]" } },
                               .expires_ms = 300 };
    (void)fixture_submit_mail(fixture, &mail);
    const uint32_t lane = scripted_await_lane(worker, "main");
    fixture_pass(fixture, 301);
    scripted_pull(worker, lane, "a", 9);
    fixture_await_empty(fixture);
    assert_null(scripted_look(worker, WIRE_JOB));
    assert_true(fixture_logged(fixture, "\"event\":\"expired\""));
    scripted_free(&worker);
}

/* Greylisted at source a; its worker has both sources. */
static uint32_t greylist_at_a(struct fixture *fixture, struct scripted *worker)
{
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    assert_true(left_by(job, "a"));
    scripted_result(worker, job, 451, "Greylisted for 1 seconds");
    (void)scripted_await(worker, WIRE_ACK);
    return lane;
}

static void greylisted_mail_keeps_to_its_source_and_holds_nobody_up(
    void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, a_and_b);
    const uint32_t lane = greylist_at_a(fixture, worker);
    scripted_pull(worker, lane, "b", 9);
    fixture_pass(fixture, 1600);
    assert_null(scripted_look(worker, WIRE_JOB));
    fixture_await_answer(fixture, DISPATCH_QUEUE, "", "\"ready\":1");

    const uint64_t other = fixture_submit(fixture, "main");
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, other);
    assert_true(left_by(job, "b"));
    scripted_result(worker, job, 250, "ok");

    scripted_pull(worker, lane, "a", 2);
    job = scripted_await_job(worker);
    assert_true(left_by(job, "a"));
    assert_int_equal(job->attempt, 2);
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_full_mailbox_is_no_reason_to_keep_to_a_source(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, a_and_b);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    scripted_result(worker, scripted_await_job(worker), 452, "mailbox full");
    scripted_pull(worker, lane, "b", 9);
    const struct wire_job *job = scripted_await_job(worker);
    assert_true(left_by(job, "b"));
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void the_operator_says_whose_retries_keep_to_a_source(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *limits;
        const char *reply;
        const char *source; /* of the retry */
    } cases[] = {
        { "retry_same_source = \"always\";", "mailbox full", "a" },
        { "retry_same_source = \"never\";", "Greylisted for 1 seconds", "b" },
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, a_and_b);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "limits = ( { %s } );\n%s",
                       cases[i].limits, LIMITS_AT);
        const struct swap swap = { LIMITS_AT, text };
        fixture_reload(fixture, &swap, 1);
        (void)scripted_await(worker, WIRE_WELCOME);
        scripted_forget(worker, WIRE_OFFER);
        (void)fixture_submit(fixture, "main");
        const uint32_t lane = scripted_await_lane(worker, "main");
        scripted_pull(worker, lane, "a", 1);
        scripted_result(worker, scripted_await_job(worker), 451,
                        cases[i].reply);
        (void)scripted_await(worker, WIRE_ACK);
        scripted_pull(worker, lane, "b", 9);
        fixture_pass(fixture, 1500);
        scripted_pull(worker, lane, "a", 9);
        const struct wire_job *job = scripted_await_job(worker);
        assert_true(left_by(job, cases[i].source));
        scripted_result(worker, job, 250, "ok");
        fixture_await_empty(fixture);
    }
    scripted_free(&worker);
}

static void a_source_that_nobody_holds_any_more_is_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *gone = scripted_new(fixture, "w1", 1, only_a);
    struct scripted *stays = scripted_new(fixture, "w2", 2, only_b);
    const uint32_t lane = greylist_at_a(fixture, gone);
    scripted_pull(stays, lane, "b", 9);
    fixture_pass(fixture, 1500); /* due, and set aside */
    assert_null(scripted_look(stays, WIRE_JOB));
    scripted_drain(gone);
    const struct wire_job *job = scripted_await_job(stays);
    assert_true(left_by(job, "b"));
    scripted_result(stays, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&gone);
    scripted_free(&stays);
}

static void what_is_set_aside_expires_and_survives_a_reload(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, a_and_b);
    const struct mail mail = { .stream = "main",
                               .sender = "",
                               .recipients = { { .address = "u@[127.0.0.1]" } },
                               .expires_ms = 4000 };
    (void)fixture_submit_mail(fixture, &mail);
    uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    scripted_result(worker, scripted_await_job(worker), 451,
                    "Greylisted for 1 seconds");
    scripted_pull(worker, lane, "b", 9);
    fixture_pass(fixture, 1500);
    const struct swap swap = { "weight = 3", "weight = 2" };
    scripted_forget(worker, WIRE_OFFER);
    fixture_reload(fixture, &swap, 1);
    lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "b", 9);
    fixture_await_empty(fixture);
    assert_true(fixture_logged(fixture, "\"event\":\"expired\""));
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_free(&worker);
}

/* What waits for its source when the router goes down is there when it is back. */
static void what_is_set_aside_survives_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, a_and_b);
    (void)fixture_submit(fixture, "main");
    uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    scripted_result(worker, scripted_await_job(worker), 451,
                    "Greylisted for 1 seconds");
    scripted_pull(worker, lane, "b", 9);
    fixture_pass(fixture, 1500); /* due, and set aside */
    assert_null(scripted_look(worker, WIRE_JOB));
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    scripted_hello(worker);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    assert_true(left_by(job, "a"));
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void assert_same_state(const struct state *a, const struct state *b)
{
    assert_int_equal(a->pending_count, b->pending_count);
    for (size_t i = 0; i < a->pending_count; i++) {
        const struct state_recipient *left = &a->pending[i];
        const struct state_recipient *right = &b->pending[i];
        assert_int_equal(left->index, right->index);
        assert_int_equal(left->attempts, right->attempts);
        assert_int_equal(left->next_utc_ms, right->next_utc_ms);
        assert_int_equal(left->code, right->code);
        assert_int_equal(left->told, right->told);
        assert_true(slice_equal(left->text, right->text));
        assert_true(slice_equal(left->source, right->source));
    }
}

/* A message with two recipients that wait by plans of their own, and one whose
 * retry falls due while the router is down. */
static void attempts_times_and_source_survive_a_restart_exactly(void **state)
{
    struct fixture *fixture = *state;
    static const char *const three[] = { "u@[127.0.0.1]", "v@[127.0.0.1]",
                                         "w@[127.0.0.1]" };
    static const struct scripted_outcome all[] = {
        { 0, 452, "mailbox full" },
        { 1, 451, "Greylisted for 600 seconds" },
        { 2, 451, "Greylisted for 3 seconds" },
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, a_and_b);
    const struct swap swap = { "retry = \"1s\"", "retry = \"40m\"" };
    fixture_reload(fixture, &swap, 1);
    (void)scripted_await(worker, WIRE_WELCOME);
    const uint64_t id = fixture_submit_to(fixture, "main", three, 2);
    const uint64_t quick = fixture_submit_to(fixture, "main", &three[2], 1);
    uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 2);
    scripted_results(worker, scripted_await_job(worker), all, 2);
    (void)scripted_await(worker, WIRE_ACK);
    scripted_result(worker, scripted_await_job(worker), 451, all[2].text);
    (void)scripted_await(worker, WIRE_ACK);
    fixture_stop_router(fixture);

    struct arena arena;
    struct state before;
    struct state quick_before;
    struct state after;
    arena_init(&arena, 1u << 20);
    assert_true(fixture_read_state(fixture, id, &arena, &before));
    assert_true(fixture_read_state(fixture, quick, &arena, &quick_before));
    assert_int_equal(before.pending_count, 2);
    assert_int_equal(before.pending[0].attempts, 1);
    assert_int_equal(before.pending[0].source.len, 0);
    assert_true(slice_equal(before.pending[1].source, SLICE("a")));
    assert_true(before.pending[0].next_utc_ms
                > before.pending[1].next_utc_ms + 1700000);

    fixture_start_router(fixture);
    scripted_hello(worker);
    lane = scripted_await_lane(worker, "main"); /* the quick one is due */
    assert_true(time_utc_ms() >= quick_before.pending[0].next_utc_ms);
    scripted_pull(worker, lane, "b", 9);
    fixture_pass(fixture, 300);
    assert_null(scripted_look(worker, WIRE_JOB)); /* it is a's */
    scripted_pull(worker, lane, "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, quick);
    assert_true(left_by(job, "a"));
    assert_int_equal(job->attempt, 2);
    scripted_result(worker, job, 250, "ok");
    (void)scripted_await(worker, WIRE_ACK);
    fixture_stop_router(fixture);
    assert_true(fixture_read_state(fixture, id, &arena, &after));
    assert_same_state(&before, &after);
    assert_false(fixture_read_state(fixture, quick, &arena, &after));
    fixture_start_router(fixture);
    arena_release(&arena);
    scripted_free(&worker);
}

#define STICKING 16u

/* Both sources have credit for all of it. */
static void a_sticky_message_keeps_to_its_source(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap swap = {
        "{ name = \"main\"; pool = \"main\"; fallback",
        "{ name = \"main\"; pool = \"main\"; sticky = \"message\"; fallback",
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, a_and_b);
    fixture_reload(fixture, &swap, 1);
    (void)scripted_await(worker, WIRE_WELCOME);
    scripted_forget(worker, WIRE_OFFER);
    uint64_t ids[STICKING];
    bool by_a[STICKING];
    for (size_t i = 0; i < STICKING; i++)
        ids[i] = fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 99);
    scripted_pull(worker, lane, "b", 99);
    for (size_t i = 0; i < 2 * STICKING; i++) {
        const struct wire_job *job = scripted_await_job(worker);
        size_t at = 0;
        while (ids[at] != job->message)
            at++;
        if (job->attempt == 1)
            by_a[at] = left_by(job, "a");
        else
            assert_int_equal(by_a[at], left_by(job, "a"));
        scripted_result(worker, job, job->attempt == 1 ? 452 : 250, "full");
    }
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(a_wait_that_the_reply_names_is_obeyed),
        SCENARIO(who_does_not_want_it_keeps_to_the_schedule),
        SCENARIO(one_that_asks_for_ever_is_asked_less_often),
        SCENARIO(each_recipient_waits_as_its_own_reply_says),
        SCENARIO(a_local_finding_names_no_wait),
        SCENARIO(what_would_come_too_late_ends_at_the_expiry),
        SCENARIO(what_expired_in_its_lane_is_not_tried),
        SCENARIO(a_sticky_message_keeps_to_its_source),
        SCENARIO(greylisted_mail_keeps_to_its_source_and_holds_nobody_up),
        SCENARIO(a_full_mailbox_is_no_reason_to_keep_to_a_source),
        SCENARIO(the_operator_says_whose_retries_keep_to_a_source),
        SCENARIO(a_source_that_nobody_holds_any_more_is_not_waited_for),
        SCENARIO(what_is_set_aside_expires_and_survives_a_reload),
        SCENARIO(what_is_set_aside_survives_a_restart),
        SCENARIO(attempts_times_and_source_survive_a_restart_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
