/* test_dispatch_reload.c - mail that waits follows the config. */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/time.h"

static const char *const only_a[] = { "a", NULL };
static const char *const only_r[] = { "r", NULL };

static const char main_route[] =
    "{ name = \"main\"; pool = \"main\"; fallback = \"reserve\"; }";
static const char held_route[] = "{ name = \"held\"; pool = \"main\"; }";
static const char main_pool[] =
    "{ name = \"main\"; sources = ( { source = \"a\"; weight = 3; },\n"
    "                              { source = \"b\"; weight = 1; } ); }";
static const char reserve_pool[] =
    "{ name = \"reserve\"; sources = ( \"r\" ); }";

/* The pool "main" is called "other" from now on, and has the sources of
 * "reserve"; no route takes "reserve". */
static const struct swap other_pool[] = {
    { main_route, "{ name = \"main\"; pool = \"other\"; }" },
    { held_route, "{ name = \"held\"; pool = \"other\"; }" },
    { main_pool, "{ name = \"other\"; sources = ( \"r\" ); }" },
};

static void deliver(struct fixture *fixture, struct scripted *worker,
                    const struct wire_job *job)
{
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
}

static void mail_leaves_a_pool_that_was_removed(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_r);
    const uint64_t id = fixture_submit(fixture, "held");
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main", "\"ready\":1");
    fixture_reload(fixture, other_pool, ARRAY_LEN(other_pool));
    const uint32_t lane = scripted_await_lane(worker, "other");
    scripted_pull(worker, lane, "r", 1);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, id);
    deliver(fixture, worker, job);
    scripted_free(&worker);
}

static void mail_of_names_that_are_gone_is_neutral(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap renamed[] = {
        { "{ name = \"held\"; class = \"bulk\"; route = \"held\";",
          "{ name = \"kept\"; class = \"bulk\"; route = \"others\";" },
        { "route = \"held\"; dsn", "route = \"others\"; dsn" },
        { held_route, "{ name = \"others\"; pool = \"main\"; }" },
    };
    const uint64_t id = fixture_submit(fixture, "held");
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main", "\"held\":1");
    fixture_reload(fixture, renamed, ARRAY_LEN(renamed));
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main",
                         "\"bands\":{\"main\":1}");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, id);
    assert_true(slice_equal(job->stream, SLICE("held")));

    /* The neutral stream tries again after a second, the platform later. */
    scripted_result(worker, job, 451, "later");
    job = scripted_await_job(worker);
    assert_int_equal(job->attempt, 2);
    deliver(fixture, worker, job);
    scripted_free(&worker);
}

static void a_job_that_is_out_comes_back_to_the_new_pool(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *old = scripted_new(fixture, "w1", 1, only_a);
    struct scripted *anew = scripted_new(fixture, "w2", 2, only_r);
    const uint64_t first = fixture_submit(fixture, "main");
    const uint64_t second = fixture_submit(fixture, "main");
    scripted_pull(old, scripted_await_lane(old, "main"), "a", 2);
    const struct wire_job *job = scripted_await_job(old);
    const struct wire_job *back = scripted_await_job(old);
    assert_int_equal(job->message, first);
    fixture_reload(fixture, other_pool, ARRAY_LEN(other_pool));
    scripted_result(old, job, 451, "later");
    scripted_handback(old, back->lease);

    scripted_pull(anew, scripted_await_lane(anew, "other"), "r", 9);
    job = scripted_await_job(anew);
    assert_int_equal(job->message, second);
    assert_int_equal(job->attempt, 1);
    scripted_result(anew, job, 250, "ok");
    job = scripted_await_job(anew);
    assert_int_equal(job->message, first);
    assert_int_equal(job->attempt, 2);
    deliver(fixture, anew, job);
    scripted_free(&old);
    scripted_free(&anew);
}

static void a_source_that_moved_serves_its_new_pool(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap moved[] = {
        { main_pool, "{ name = \"main\"; sources = ( \"b\" ); }" },
        { reserve_pool, "{ name = \"reserve\"; sources = ( \"r\", \"a\" ); }" },
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t before = scripted_await_lane(worker, "main");
    fixture_reload(fixture, moved, ARRAY_LEN(moved));
    scripted_pull(worker, before, "a", 9); /* not in that pool any more */

    /* Nobody has a source of "main": its mail takes the fallback. */
    const uint32_t lane = scripted_await_lane(worker, "reserve");
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_pull(worker, lane, "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->lane, lane);
    deliver(fixture, worker, job);
    scripted_free(&worker);
}

static void a_smaller_limit_splits_what_waits(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap small[] = {
        { "streams = (",
          "limits = ( { max_rcpt_per_transaction = 2; } );\nstreams = (" },
    };
    static const char *const five[] = { "u@[127.0.0.1]", "v@[127.0.0.1]",
                                        "w@[127.0.0.1]", "x@[127.0.0.1]",
                                        "y@[127.0.0.1]" };
    (void)fixture_submit_to(fixture, "main", five, ARRAY_LEN(five));
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main", "\"ready\":1");
    fixture_reload(fixture, small, ARRAY_LEN(small));
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    bool seen[5] = { false };
    for (size_t left = ARRAY_LEN(five); left > 0;) {
        const struct wire_job *job = scripted_await_job(worker);
        struct scripted_outcome done[2];
        assert_in_range(job->recipient_count, 1, 2);
        for (size_t i = 0; i < job->recipient_count; i++) {
            const uint32_t index = job->recipients[i].index;
            assert_in_range(index, 0, 4);
            assert_false(seen[index]);
            seen[index] = true;
            done[i] = (struct scripted_outcome){ index, 250, "ok" };
        }
        scripted_results(worker, job, done, job->recipient_count);
        left -= job->recipient_count;
    }
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void credit_counts_anew_after_a_reload(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 5);
    scripted_result(worker, scripted_await_job(worker), 250, "ok");
    fixture_await_empty(fixture);
    fixture_reload(fixture, NULL, 0);
    (void)scripted_await(worker, WIRE_WELCOME);
    const uint64_t next = fixture_submit(fixture, "main");
    (void)fixture_submit(fixture, "main");
    (void)scripted_await_lane(worker, "main");
    fixture_pass(fixture, 200);
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_pull(worker, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, next);
    fixture_pass(fixture, 200);
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_result(worker, job, 250, "ok");
    scripted_pull(worker, lane, "a", 2);
    deliver(fixture, worker, scripted_await_job(worker));
    scripted_free(&worker);
}

static void mail_joins_the_site_of_a_new_provider(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap grouped[] = {
        { "streams = (",
          "providers = ( { name = \"big\"; mx = ( \"[127.0.0.1]\" ); } );"
          "\nstreams = (" },
    };
    (void)fixture_submit(fixture, "main");
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main", "\"ready\":1");
    fixture_reload(fixture, grouped, ARRAY_LEN(grouped));
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main",
                         "\"site\":\"big\",\"ready\":1");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    deliver(fixture, worker, scripted_await_job(worker));
    scripted_free(&worker);
}

static void a_config_without_us_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap others[] = {
        { "streams = (",
          "routers = ( { name = \"other\"; number = 2;\n"
          "  bus = \"tcp://127.0.0.1:7400\"; } );\nstreams = (" },
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    fixture_reload(fixture, others, ARRAY_LEN(others));
    scripted_pull(worker, lane, "a", 1);
    deliver(fixture, worker, scripted_await_job(worker));
    assert_null(scripted_look(worker, WIRE_WELCOME));
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(mail_leaves_a_pool_that_was_removed),
        SCENARIO(mail_of_names_that_are_gone_is_neutral),
        SCENARIO(a_job_that_is_out_comes_back_to_the_new_pool),
        SCENARIO(a_source_that_moved_serves_its_new_pool),
        SCENARIO(a_smaller_limit_splits_what_waits),
        SCENARIO(credit_counts_anew_after_a_reload),
        SCENARIO(mail_joins_the_site_of_a_new_provider),
        SCENARIO(a_config_without_us_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
