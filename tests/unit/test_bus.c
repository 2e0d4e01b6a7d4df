/* test_bus - frames reach the right peer, and no one comes in uninvited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/bus.h"

#define WAIT_MAX_MS 5000
#define LATE_MS     50

struct heard {
    size_t count;
    size_t body_bytes;
    struct bus_peer peer;
    char head[64];
    bool had_body;
    struct bus **free_me;
    struct loop *loop; /* stopped once `wanted` were heard */
    size_t wanted;
};

struct bench {
    struct loop *loop;
    char folder[32];
    char endpoint[64];
    struct bus *router;
    struct bus *worker;
    struct heard at_router;
    struct heard at_worker;
};

static void hear(void *context, const struct bus_peer *peer, struct slice head,
                 struct slice body)
{
    struct heard *heard = context;
    if (++heard->count == heard->wanted)
        loop_stop(heard->loop);
    heard->peer = *peer;
    heard->had_body = body.ptr != NULL;
    heard->body_bytes += body.len;
    (void)snprintf(heard->head, sizeof heard->head, "%.*s", SLICE_ARG(head));
    if (heard->free_me)
        bus_free(heard->free_me);
}

static int set_up(void **state)
{
    struct bench *bench = NEW(struct bench);
    bench->loop = loop_new();
    (void)snprintf(bench->folder, sizeof bench->folder, "/tmp/bus.XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    (void)snprintf(bench->endpoint, sizeof bench->endpoint, "ipc://%s/bus",
                   bench->folder);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    bus_free(&bench->worker);
    bus_free(&bench->router);
    loop_turn(bench->loop);
    loop_free(&bench->loop);
    static const char *const names[] = { "bus", "router.key", "worker.key",
                                         "foreign.key" };
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", bench->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(bench->folder);
    mem_free(bench);
    return 0;
}

static void on_time(void *context)
{
    loop_stop(context);
}

/* Runs the loop as in production, asleep between events, so that a wake-up that
 * got lost shows. True when `wanted` messages were heard in time. */
static bool reaches(struct bench *bench, struct heard *heard, size_t wanted,
                    uint64_t wait_ms)
{
    struct timer *timer = timer_new(bench->loop, on_time, bench->loop);
    loop_turn(bench->loop); /* brings the loop's clock up to date */
    const uint64_t start_ms = time_now_ms();
    timer_set(timer, loop_now_ms(bench->loop) + wait_ms);
    heard->loop = bench->loop;
    heard->wanted = wanted;
    if (heard->count < wanted)
        loop_run(bench->loop);
    heard->wanted = 0;
    timer_free(&timer);
    /* The timer's own wake-up brings what was slept over: that is too late. */
    return heard->count >= wanted
           && time_now_ms() - start_ms + LATE_MS < wait_ms;
}

static enum rc say(struct bus *bus, const struct bus_peer *peer,
                   struct slice head)
{
    return bus_send(bus, peer, head, (struct slice){ NULL, 0 }, NULL, NULL);
}

/* A worker's link comes up by itself; until then it sends nothing. */
static bool says_in_time(struct bench *bench, struct bus *worker,
                         struct slice head)
{
    uint64_t end_ms = time_now_ms() + WAIT_MAX_MS;
    while (say(worker, NULL, head) != RC_OK) {
        if (time_now_ms() >= end_ms)
            return false;
        loop_turn(bench->loop);
        (void)usleep(1000);
    }
    return true;
}

static struct bus *bind_clear(struct bench *bench)
{
    struct fault fault = { 0 };
    struct bus *bus = bus_bind(bench->loop, bench->endpoint, NULL, hear,
                               &bench->at_router, &fault);
    if (!bus)
        fail_msg("%s", fault.text);
    return bus;
}

static struct bus *connect_clear(struct bench *bench, struct slice id)
{
    struct fault fault = { 0 };
    struct bus *bus = bus_connect(bench->loop, bench->endpoint, id, NULL, hear,
                                  &bench->at_worker, &fault);
    if (!bus)
        fail_msg("%s", fault.text);
    return bus;
}

static void frames_go_both_ways(void **state)
{
    struct bench *bench = *state;
    bench->router = bind_clear(bench);
    bench->worker = connect_clear(bench, SLICE("w1:boot1"));
    assert_true(says_in_time(bench, bench->worker, SLICE("hello")));
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));
    assert_string_equal(bench->at_router.head, "hello");
    assert_false(bench->at_router.had_body);
    assert_int_equal(bench->at_router.peer.len, 8);
    assert_memory_equal(bench->at_router.peer.id, "w1:boot1", 8);

    struct slice empty = SLICE("");
    assert_int_equal(bus_send(bench->router, &bench->at_router.peer,
                              SLICE("job"), empty, NULL, NULL),
                     RC_OK);
    assert_true(reaches(bench, &bench->at_worker, 1, WAIT_MAX_MS));
    assert_string_equal(bench->at_worker.head, "job");
    assert_true(bench->at_worker.had_body);
    assert_int_equal(bench->at_worker.peer.len, 0);
}

static void count_done(void *context)
{
    (void)__atomic_add_fetch((size_t *)context, 1, __ATOMIC_SEQ_CST);
}

/* More than the queues hold: the sender is told, and nothing gets lost. */
static void ten_thousand_bodies_arrive(void **state)
{
    struct bench *bench = *state;
    static const char body[20000] = "Subject: x\r\n";
    const size_t wanted = 10000;
    size_t done = 0;
    size_t sent = 0;
    bench->router = bind_clear(bench);
    bench->worker = connect_clear(bench, SLICE("w1"));
    assert_true(says_in_time(bench, bench->worker, SLICE("hello")));
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));
    size_t tries = 0;
    while (sent < wanted) {
        enum rc rc =
            bus_send(bench->router, &bench->at_router.peer, SLICE("job"),
                     slice_of(body, sizeof body), count_done, &done);
        tries++;
        assert_true(rc == RC_OK || rc == RC_LIMIT);
        if (rc == RC_OK)
            sent++;
        else
            loop_turn(bench->loop);
    }
    assert_true(reaches(bench, &bench->at_worker, wanted, 30000));
    assert_int_equal(bench->at_worker.body_bytes, wanted * sizeof body);
    bus_free(&bench->router);
    assert_int_equal(__atomic_load_n(&done, __ATOMIC_SEQ_CST), tries);
}

/* A send takes the edge of what came in: both flood, nobody may stall. */
static void floods_in_both_directions_do_not_stall(void **state)
{
    struct bench *bench = *state;
    const size_t wanted = 5000;
    bench->router = bind_clear(bench);
    bench->worker = connect_clear(bench, SLICE("w1"));
    assert_true(says_in_time(bench, bench->worker, SLICE("hello")));
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));
    size_t up = 1;
    size_t down = 0;
    while (up < wanted || down < wanted) {
        if (up < wanted)
            up += say(bench->worker, NULL, SLICE("result")) == RC_OK;
        if (down < wanted)
            down += say(bench->router, &bench->at_router.peer, SLICE("job"))
                    == RC_OK;
        if (up % 100 == 0)
            loop_turn(bench->loop);
    }
    assert_true(reaches(bench, &bench->at_router, wanted, WAIT_MAX_MS));
    assert_true(reaches(bench, &bench->at_worker, wanted, WAIT_MAX_MS));
}

/* A bare router in no loop, so that nothing but the worker's own bus can end
 * the sleep. */
struct bare {
    void *zmq;
    void *socket;
    struct bus *worker;
};

static void open_bare(struct bench *bench, struct bare *bare)
{
    char bytes[16];
    bare->zmq = zmq_ctx_new();
    bare->socket = zmq_socket(bare->zmq, ZMQ_ROUTER);
    assert_int_equal(zmq_bind(bare->socket, bench->endpoint), 0);
    bench->worker = connect_clear(bench, SLICE("w1"));
    bare->worker = bench->worker;
    assert_true(says_in_time(bench, bench->worker, SLICE("hello")));
    assert_int_equal(zmq_recv(bare->socket, bytes, sizeof bytes, 0), 2);
    assert_int_equal(zmq_recv(bare->socket, bytes, sizeof bytes, 0), 5);
}

static void close_bare(struct bare *bare)
{
    (void)zmq_close(bare->socket);
    (void)zmq_ctx_term(bare->zmq);
}

static void send_bare(const struct bare *bare)
{
    (void)zmq_send(bare->socket, "w1", 2, ZMQ_SNDMORE);
    (void)zmq_send(bare->socket, "job", 3, 0);
}

/* More than one turn takes, and no news of it but the first. */
static void what_a_turn_leaves_is_taken_by_the_next(void **state)
{
    struct bench *bench = *state;
    struct bare bare;
    open_bare(bench, &bare);
    for (int i = 0; i < 1000; i++)
        send_bare(&bare);
    (void)usleep(100000);
    assert_true(reaches(bench, &bench->at_worker, 1000, 1000));
    close_bare(&bare);
}

static void send_over_news(void *context)
{
    const struct bare *bare = context;
    send_bare(bare);
    (void)usleep(50000);
    assert_int_equal(say(bare->worker, NULL, SLICE("x")), RC_OK);
}

static void set_defer(void *context)
{
    defer_set(context);
}

/* The send takes the wake-up for "job" when the hooks have had their turn, and
 * the loop is about to sleep. */
static void a_send_does_not_swallow_news(void **state)
{
    struct bench *bench = *state;
    struct bare bare;
    open_bare(bench, &bare);
    struct defer *defer = defer_new(bench->loop, send_over_news, &bare);
    struct timer *timer = timer_new(bench->loop, set_defer, defer);
    for (size_t i = 1; i <= 3; i++) {
        timer_set(timer, loop_now_ms(bench->loop) + 50);
        assert_true(reaches(bench, &bench->at_worker, i, 500));
    }
    timer_free(&timer);
    defer_free(&defer);
    close_bare(&bare);
}

static void a_restarted_worker_takes_its_place(void **state)
{
    struct bench *bench = *state;
    bench->router = bind_clear(bench);
    bench->worker = connect_clear(bench, SLICE("w1"));
    assert_true(says_in_time(bench, bench->worker, SLICE("first")));
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));

    struct bus *second = connect_clear(bench, SLICE("w1"));
    assert_true(says_in_time(bench, second, SLICE("second")));
    assert_true(reaches(bench, &bench->at_router, 2, WAIT_MAX_MS));
    assert_string_equal(bench->at_router.head, "second");
    bus_free(&bench->worker);
    assert_int_equal(say(bench->router, &bench->at_router.peer, SLICE("job")),
                     RC_OK);
    assert_true(reaches(bench, &bench->at_worker, 1, WAIT_MAX_MS));
    bus_free(&second);
}

static void a_restarted_router_is_found_again(void **state)
{
    struct bench *bench = *state;
    bench->router = bind_clear(bench);
    bench->worker = connect_clear(bench, SLICE("w1"));
    assert_true(says_in_time(bench, bench->worker, SLICE("first")));
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));
    bus_free(&bench->router);
    (void)usleep(50000);
    loop_turn(bench->loop);
    assert_int_equal(say(bench->worker, NULL, SLICE("lost")), RC_LIMIT);
    bench->router = bind_clear(bench);
    assert_true(says_in_time(bench, bench->worker, SLICE("again")));
    assert_true(reaches(bench, &bench->at_router, 2, WAIT_MAX_MS));
    assert_string_equal(bench->at_router.head, "again");
}

static void an_unknown_or_gone_peer_is_closed(void **state)
{
    struct bench *bench = *state;
    size_t done = 0;
    bench->router = bind_clear(bench);
    struct bus_peer nobody = { .len = 6, .id = "nobody" };
    assert_int_equal(bus_send(bench->router, &nobody, SLICE("job"),
                              SLICE("body"), count_done, &done),
                     RC_CLOSED);
    assert_int_equal(done, 1);

    bench->worker = connect_clear(bench, SLICE("w1"));
    assert_true(says_in_time(bench, bench->worker, SLICE("hello")));
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));
    bus_free(&bench->worker);
    enum rc rc = RC_OK;
    for (int i = 0; i < 2000 && rc == RC_OK; i++) {
        rc = say(bench->router, &bench->at_router.peer, SLICE("job"));
        loop_turn(bench->loop);
        (void)usleep(1000);
    }
    assert_int_equal(rc, RC_CLOSED);
}

static void a_full_queue_is_a_limit(void **state)
{
    struct bench *bench = *state;
    static const char body[100000] = "x";
    bench->router = bind_clear(bench);
    bench->worker = connect_clear(bench, SLICE("w1"));
    assert_true(says_in_time(bench, bench->worker, SLICE("hello")));
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));
    size_t done = 0;
    size_t tries = 0;
    enum rc rc = RC_OK;
    /* The worker's loop does not turn: its queue, then ours, fills. */
    for (; tries < 100000 && rc == RC_OK; tries++)
        rc = bus_send(bench->router, &bench->at_router.peer, SLICE("job"),
                      slice_of(body, sizeof body), count_done, &done);
    assert_int_equal(rc, RC_LIMIT);
    bus_free(&bench->router);
    assert_int_equal(__atomic_load_n(&done, __ATOMIC_SEQ_CST), tries);
}

static void a_bus_may_be_freed_by_its_handler(void **state)
{
    struct bench *bench = *state;
    bench->router = bind_clear(bench);
    bench->worker = connect_clear(bench, SLICE("w1"));
    bench->at_router.free_me = &bench->router;
    assert_true(says_in_time(bench, bench->worker, SLICE("one")));
    (void)say(bench->worker, NULL, SLICE("two"));
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));
    assert_null(bench->router);
    for (int i = 0; i < 20; i++)
        loop_turn(bench->loop);
    assert_int_equal(bench->at_router.count, 1);
}

/* A bare libzmq peer that speaks another protocol. */
static void frames_of_another_shape_are_dropped(void **state)
{
    struct bench *bench = *state;
    bench->router = bind_clear(bench);
    void *zmq = zmq_ctx_new();
    void *stranger = zmq_socket(zmq, ZMQ_DEALER);
    int linger = 0;
    assert_int_equal(
        zmq_setsockopt(stranger, ZMQ_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(zmq_connect(stranger, bench->endpoint), 0);
    for (int frames = 3; frames < 10; frames++)
        for (int i = 0; i < frames; i++)
            (void)zmq_send(stranger, "\xff\0x", 3,
                           i + 1 < frames ? ZMQ_SNDMORE : 0);
    static const char last[] = "good";
    (void)zmq_send(stranger, last, 4, 0);
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));
    assert_string_equal(bench->at_router.head, "good");
    assert_int_equal(bench->at_router.count, 1);
    (void)zmq_close(stranger);

    /* An id longer than ours; then a whole message that is right. */
    stranger = zmq_socket(zmq, ZMQ_DEALER);
    char long_id[BUS_PEER_MAX + 1];
    memset(long_id, 'x', sizeof long_id);
    (void)zmq_setsockopt(stranger, ZMQ_LINGER, &linger, sizeof linger);
    (void)zmq_setsockopt(stranger, ZMQ_ROUTING_ID, long_id, sizeof long_id);
    assert_int_equal(zmq_connect(stranger, bench->endpoint), 0);
    (void)zmq_send(stranger, last, 4, 0);
    assert_false(reaches(bench, &bench->at_router, 2, 200));
    (void)zmq_close(stranger);
    (void)zmq_ctx_term(zmq);
}

struct keys {
    char router_public[41];
    char worker_public[41];
    char foreign_public[41];
    char router_file[64];
    char worker_file[64];
    char foreign_file[64];
};

static void write_key(char path[64], const struct bench *bench,
                      const char *name, char public_key[41])
{
    char secret[41];
    (void)snprintf(path, 64, "%s/%s", bench->folder, name);
    assert_true(bus_make_keys(public_key, secret));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "%s\n", secret);
    (void)fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

/* Router on a free port of loopback, with keys; worker_public is let in. */
static void bind_curve(struct bench *bench, struct keys *keys)
{
    write_key(keys->router_file, bench, "router.key", keys->router_public);
    write_key(keys->worker_file, bench, "worker.key", keys->worker_public);
    write_key(keys->foreign_file, bench, "foreign.key", keys->foreign_public);
    const char *const admitted[] = { keys->worker_public };
    const struct bus_keys ours = { .secret_file = keys->router_file,
                                   .workers = admitted,
                                   .worker_count = 1 };
    struct fault fault = { 0 };
    for (unsigned port = 20000u + (unsigned)getpid() % 20000u; !bench->router;
         port++) {
        (void)snprintf(bench->endpoint, sizeof bench->endpoint,
                       "tcp://127.0.0.1:%u", port);
        assert_true(port < 65000);
        bench->router = bus_bind(bench->loop, bench->endpoint, &ours, hear,
                                 &bench->at_router, &fault);
    }
}

static struct bus *connect_curve(struct bench *bench, const struct keys *keys,
                                 const char *secret_file)
{
    const struct bus_keys ours = { .secret_file = secret_file,
                                   .router_key = keys->router_public };
    struct fault fault = { 0 };
    struct bus *bus = bus_connect(bench->loop, bench->endpoint, SLICE("w1"),
                                  &ours, hear, &bench->at_worker, &fault);
    if (!bus)
        fail_msg("%s", fault.text);
    return bus;
}

static void a_known_key_comes_in(void **state)
{
    struct bench *bench = *state;
    struct keys keys;
    bind_curve(bench, &keys);
    bench->worker = connect_curve(bench, &keys, keys.worker_file);
    assert_true(says_in_time(bench, bench->worker, SLICE("hello")));
    assert_true(reaches(bench, &bench->at_router, 1, WAIT_MAX_MS));
    assert_memory_equal(bench->at_router.peer.id, keys.worker_public,
                        BUS_KEY_ID_LEN);
    assert_memory_equal(bench->at_router.peer.id + BUS_KEY_ID_LEN, "w1", 2);
    assert_int_equal(say(bench->router, &bench->at_router.peer, SLICE("job")),
                     RC_OK);
    assert_true(reaches(bench, &bench->at_worker, 1, WAIT_MAX_MS));
}

/* Tries for a while to be heard; the link may not even come up. */
static void assert_not_heard(struct bench *bench, struct bus *worker)
{
    uint64_t end_ms = time_now_ms() + 500;
    while (time_now_ms() < end_ms) {
        assert_int_equal(say(worker, NULL, SLICE("let me in")), RC_LIMIT);
        loop_turn(bench->loop);
        (void)usleep(1000);
    }
    assert_int_equal(bench->at_router.count, 0);
}

static void a_foreign_key_stays_out(void **state)
{
    struct bench *bench = *state;
    struct keys keys;
    bind_curve(bench, &keys);
    bench->worker = connect_curve(bench, &keys, keys.foreign_file);
    assert_not_heard(bench, bench->worker);
}

static void a_peer_without_keys_stays_out(void **state)
{
    struct bench *bench = *state;
    struct keys keys;
    bind_curve(bench, &keys);
    bench->worker = connect_clear(bench, SLICE("w1"));
    assert_not_heard(bench, bench->worker);
}

static void a_router_with_another_key_gets_nothing(void **state)
{
    struct bench *bench = *state;
    struct keys keys;
    bind_curve(bench, &keys);
    memcpy(keys.router_public, keys.foreign_public, sizeof keys.router_public);
    bench->worker = connect_curve(bench, &keys, keys.worker_file);
    assert_not_heard(bench, bench->worker);
}

/* Let in with its own key, it says that it is someone else. */
static void an_impostor_is_not_heard(void **state)
{
    struct bench *bench = *state;
    struct keys keys;
    bind_curve(bench, &keys);
    char secret[48] = "";
    FILE *file = fopen(keys.worker_file, "r");
    assert_non_null(file);
    assert_non_null(fgets(secret, 41, file));
    (void)fclose(file);

    void *zmq = zmq_ctx_new();
    void *socket = zmq_socket(zmq, ZMQ_DEALER);
    int linger = 0;
    (void)zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    (void)zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, 41);
    (void)zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys.worker_public, 41);
    (void)zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, keys.router_public, 41);
    (void)zmq_setsockopt(socket, ZMQ_ROUTING_ID, "0123456789abcdefw2", 18);
    assert_int_equal(zmq_connect(socket, bench->endpoint), 0);
    (void)zmq_send(socket, "hello", 5, 0);
    assert_false(reaches(bench, &bench->at_router, 1, 500));
    (void)zmq_close(socket);
    (void)zmq_ctx_term(zmq);
}

static void clear_text_does_not_leave_the_host(void **state)
{
    struct bench *bench = *state;
    static const char *const refused[] = {
        "tcp://0.0.0.0:7001",
        "tcp://*:7001",
        "tcp://192.0.2.1:7001",
        "tcp://[::]:7001",
        "tcp://eth0:7001",
        "tcp://127.0.0.1",
        "tcp://[2001:db8::1]:1",
        "udp://127.0.0.1:1",
        "tcp://127.evil.test:1",
        "inproc://x",
        "",
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct fault fault = { 0 };
        assert_null(
            bus_bind(bench->loop, refused[i], NULL, hear, NULL, &fault));
        assert_int_equal(fault.rc, RC_SYNTAX);
        assert_null(bus_connect(bench->loop, refused[i], SLICE("w"), NULL, hear,
                                NULL, &fault));
        assert_int_equal(fault.rc, RC_SYNTAX);
    }
    struct fault fault = { 0 };
    bench->worker = bus_connect(bench->loop, "tcp://[::1]:7001", SLICE("w"),
                                NULL, hear, NULL, &fault);
    assert_non_null(bench->worker);
}

static void bad_keys_are_named(void **state)
{
    struct bench *bench = *state;
    struct keys keys;
    struct fault fault = { 0 };
    write_key(keys.worker_file, bench, "worker.key", keys.worker_public);
    struct bus_keys ours = { .secret_file = "/nonexistent",
                             .router_key = keys.worker_public };
    assert_null(bus_connect(bench->loop, bench->endpoint, SLICE("w"), &ours,
                            hear, NULL, &fault));
    assert_int_equal(fault.rc, RC_IO);

    ours.secret_file = keys.worker_file;
    ours.router_key = "too short";
    assert_null(bus_connect(bench->loop, bench->endpoint, SLICE("w"), &ours,
                            hear, NULL, &fault));
    assert_int_equal(fault.rc, RC_SYNTAX);

    ours.router_key = keys.worker_public;
    assert_int_equal(chmod(keys.worker_file, 0644), 0);
    assert_null(bus_connect(bench->loop, bench->endpoint, SLICE("w"), &ours,
                            hear, NULL, &fault));
    assert_non_null(strstr(fault.text, "open to others"));
    static const char *const bad[] = { NULL };
    assert_int_equal(chmod(keys.worker_file, 0600), 0);
    const struct bus_keys nobody = { .secret_file = keys.worker_file,
                                     .workers = bad,
                                     .worker_count = 1 };
    assert_null(
        bus_bind(bench->loop, bench->endpoint, &nobody, hear, NULL, &fault));
    assert_int_equal(fault.rc, RC_SYNTAX);
}

#define bus_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bus_test(frames_go_both_ways),
        bus_test(ten_thousand_bodies_arrive),
        bus_test(floods_in_both_directions_do_not_stall),
        bus_test(what_a_turn_leaves_is_taken_by_the_next),
        bus_test(a_send_does_not_swallow_news),
        bus_test(a_restarted_worker_takes_its_place),
        bus_test(a_restarted_router_is_found_again),
        bus_test(an_unknown_or_gone_peer_is_closed),
        bus_test(a_full_queue_is_a_limit),
        bus_test(a_bus_may_be_freed_by_its_handler),
        bus_test(frames_of_another_shape_are_dropped),
        bus_test(a_known_key_comes_in),
        bus_test(a_foreign_key_stays_out),
        bus_test(a_peer_without_keys_stays_out),
        bus_test(a_router_with_another_key_gets_nothing),
        bus_test(an_impostor_is_not_heard),
        bus_test(clear_text_does_not_leave_the_host),
        bus_test(bad_keys_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
