/* test_dispatch_cold.c - long queues: what is on disk alone comes back in order,
 * once, and with all that was known of it. */
#include "tests/scenario/dispatch_fixture.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/time.h"
#include "router/dispatch/mx.h"
#include "router/lanes/lanes.h"

#define DEEP (3 * LANES_HOT_SHARE)

static const char *const only_a[] = { "a", NULL };

static void await_number(struct fixture *fixture, const char *key,
                         uint64_t number)
{
    for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
         fixture_number(fixture, key) != number && time_now_ms() < end;)
        fixture_pass(fixture, 10);
    assert_int_equal(fixture_number(fixture, key), number);
}

static void await_delivered(struct fixture *fixture, size_t count)
{
    const char *const event = "\"event\":\"delivered\"";
    for (uint64_t end = time_now_ms() + 2 * WAIT_MAX_MS;
         fixture_count_logged(fixture, event) < count && time_now_ms() < end;)
        fixture_pass(fixture, 50);
    fixture_await_empty(fixture);
    assert_int_equal(fixture_count_logged(fixture, event), count);
}

/* Ids in the order of delivery: each one once, and none before an older one. */
static void assert_in_order(struct fixture *fixture)
{
    char line[4096];
    char last[ID_TEXT_SIZE] = "";
    FILE *file = fixture_open_log(fixture);
    while (fgets(line, sizeof line, file)) {
        const char *id = strstr(line, "\"id\":\"");
        if (!strstr(line, "\"event\":\"delivered\"") || !id)
            continue;
        char now[ID_TEXT_SIZE] = "";
        memcpy(now, id + 6, ID_TEXT_LEN);
        assert_true(strcmp(last, now) < 0);
        memcpy(last, now, sizeof last);
    }
    (void)fclose(file);
}

/* The turns that were given, by lease: each JOB as it came. */
struct turns {
    struct turn {
        uint64_t lease;
        uint64_t message;
    } items[DEEP];
    size_t count;
};

static bool note_turn(struct scripted *worker, const struct wire_frame *frame)
{
    struct turns *turns = worker->context;
    if (frame->kind != WIRE_JOB)
        return false;
    assert_true(turns->count < DEEP);
    turns->items[turns->count++] =
        (struct turn){ frame->as.job.lease, frame->as.job.message };
    return false;
}

static int by_lease(const void *a, const void *b)
{
    const uint64_t left = ((const struct turn *)a)->lease;
    const uint64_t right = ((const struct turn *)b)->lease;
    return (left > right) - (left < right);
}

/* The older message had its turn first. */
static void assert_turns_in_order(struct turns *turns, size_t count)
{
    assert_int_equal(turns->count, count);
    qsort(turns->items, count, sizeof turns->items[0], by_lease);
    for (size_t i = 1; i < count; i++)
        assert_true(turns->items[i - 1].message < turns->items[i].message);
}

/* Asks for a part at a time: a link that is full is another story, and one in
 * which turns may be lost. */
static void pull_in_parts(struct fixture *fixture, struct scripted *worker,
                          uint32_t lane, size_t count)
{
    for (size_t total = 256; total <= count; total += 256) {
        scripted_pull(worker, lane, "a", total);
        for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
             fixture_count_logged(fixture, "\"event\":\"delivered\"") < total
             && time_now_ms() < end;)
            fixture_pass(fixture, 20);
    }
}

static void deep_mail_goes_cold_and_leaves_in_its_order(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    fixture_submit_many(fixture, "main", DEEP);
    await_number(fixture, "\"cold\":", DEEP - LANES_HOT_SHARE);
    assert_int_equal(fixture_number(fixture, "\"messages\":"), DEEP);
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main", "\"ready\":1536");

    const uint32_t lane = scripted_await_lane(worker, "main");
    worker->prompt = true;
    pull_in_parts(fixture, worker, lane, DEEP);
    await_delivered(fixture, DEEP);
    assert_in_order(fixture);
    assert_int_equal(fixture_number(fixture, "\"cold\":"), 0);
    scripted_free(&worker);
}

static void new_mail_does_not_overtake_cold_mail(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    fixture_submit_many(fixture, "main", 2 * LANES_HOT_SHARE);
    const uint32_t lane = scripted_await_lane(worker, "main");
    worker->prompt = true;
    scripted_pull(worker, lane, "a", LANES_HOT_SHARE + 1);
    await_number(fixture, "\"messages\":", LANES_HOT_SHARE - 1);
    fixture_submit_many(fixture, "main", LANES_HOT_SHARE);
    pull_in_parts(fixture, worker, lane, 3 * LANES_HOT_SHARE);
    await_delivered(fixture, 3 * LANES_HOT_SHARE);
    assert_in_order(fixture);
    scripted_free(&worker);
}

/* What a start found leaves in turn; on the wire one whose body is in memory may
 * pass those whose bodies are being read. */
static void a_restart_finds_deep_mail_and_sends_it_once(void **state)
{
    struct fixture *fixture = *state;
    static struct turns turns;
    fixture_submit_many(fixture, "main", DEEP);
    await_number(fixture, "\"cold\":", DEEP - LANES_HOT_SHARE);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    assert_int_equal(fixture_number(fixture, "\"cold\":"), DEEP);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint32_t lane = scripted_await_lane(worker, "main");
    worker->prompt = true;
    worker->context = &turns;
    worker->hears = note_turn;
    pull_in_parts(fixture, worker, lane, DEEP);
    await_delivered(fixture, DEEP);
    assert_turns_in_order(&turns, DEEP);
    scripted_free(&worker);
}

/* Knows that mx.DOMAIN is the MX of every domain, for a second. */
static void *resolve(void *context)
{
    const int fd = *(const int *)context;
    static const char mx[] = "\xc0\x0c\0\x0f\0\x01\0\0\0\x01\0\x07"
                             "\0\x0a\x02mx\xc0\x0c";
    for (;;) {
        char packet[600];
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        const ssize_t got =
            recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &len);
        if (got < 17)
            return NULL; /* the end */
        size_t at = 12;  /* behind the header: the name */
        while (at < 512 && packet[at] != 0)
            at += 1 + (size_t)(unsigned char)packet[at];
        at += 5;
        memcpy(packet + 2, "\x81\x80\0\x01\0\x01\0\0\0\0", 10);
        memcpy(packet + at, mx, sizeof mx - 1);
        (void)sendto(fd, packet, at + sizeof mx - 1, 0,
                     (const struct sockaddr *)&from, len);
    }
}

static void stop_resolver(int fd, pthread_t thread)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(sendto(fd, "end", 3, 0, (const struct sockaddr *)&at, len),
                     3);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(fd);
}

/* Its turn has come, and the cache knows its hosts no more: it keeps its turn
 * while the DNS is asked. */
static void cold_mail_keeps_its_turn_while_the_dns_is_asked(void **state)
{
    enum { COUNT = 24 };
    struct fixture *fixture = *state;
    static struct turns turns;
    static const char *const one[] = { "u@c.example" };
    pthread_t thread;
    fixture->hot_share = 4;
    int fd = fixture_bind_resolver(fixture);
    assert_int_equal(pthread_create(&thread, NULL, resolve, &fd), 0);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    worker->context = &turns;
    worker->hears = note_turn;
    for (size_t i = 0; i < COUNT; i++)
        (void)fixture_submit_to(fixture, "main", one, 1);
    await_number(fixture, "\"cold\":", COUNT - 4);
    const uint32_t lane = scripted_await_lane(worker, "main");
    fixture_pass(fixture, MX_TTL_MIN_MS + 500);
    worker->prompt = true;
    scripted_pull(worker, lane, "a", COUNT);
    await_delivered(fixture, COUNT);
    assert_turns_in_order(&turns, COUNT);
    scripted_free(&worker);
    stop_resolver(fd, thread);
}

/* What waits long goes cold; attempts and last reply come back with it. */
static void a_long_wait_is_cold_and_ends_in_time(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap slow = { "retry = \"1s\"", "retry = \"11s\"" };
    fixture_reload(fixture, &slow, 1);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 2);
    const struct wire_job *job = scripted_await_job(worker);
    const uint64_t refused_ms = time_now_ms();
    scripted_result(worker, job, 451, "greylisted");
    await_number(fixture, "\"cold\":", 1);
    fixture_await_answer(fixture, DISPATCH_QUEUE, "main", "\"waiting\":1");
    const struct wire_job *again = scripted_await_job(worker);
    assert_in_range(time_now_ms() - refused_ms, 11000, 14000);
    assert_int_equal(again->attempt, 2);
    scripted_result(worker, again, 550, "gone");
    fixture_await_logged(fixture, "\"event\":\"bounced\"");
    scripted_free(&worker);
}

static void cold_mail_expires_although_its_turn_never_comes(void **state)
{
    struct fixture *fixture = *state;
    fixture_submit_many(fixture, "quiet", LANES_HOT_SHARE);
    const struct mail mail = {
        .stream = "quiet",
        .recipients = { { .address = "u@[127.0.0.1]", .route = "held" } },
        .expires_ms = 2500,
    };
    (void)fixture_submit_mail(fixture, &mail);
    await_number(fixture, "\"cold\":", 1);
    fixture_await_logged(fixture, "\"event\":\"expired\"");
    await_number(fixture, "\"messages\":", LANES_HOT_SHARE);
}

static void bodies_are_read_when_memory_may_keep_none(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap none = {
        "min_free = \"1MB\"", "min_free = \"1MB\"; body_cache = \"0\""
    };
    fixture_reload(fixture, &none, 1);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    assert_int_equal(fixture_number(fixture, "\"bodies_bytes\":"), 0);
    scripted_pull(worker, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    const struct slice body = scripted_body(worker, job);
    assert_int_equal(body.len, job->size);
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

/* The worker delivered while the router was down: its word comes when the
 * message is cold, and counts. */
static void a_late_result_finds_its_cold_message(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t id = fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    const struct wire_job job = *scripted_await_job(worker);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    assert_int_equal(fixture_number(fixture, "\"cold\":"), 1);

    scripted_hello(worker); /* names nothing */
    const struct wire_frame frame = {
        .kind = WIRE_RESULT,
        .as.result = {
            .lease = job.lease,
            .message = id,
            .source = SLICE("a"),
            .outcomes = &(struct wire_outcome){
                .index = 0,
                .verdict = { .class = VERDICT_DELIVERED, .code = 250 },
            },
            .outcome_count = 1,
        },
    };
    scripted_send(worker, &frame);
    (void)scripted_await(worker, WIRE_ACK);
    fixture_await_empty(fixture);
    assert_true(fixture_logged(fixture, "\"event\":\"delivered\""));
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(deep_mail_goes_cold_and_leaves_in_its_order),
        SCENARIO(new_mail_does_not_overtake_cold_mail),
        SCENARIO(a_restart_finds_deep_mail_and_sends_it_once),
        SCENARIO(cold_mail_keeps_its_turn_while_the_dns_is_asked),
        SCENARIO(a_long_wait_is_cold_and_ends_in_time),
        SCENARIO(cold_mail_expires_although_its_turn_never_comes),
        SCENARIO(bodies_are_read_when_memory_may_keep_none),
        SCENARIO(a_late_result_finds_its_cold_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
