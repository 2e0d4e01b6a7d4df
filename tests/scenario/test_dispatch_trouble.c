/* test_dispatch_trouble.c - a disk that refuses and a link that is full: no
 * result is acknowledged that is not kept, and mail goes on by itself. */
#include "tests/scenario/dispatch_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/time.h"
#include "router/spool/segment.h"

#define FLOOD 4000u /* more than all queues between router and worker hold */

static const char *const only_a[] = { "a", NULL };

/* The linker puts these in front of the system's: see CMakeLists.txt. */
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

static atomic_bool disk_refuses;

int __wrap_fdatasync(int fd)
{
    if (!atomic_load(&disk_refuses))
        return __real_fdatasync(fd);
    errno = EIO;
    return -1;
}

ssize_t __real_pread64(int fd, void *bytes, size_t len, off_t offset);
ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset);

/* The reader finds a spool's first record, a PUT, and none behind it. */
static atomic_bool states_unreadable;
static atomic_uint reads_failed;

static bool is_reader(void)
{
    char name[16] = "";
    return pthread_getname_np(pthread_self(), name, sizeof name) == 0
           && strcmp(name, "reader") == 0;
}

ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset)
{
    if (!atomic_load(&states_unreadable) || offset <= (off_t)SEGMENT_START
        || !is_reader())
        return __real_pread64(fd, bytes, len, offset);
    atomic_fetch_add(&reads_failed, 1);
    errno = EIO;
    return -1;
}

static const struct wire_job *await_first(struct fixture *fixture,
                                          struct scripted *worker,
                                          const struct mail *mail)
{
    (void)fixture_submit_mail(fixture, mail);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    return scripted_await_job(worker);
}

static const struct mail simple = { .stream = "main",
                                    .sender = "s@[127.0.0.1]",
                                    .recipients = {
                                        { .address = "u@[127.0.0.1]" } } };

/* Nothing is written for so long that it was tried again at least once. */
static void refuse_for_a_while(struct fixture *fixture)
{
    fixture_pass(fixture, 1300);
}

static void a_result_is_acknowledged_when_the_disk_has_it(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    static const struct mail mail = { .stream = "main",
                                      .sender = "s@[127.0.0.1]",
                                      .recipients = {
                                          { .address = "u@[127.0.0.1]" },
                                          { .address = "v@[127.0.0.2]" } } };
    const struct wire_job *job = await_first(fixture, worker, &mail);
    atomic_store(&disk_refuses, true);
    scripted_result(worker, job, 250, "ok");
    refuse_for_a_while(fixture);

    /* It says so again, and greets anew, as workers do that hear nothing. */
    scripted_result(worker, job, 250, "ok");
    worker->held_leases = (struct wire_ids){ &job->lease, 1 };
    worker->held_messages = (struct wire_ids){ &job->message, 1 };
    scripted_hello(worker);
    fixture_pass(fixture, 100);
    assert_null(scripted_look(worker, WIRE_ACK));
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"claimed\":0");
    atomic_store(&disk_refuses, false);
    const struct wire_ack *ack = &scripted_await(worker, WIRE_ACK)->as.ack;
    assert_int_equal(ack->leases.count, 1);
    assert_int_equal(ack->leases.items[0], job->lease);

    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    worker->held_leases = (struct wire_ids){ NULL, 0 };
    worker->held_messages = (struct wire_ids){ NULL, 0 };
    scripted_hello(worker);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *rest = scripted_await_job(worker);
    assert_true(rest->recipients[0].index != job->recipients[0].index);
    scripted_result(worker, rest, 250, "ok");
    fixture_await_empty(fixture);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"delivered\""),
                     2);
    scripted_free(&worker);
}

/* Who has the message does not get it again because the disk could not say so
 * for a while. */
static void a_state_that_cannot_be_read_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    static const struct mail mail = { .stream = "main",
                                      .sender = "s@[127.0.0.1]",
                                      .recipients = {
                                          { .address = "u@[127.0.0.1]" },
                                          { .address = "v@[127.0.0.2]" } } };
    const struct wire_job *job = await_first(fixture, worker, &mail);
    const uint32_t served = job->recipients[0].index;
    scripted_result(worker, job, 250, "ok");
    (void)scripted_await(worker, WIRE_ACK);

    fixture_stop_router(fixture);
    atomic_store(&states_unreadable, true);
    fixture_start_router(fixture);
    scripted_hello(worker);
    for (const uint64_t end = time_now_ms() + WAIT_MAX_MS;
         atomic_load(&reads_failed) == 0 && time_now_ms() < end;)
        fixture_pass(fixture, 20);
    fixture_pass(fixture, 100);
    assert_true(atomic_load(&reads_failed) > 0);
    assert_int_equal(fixture_number(fixture, "\"messages\":"), 1);
    atomic_store(&states_unreadable, false);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *rest = scripted_await_job(worker);
    assert_int_equal(rest->recipient_count, 1);
    assert_true(rest->recipients[0].index != served);
    scripted_result(worker, rest, 250, "ok");
    fixture_await_empty(fixture);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"delivered\""),
                     2);
    scripted_free(&worker);
}

static void an_end_that_was_refused_is_written_later(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct wire_job *job = await_first(fixture, worker, &simple);
    atomic_store(&disk_refuses, true);
    scripted_result(worker, job, 250, "ok");
    refuse_for_a_while(fixture);
    assert_null(scripted_look(worker, WIRE_ACK));
    scripted_result(worker, job, 250, "ok");
    fixture_pass(fixture, 50);
    assert_null(scripted_look(worker, WIRE_ACK));
    atomic_store(&disk_refuses, false);
    (void)scripted_await(worker, WIRE_ACK);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_report_that_was_refused_is_written_once(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct wire_job *job = await_first(fixture, worker, &simple);
    atomic_store(&disk_refuses, true);
    scripted_result(worker, job, 550, "no");
    refuse_for_a_while(fixture);
    assert_null(scripted_look(worker, WIRE_ACK));
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"bouncing\":1");
    assert_false(fixture_logged(fixture, "delivery-report"));
    atomic_store(&disk_refuses, false);
    (void)scripted_await(worker, WIRE_ACK);
    scripted_pull(worker, job->lane, "a", 9);
    const struct wire_job *report = scripted_await_job(worker);
    assert_int_equal(report->mail_from.len, 0);
    scripted_result(worker, report, 250, "ok");
    fixture_await_empty(fixture);
    assert_int_equal(fixture_count_logged(fixture, "delivery-report"), 1);
    scripted_free(&worker);
}

static void a_router_that_stops_before_it_is_written_does_it_over(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct wire_job *job = await_first(fixture, worker, &simple);
    atomic_store(&disk_refuses, true);
    scripted_result(worker, job, 250, "ok");
    fixture_pass(fixture, 300);
    fixture_stop_router(fixture);
    atomic_store(&disk_refuses, false);
    fixture_start_router(fixture);
    worker->held_leases = (struct wire_ids){ &job->lease, 1 };
    worker->held_messages = (struct wire_ids){ &job->message, 1 };
    scripted_hello(worker);
    scripted_result(worker, job, 250, "ok");
    (void)scripted_await(worker, WIRE_ACK);
    fixture_await_empty(fixture);
    assert_null(scripted_look(worker, WIRE_JOB));
    scripted_free(&worker);
}

/* Nothing is lost and nothing leaves twice where a worker reads too slowly. */
static void a_full_link_holds_mail_back(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    worker->deaf = true; /* beats, but reads nothing */
    scripted_pull(worker, lane, "a", 2 * FLOOD);
    fixture_submit_many(fixture, "main", FLOOD - 1);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"accepted\":4000,");
    fixture_pass(fixture, 300);
    assert_true(fixture_number(fixture, "\"jobs_sent\":") < FLOOD);
    worker->prompt = true;
    worker->deaf = false;
    fixture_await_empty(fixture);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"delivered\""),
                     FLOOD);
    assert_false(fixture_logged(fixture, "possible_duplicate"));
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(a_result_is_acknowledged_when_the_disk_has_it),
        SCENARIO(a_state_that_cannot_be_read_is_waited_for),
        SCENARIO(an_end_that_was_refused_is_written_later),
        SCENARIO(a_report_that_was_refused_is_written_once),
        SCENARIO(a_router_that_stops_before_it_is_written_does_it_over),
        SCENARIO(a_full_link_holds_mail_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
