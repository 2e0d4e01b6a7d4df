/* test_dispatch_reports.c - who is told of a failure, when, and in which words. */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/time.h"
#include "common/proto/command.h"

/* A sender whose mail our own workers can have. */
#define SENDER "s@[127.0.0.1]"

static const char *const only_a[] = { "a", NULL };

static bool says(struct slice report, const char *text)
{
    return slice_find_slice(report, slice_text(text)) < report.len;
}

static void mail_expires_while_no_worker_exists(void **state)
{
    struct fixture *fixture = *state;
    const struct mail mail = { .stream = "main",
                               .sender = SENDER,
                               .recipients = { { .address = "u@[127.0.0.1]" } },
                               .expires_ms = 200 };
    (void)fixture_submit_mail(fixture, &mail);
    fixture_await_logged(fixture, "\"event\":\"expired\"");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = NULL;
    const struct slice report = scripted_await_report(worker, SENDER, &job);
    assert_true(says(report, "Status: 5.4.7"));
    assert_true(says(report, "Action: failed"));
    assert_true(says(report, "Final-Recipient: rfc822; u@[127.0.0.1]"));
    scripted_finish(fixture, worker, job);
}

static void mail_expires_while_it_waits_with_its_last_reply(void **state)
{
    struct fixture *fixture = *state;
    const struct mail mail = { .stream = "main",
                               .sender = SENDER,
                               .recipients = { { .address = "u@[127.0.0.1]" } },
                               .expires_ms = 600 };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t id = fixture_submit_mail(fixture, &mail);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, id);
    scripted_result(worker, job, 451, "greylisted, come back");

    /* The next attempt, in a second, would come after the expiry. */
    const struct slice report = scripted_await_report(worker, SENDER, &job);
    assert_true(says(report, "Status: 5.4.7"));
    assert_true(says(report, "greylisted, come back"));
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"deferred\""),
                     1);
    scripted_finish(fixture, worker, job);
}

static void expiry_holds_over_a_restart(void **state)
{
    struct fixture *fixture = *state;
    const struct mail mail = { .stream = "main",
                               .sender = SENDER,
                               .recipients = { { .address = "u@[127.0.0.1]" } },
                               .expires_ms = 200 };
    (void)fixture_submit_mail(fixture, &mail);
    fixture_stop_router(fixture);
    fixture_pass(fixture, 250);
    fixture_start_router(fixture);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = NULL;
    assert_true(
        says(scripted_await_report(worker, SENDER, &job), "Status: 5.4.7"));
    scripted_finish(fixture, worker, job);
}

static void who_asked_for_no_report_gets_none(void **state)
{
    struct fixture *fixture = *state;
    const struct mail mails[] = {
        { .stream = "main",
          .sender = "",
          .recipients = { { .address = "u@[127.0.0.1]" } } },
        { .stream = "main",
          .sender = SENDER,
          .recipients = { { .address = "u@[127.0.0.1]",
                            .notify = NOTIFY_NEVER } } },
        { .stream = "main",
          .sender = SENDER,
          .recipients = { { .address = "u@[127.0.0.1]",
                            .notify = NOTIFY_SUCCESS | NOTIFY_DELAY } } },
        { .stream = "quiet",
          .sender = SENDER,
          .recipients = { { .address = "u@[127.0.0.1]", .route = "main" } } },
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    for (size_t i = 0; i < ARRAY_LEN(mails); i++)
        (void)fixture_submit_mail(fixture, &mails[i]);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    for (size_t i = 0; i < ARRAY_LEN(mails); i++)
        scripted_result(worker, scripted_await_job(worker), 550, "no");
    fixture_await_empty(fixture);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"bounced\""),
                     ARRAY_LEN(mails));
    assert_false(fixture_logged(fixture, "delivery-report"));
    scripted_free(&worker);
}

static void a_report_tells_only_of_those_who_asked(void **state)
{
    struct fixture *fixture = *state;
    const struct mail mail = {
        .stream = "main",
        .sender = SENDER,
        .recipients = { { .address = "u@[127.0.0.1]", .notify = NOTIFY_NEVER },
                        { .address = "v@[127.0.0.1]",
                          .notify = NOTIFY_FAILURE },
                        { .address = "w@[127.0.0.1]" } },
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit_mail(fixture, &mail);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    static const struct scripted_outcome all[] = { { 0, 550, "no u" },
                                                   { 1, 551, "no v" },
                                                   { 2, 552, "no w" } };
    scripted_results(worker, job, all, ARRAY_LEN(all));

    /* One result, one report. */
    const struct slice report = scripted_await_report(worker, SENDER, &job);
    assert_false(says(report, "u@[127.0.0.1]"));
    assert_true(says(report, "Final-Recipient: rfc822; v@[127.0.0.1]"));
    assert_true(says(report, "Final-Recipient: rfc822; w@[127.0.0.1]"));
    assert_true(says(report, "551"));
    assert_true(says(report, "no w"));
    scripted_finish(fixture, worker, job);
}

static void domains_that_expire_share_a_report(void **state)
{
    struct fixture *fixture = *state;
    const struct mail mail = {
        .stream = "main",
        .sender = SENDER,
        .recipients = { { .address = "u@[127.0.0.1]" },
                        { .address = "v@[127.0.0.2]" } },
        .expires_ms = 200,
    };
    (void)fixture_submit_mail(fixture, &mail);
    fixture_await_logged(fixture, "delivery-report");
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"expired\""), 2);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = NULL;
    const struct slice report = scripted_await_report(worker, SENDER, &job);
    assert_true(says(report, "Final-Recipient: rfc822; u@[127.0.0.1]"));
    assert_true(says(report, "Final-Recipient: rfc822; v@[127.0.0.2]"));
    scripted_finish(fixture, worker, job);
}

static void the_report_returns_what_was_asked_for(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        uint8_t ret;
        const char *type;
        bool has_text;
    } cases[] = {
        { 0, "Content-Type: text/rfc822-headers", false },
        { RET_HDRS, "Content-Type: text/rfc822-headers", false },
        { RET_FULL, "Content-Type: message/rfc822", true },
    };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    uint32_t lane = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct mail mail = { .stream = "main",
                                   .sender = SENDER,
                                   .recipients = { { .address =
                                                         "u@[127.0.0.1]" } },
                                   .ret = cases[i].ret };
        (void)fixture_submit_mail(fixture, &mail);
        if (i == 0)
            lane = scripted_await_lane(worker, "main");
        scripted_pull(worker, lane, "a", 9);
        const struct wire_job *job = scripted_await_job(worker);
        scripted_result(worker, job, 550, "no");
        const struct slice report = scripted_await_report(worker, SENDER, &job);
        assert_true(says(report, cases[i].type));
        assert_true(says(report, "Subject: hello\r\n"));
        assert_int_equal(says(report, "\r\n\r\nhello\r\n"), cases[i].has_text);
        scripted_result(worker, job, 250, "ok");
        fixture_await_empty(fixture);
    }
    scripted_free(&worker);
}

static void a_report_that_fails_is_the_end(void **state)
{
    struct fixture *fixture = *state;
    const struct mail mail = { .stream = "main",
                               .sender = SENDER,
                               .recipients = {
                                   { .address = "u@[127.0.0.1]" } } };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit_mail(fixture, &mail);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    scripted_result(worker, job, 550, "no");
    (void)scripted_await_report(worker, SENDER, &job);
    scripted_result(worker, job, 550, "no reports here");
    fixture_await_empty(fixture);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"bounced\""), 2);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"accepted\""),
                     2);
    scripted_free(&worker);
}

static void a_report_survives_a_restart(void **state)
{
    struct fixture *fixture = *state;
    const struct mail mail = { .stream = "main",
                               .sender = SENDER,
                               .recipients = {
                                   { .address = "u@[127.0.0.1]" } } };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit_mail(fixture, &mail);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    scripted_result(worker, scripted_await_job(worker), 550, "no");
    (void)scripted_await(worker, WIRE_ACK);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    scripted_hello(worker);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = NULL;
    assert_true(says(scripted_await_report(worker, SENDER, &job), "550"));
    scripted_finish(fixture, worker, job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(mail_expires_while_no_worker_exists),
        SCENARIO(mail_expires_while_it_waits_with_its_last_reply),
        SCENARIO(expiry_holds_over_a_restart),
        SCENARIO(who_asked_for_no_report_gets_none),
        SCENARIO(a_report_tells_only_of_those_who_asked),
        SCENARIO(domains_that_expire_share_a_report),
        SCENARIO(the_report_returns_what_was_asked_for),
        SCENARIO(a_report_that_fails_is_the_end),
        SCENARIO(a_report_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
