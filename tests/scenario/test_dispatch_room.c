/* test_dispatch_room.c - how many recipients may be queued. */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/time.h"
#include "router/lanes/lanes.h"

static const char *const only_a[] = { "a", NULL };

static const struct swap max_is_4 = { "min_free = \"1MB\";",
                                      "min_free = \"1MB\"; "
                                      "max_recipients = 4;" };

static const struct mail to_three = {
    .stream = "main",
    .recipients = { { .address = "u@[127.0.0.1]" },
                    { .address = "v@[127.0.0.1]" },
                    { .address = "w@[127.0.0.1]" } },
};

static void await_number(struct fixture *fixture, const char *key,
                         uint64_t number)
{
    for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
         fixture_number(fixture, key) != number && time_now_ms() < end;)
        fixture_pass(fixture, 10);
    assert_int_equal(fixture_number(fixture, key), number);
}

static void await_recipients(struct fixture *fixture, uint64_t number)
{
    await_number(fixture, "\"recipients\":", number);
}

/* Both what people see and what MAIL asks. */
static void await_full(struct fixture *fixture, bool full)
{
    fixture_await_answer(fixture, DISPATCH_STATUS, "",
                         full ? "\"full\":true" : "\"full\":false");
    assert_int_equal(intake_accepts(fixture->intake, 1000), !full);
}

static void a_full_queue_takes_no_more_until_some_has_left(void **state)
{
    struct fixture *fixture = *state;
    fixture_reload(fixture, &max_is_4, 1);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit_mail(fixture, &to_three);
    await_recipients(fixture, 3);
    await_full(fixture, false);
    (void)fixture_submit(fixture, "held");
    await_recipients(fixture, 4);
    await_full(fixture, true);

    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    static const struct scripted_outcome outcomes[] = { { 0, 250, "ok" },
                                                        { 1, 450, "later" },
                                                        { 2, 450, "later" } };
    scripted_results(worker, job, outcomes, 3);
    await_recipients(fixture, 3);
    await_full(fixture, false);
    scripted_free(&worker);
}

/* What a start found counts 1 a message, and is counted when it was read. */
static void a_restart_counts_anew(void **state)
{
    struct fixture *fixture = *state;
    fixture_reload(fixture, &max_is_4, 1);
    (void)fixture_submit_mail(fixture, &to_three);
    (void)fixture_submit(fixture, "held");
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    assert_int_equal(fixture_number(fixture, "\"recipients\":"), 2);
    await_full(fixture, false);
    await_recipients(fixture, 4);
    await_full(fixture, true);
}

static void cold_mail_counts_as_before(void **state)
{
    struct fixture *fixture = *state;
    static const struct mail to_two = {
        .stream = "main",
        .recipients = { { .address = "u@[127.0.0.1]" },
                        { .address = "v@[127.0.0.1]" } },
    };
    fixture_submit_many(fixture, "main", LANES_HOT_SHARE);
    (void)fixture_submit_mail(fixture, &to_two);
    await_recipients(fixture, LANES_HOT_SHARE + 2);
    assert_int_equal(fixture_number(fixture, "\"cold\":"), 1);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint32_t lane = scripted_await_lane(worker, "main");
    worker->prompt = true;
    scripted_pull(worker, lane, "a", LANES_HOT_SHARE);
    await_recipients(fixture, 2);
    await_number(fixture, "\"cold\":", 0);
    worker->prompt = false;
    scripted_pull(worker, lane, "a", LANES_HOT_SHARE + 1);
    static const struct scripted_outcome taken[] = { { 0, 250, "ok" },
                                                     { 1, 250, "ok" } };
    scripted_results(worker, scripted_await_job(worker), taken, 2);
    await_recipients(fixture, 0);
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(a_full_queue_takes_no_more_until_some_has_left),
        SCENARIO(a_restart_counts_anew),
        SCENARIO(cold_mail_counts_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
