/* test_dispatch_dsn.c - who hears of a delay, of relaying, and of a report that
 * failed; and how. */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/time.h"
#include "common/proto/command.h"

/* A sender whose mail our own workers can have. */
#define SENDER "s@[127.0.0.1]"

/* Where settings of the stream "main" are put. */
#define STREAM_AT "retry = \"1s\""

static const char *const only_a[] = { "a", NULL };

static bool says(struct slice report, const char *text)
{
    return slice_find_slice(report, slice_text(text)) < report.len;
}

static void use(struct fixture *fixture, const char *stream, const char *root)
{
    const struct swap swaps[] = {
        { STREAM_AT, stream },
        { "host_name", root },
    };
    fixture_reload(fixture, swaps, ARRAY_LEN(swaps));
}

static uint64_t submit_notify(struct fixture *fixture, uint8_t notify)
{
    const struct mail mail = { .stream = "main",
                               .sender = SENDER,
                               .recipients = { { .address = "u@[127.0.0.1]",
                                                 .notify = notify } } };
    return fixture_submit_mail(fixture, &mail);
}

static void relaying_is_told_where_the_receiver_tells_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    worker->ends_dsn = true;
    const struct mail mail = {
        .stream = "main",
        .sender = SENDER,
        .recipients = { { .address = "u@[127.0.0.1]",
                          .notify = NOTIFY_SUCCESS },
                        { .address = "v@[127.0.0.1]",
                          .notify = NOTIFY_FAILURE },
                        { .address = "w@[127.0.0.1]",
                          .notify = NOTIFY_SUCCESS | NOTIFY_FAILURE },
                        { .address = "x@[127.0.0.1]" } },
        .ret = RET_FULL,
    };
    (void)fixture_submit_mail(fixture, &mail);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    static const struct scripted_outcome all[] = {
        { 0, 250, "ok" }, { 1, 250, "ok" }, { 2, 550, "no w" }, { 3, 250, "ok" }
    };
    scripted_results(worker, scripted_await_job(worker), all, 4);

    /* One report of both. */
    const struct wire_job *job = NULL;
    const struct slice report = scripted_await_report(worker, SENDER, &job);
    assert_true(says(report, "Final-Recipient: rfc822; u@[127.0.0.1]\r\n"
                             "Action: relayed\r\nStatus: 2.0.0\r\n"));
    assert_true(says(report, "Final-Recipient: rfc822; w@[127.0.0.1]\r\n"
                             "Action: failed\r\nStatus: 5.0.0\r\n"));
    assert_false(says(report, "; v@["));
    assert_false(says(report, "; x@["));
    assert_true(says(report, "Content-Type: message/rfc822"));
    scripted_finish(fixture, worker, job);
    assert_int_equal(fixture_count_logged(fixture, "delivery-report"), 1);
    assert_false(fixture_logged(fixture, "dsn_"));
}

static void success_alone_returns_the_header(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    worker->ends_dsn = true;
    const struct mail mail = { .stream = "main",
                               .sender = SENDER,
                               .recipients = { { .address = "u@[127.0.0.1]",
                                                 .notify = NOTIFY_SUCCESS } },
                               .ret = RET_FULL };
    (void)fixture_submit_mail(fixture, &mail);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_result(worker, scripted_await_job(worker), 250, "ok");
    const struct wire_job *job = NULL;
    const struct slice report = scripted_await_report(worker, SENDER, &job);
    assert_true(says(report, "Content-Type: text/rfc822-headers"));
    assert_true(says(report, "Subject: Mail relay report"));
    scripted_finish(fixture, worker, job);
}

static void relaying_is_not_told_where_the_receiver_does(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)submit_notify(fixture, NOTIFY_SUCCESS);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_result(worker, scripted_await_job(worker), 250, "ok");
    fixture_await_empty(fixture);
    assert_false(fixture_logged(fixture, "delivery-report"));
    scripted_free(&worker);
}

/* The report is on disk before the recipient ends; the ACK comes after both. */
static void a_relay_report_survives_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    worker->ends_dsn = true;
    (void)submit_notify(fixture, NOTIFY_SUCCESS);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    scripted_result(worker, scripted_await_job(worker), 250, "ok");
    (void)scripted_await(worker, WIRE_ACK);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    scripted_hello(worker);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = NULL;
    (void)scripted_await_report(worker, SENDER, &job);
    scripted_finish(fixture, worker, job);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"delivered\""),
                     2);
}

/* No worker holds its source: it was never tried. */
static void a_delay_is_told_once_to_who_asked(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, "retry = \"1s\"; warn_after = \"1s\"", "host_name");
    const struct mail mail = {
        .stream = "main",
        .sender = SENDER,
        .recipients = { { .address = "u@[127.0.0.1]", .notify = NOTIFY_DELAY },
                        { .address = "v@[127.0.0.2]",
                          .notify = NOTIFY_DELAY | NOTIFY_FAILURE },
                        { .address = "w@[127.0.0.1]",
                          .notify = NOTIFY_FAILURE },
                        { .address = "x@[127.0.0.1]" } },
    };
    const uint64_t begin_ms = time_now_ms();
    const uint64_t id = fixture_submit_mail(fixture, &mail);
    fixture_await_logged(fixture, "delivery-report");
    assert_true(time_now_ms() - begin_ms >= 1000);

    /* A restart tells nobody again. */
    struct arena arena;
    struct state stored;
    arena_init(&arena, 1u << 20);
    fixture_pass(fixture, 300);
    fixture_stop_router(fixture);
    assert_true(fixture_read_state(fixture, id, &arena, &stored));
    assert_int_equal(stored.pending_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(stored.pending[i].told, i < 2);
        assert_int_equal(stored.pending[i].attempts, 0);
    }
    arena_release(&arena);
    fixture_start_router(fixture);
    fixture_pass(fixture, 4500);
    assert_int_equal(fixture_count_logged(fixture, "delivery-report"), 1);

    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    struct slice report = SLICE("");
    while (report.len == 0) {
        const struct wire_job *job = scripted_await_job(worker);
        if (job->mail_from.len == 0)
            report = scripted_body(worker, job);
    }
    assert_true(says(report, "Subject: Delayed mail, still being tried"));
    assert_true(says(report, "Final-Recipient: rfc822; u@[127.0.0.1]\r\n"
                             "Action: delayed\r\nStatus: 4.4.7\r\n"
                             "Will-Retry-Until: "));
    assert_true(says(report, "Final-Recipient: rfc822; v@[127.0.0.2]"));
    assert_false(says(report, "; w@["));
    assert_false(says(report, "; x@["));
    scripted_free(&worker);
}

static void a_delay_after_an_attempt_tells_its_reply(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, "retry = \"1h\"; warn_after = \"1s\"; warn_unasked = true",
        "host_name");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)submit_notify(fixture, 0);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_result(worker, scripted_await_job(worker), 452, "mailbox full");
    const struct wire_job *job = NULL;
    const struct slice report = scripted_await_report(worker, SENDER, &job);
    assert_true(says(report, "Status: 4.0.0\r\n"
                             "Diagnostic-Code: smtp; 452 4.0.0 mailbox full"));
    scripted_result(worker, job, 250, "ok");
    fixture_pass(fixture, 1500);
    assert_null(scripted_look(worker, WIRE_JOB));
    /* The next attempt is where it was. */
    fixture_await_answer(fixture, DISPATCH_QUEUE, "", "\"waiting\":1");
    scripted_free(&worker);
}

/* While a worker has it nobody is told; it is delivered, and never late. */
static void what_is_being_tried_is_not_late(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, "retry = \"1s\"; warn_after = \"1s\"", "host_name");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)submit_notify(fixture, NOTIFY_DELAY);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    fixture_pass(fixture, 1500);
    scripted_finish(fixture, worker, job);
    assert_false(fixture_logged(fixture, "delivery-report"));
}

static void who_did_not_ask_hears_of_no_delay(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, "retry = \"1s\"; warn_after = \"1s\"", "host_name");
    (void)submit_notify(fixture, 0);
    (void)submit_notify(fixture, NOTIFY_FAILURE);
    (void)submit_notify(fixture, NOTIFY_NEVER);
    const struct mail null = { .stream = "main",
                               .sender = "",
                               .recipients = { { .address = "u@[127.0.0.1]",
                                                 .notify = NOTIFY_DELAY } } };
    (void)fixture_submit_mail(fixture, &null);
    fixture_pass(fixture, 2000);
    assert_false(fixture_logged(fixture, "delivery-report"));

    /* A new config holds for what is queued, too. */
    use(fixture, "retry = \"1s\"; warn_after = \"1s\"; warn_unasked = true",
        "host_name");
    fixture_await_logged(fixture, "delivery-report");
    fixture_pass(fixture, 1000);
    assert_int_equal(fixture_count_logged(fixture, "delivery-report"), 1);
}

static void a_stream_may_have_its_reports_in_the_log(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, "retry = \"1h\"; dsn = \"event\"; warn_after = \"1s\"",
        "host_name");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    worker->ends_dsn = true;
    const uint8_t all = NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY;
    for (unsigned i = 0; i < 3; i++)
        (void)submit_notify(fixture, all);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_result(worker, scripted_await_job(worker), 250, "ok");
    scripted_result(worker, scripted_await_job(worker), 550, "no");
    scripted_result(worker, scripted_await_job(worker), 451, "later");
    fixture_await_logged(fixture, "\"event\":\"dsn_delayed\"");
    assert_true(fixture_logged(fixture, "\"event\":\"dsn_relayed\""));
    assert_true(fixture_logged(fixture, "\"event\":\"dsn_failed\""));
    assert_int_equal(
        fixture_count_logged(fixture, "\"recipients\":[\"u@[127.0.0.1]\"]"), 3);
    assert_false(fixture_logged(fixture, "\"report\":"));
    assert_false(fixture_logged(fixture, "delivery-report"));
    scripted_free(&worker);
}

static void or_by_mail_and_in_the_log(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, "retry = \"1h\"; dsn = \"both\"", "host_name");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)submit_notify(fixture, 0);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_result(worker, scripted_await_job(worker), 550, "no");
    const struct wire_job *job = NULL;
    (void)scripted_await_report(worker, SENDER, &job);
    char report[64];
    char id[ID_TEXT_SIZE];
    (void)snprintf(report, sizeof report, "\"report\":\"%s\"",
                   id_format(job->message, id));
    assert_int_equal(fixture_count_logged(fixture, report), 1);
    scripted_finish(fixture, worker, job);
}

/* A message fails, so does its report, so does what the postmaster gets. */
static void a_double_bounce_goes_to_the_postmaster_and_no_further(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, STREAM_AT,
        "double_bounce = \"postmaster\"; "
        "postmaster = \"pm@[127.0.0.1]\";\nhost_name");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)submit_notify(fixture, 0);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_result(worker, scripted_await_job(worker), 550, "no u");
    const struct wire_job *job = NULL;
    (void)scripted_await_report(worker, SENDER, &job);
    scripted_result(worker, job, 550, "no reports here");
    const struct slice report =
        scripted_await_report(worker, "pm@[127.0.0.1]", &job);
    assert_true(says(report, "Final-Recipient: rfc822; " SENDER));
    assert_true(says(report, "no reports here"));
    assert_true(fixture_logged(fixture, "\"then\":\"postmaster\""));
    scripted_result(worker, job, 550, "nor here");
    fixture_await_empty(fixture);
    fixture_pass(fixture, 300);
    assert_null(scripted_look(worker, WIRE_JOB));
    assert_int_equal(
        fixture_count_logged(fixture, "\"event\":\"double_bounce\""), 2);
    assert_int_equal(fixture_count_logged(fixture, "\"then\":\"dropped\""), 1);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"accepted\""),
                     3);
    scripted_free(&worker);
}

static void a_double_bounce_is_dropped_with_a_line(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)submit_notify(fixture, 0);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    scripted_result(worker, scripted_await_job(worker), 550, "no u");
    const struct wire_job *job = NULL;
    (void)scripted_await_report(worker, SENDER, &job);
    scripted_result(worker, job, 550, "no reports here");
    fixture_await_empty(fixture);
    assert_int_equal(
        fixture_count_logged(fixture, "\"event\":\"double_bounce\""), 1);
    assert_true(fixture_logged(fixture, "\"then\":\"dropped\""));
    scripted_free(&worker);
}

/* Its address is wrong, or it is the sender whom the report did not reach. */
static void a_postmaster_who_cannot_have_it_gets_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const char *const roots[] = {
        "double_bounce = \"postmaster\"; postmaster = \"nobody\";\nhost_name",
        "double_bounce = \"postmaster\"; postmaster = \"" SENDER
        "\";\nhost_name",
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        use(fixture, STREAM_AT, roots[i]);
        (void)scripted_await(worker, WIRE_WELCOME);
        scripted_forget(worker, WIRE_OFFER);
        (void)submit_notify(fixture, 0);
        scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
        scripted_result(worker, scripted_await_job(worker), 550, "no u");
        const struct wire_job *job = NULL;
        (void)scripted_await_report(worker, SENDER, &job);
        scripted_result(worker, job, 550, "no reports here");
        fixture_await_empty(fixture);
        assert_int_equal(fixture_count_logged(fixture, "\"then\":\"dropped\""),
                         i + 1);
    }
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(relaying_is_told_where_the_receiver_tells_nothing),
        SCENARIO(success_alone_returns_the_header),
        SCENARIO(relaying_is_not_told_where_the_receiver_does),
        SCENARIO(a_relay_report_survives_a_restart),
        SCENARIO(a_delay_is_told_once_to_who_asked),
        SCENARIO(a_delay_after_an_attempt_tells_its_reply),
        SCENARIO(what_is_being_tried_is_not_late),
        SCENARIO(who_did_not_ask_hears_of_no_delay),
        SCENARIO(a_stream_may_have_its_reports_in_the_log),
        SCENARIO(or_by_mail_and_in_the_log),
        SCENARIO(a_double_bounce_goes_to_the_postmaster_and_no_further),
        SCENARIO(a_double_bounce_is_dropped_with_a_line),
        SCENARIO(a_postmaster_who_cannot_have_it_gets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
