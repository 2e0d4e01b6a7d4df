/*
 * test_gate - eight workers share the limits of one site over a real
 * redis-server, in good days and bad.
 *
 * Each worker of the bench has its own link and its own gates, and takes all
 * that it gets: connections are held, messages are sent as soon as a token is
 * there. What a receiver would count is counted: connections open in all, and
 * the time that any ten messages in a row plus one took.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "tests/unit/redis_fixture.h"
#include "workers/limits/gate.h"

#define WORKERS     8
#define CONNECTIONS 20
#define MESSAGES    10
#define SLACK_MS    50
#define SENT_MAX    4096
#define TICK_MS     5
#define SETTLED_MS  10000 /* a lease, and somewhat more */
#define HEARD_MS    5500  /* a beat, the patience of who waits, a look */

struct bench;

struct worker {
    struct bench *bench;
    struct store *store;
    struct gates *gates;
    struct gate *gate;
    char name[16];
    uint32_t wanted;
    uint32_t open;
    uint64_t quiet_until_ms;
};

struct bench {
    struct loop *loop;
    struct timer *tick;
    struct timer *stop;
    struct worker workers[WORKERS];
    char folder[32];
    char path[64];
    char url[80];
    pid_t redis;
    uint64_t sent_us[SENT_MAX];
    size_t sent;
    uint32_t open_max; /* connections in all, at any tick */
    uint64_t open_sum; /* over all ticks */
    uint32_t closed;   /* connections that there was no slot for any more */
    uint64_t ticks;
    bool churns; /* connections are closed now and then */
};

static const struct gate_limits limits = {
    .max_connections = CONNECTIONS,
    .messages = { .count = MESSAGES, .window_ms = 1000 },
};

/* Opens what it may, closes what it must. */
static void connect_all(struct worker *worker, uint64_t now_ms)
{
    uint64_t wait_ms = 0;
    while (worker->open > gate_slots(worker->gate)) {
        gate_close_connection(worker->gate);
        worker->open--;
        worker->bench->closed++;
    }
    if (worker->bench->churns && worker->open > 0
        && (worker->bench->ticks + (uint64_t)worker->name[1]) % 17 == 0) {
        gate_close_connection(worker->gate);
        worker->open--;
    }
    while (worker->open < worker->wanted
           && gate_open_connection(worker->gate, now_ms, &wait_ms))
        worker->open++;
}

static void send_all(struct worker *worker, uint64_t now_ms)
{
    uint64_t wait_ms = 0;
    if (now_ms < worker->quiet_until_ms)
        return;
    while (gate_take_message(worker->gate, now_ms, &wait_ms)) {
        assert_true(worker->bench->sent < SENT_MAX);
        worker->bench->sent_us[worker->bench->sent++] = time_now_us();
    }
    worker->quiet_until_ms = now_ms + wait_ms;
}

static void on_tick(void *context)
{
    struct bench *bench = context;
    uint64_t now_ms = loop_now_ms(bench->loop);
    uint32_t open = 0;
    for (size_t i = 0; i < WORKERS; i++) {
        struct worker *worker = &bench->workers[i];
        if (!worker->gate)
            continue;
        connect_all(worker, now_ms);
        send_all(worker, now_ms);
        open += worker->open;
        assert_int_equal(worker->open, gate_connections(worker->gate));
    }
    bench->ticks++;
    bench->open_sum += open;
    if (open > bench->open_max)
        bench->open_max = open;
    timer_set(bench->tick, now_ms + TICK_MS);
}

static void on_stop(void *context)
{
    loop_stop(context);
}

static void run_for(struct bench *bench, uint64_t wait_ms)
{
    loop_turn(bench->loop);
    timer_set(bench->stop, loop_now_ms(bench->loop) + wait_ms);
    loop_run(bench->loop);
}

static void forget_counts(struct bench *bench)
{
    bench->sent = 0;
    bench->open_max = 0;
    bench->open_sum = 0;
    bench->closed = 0;
    bench->ticks = 0;
}

static void on_change(void *context)
{
    struct worker *worker = context;
    uint64_t now_ms = loop_now_ms(worker->bench->loop);
    worker->quiet_until_ms = 0;
    if (!worker->gate)
        return;
    connect_all(worker, now_ms);
    send_all(worker, now_ms);
}

static void start_worker(struct bench *bench, size_t i)
{
    struct worker *worker = &bench->workers[i];
    struct fault fault = { 0 };
    worker->bench = bench;
    (void)snprintf(worker->name, sizeof worker->name, "w%zu", i);
    worker->store = store_new(
        bench->loop, &(struct store_place){ .url = bench->url }, 1000, &fault);
    assert_non_null(worker->store);
    const struct gates_options options = {
        .loop = bench->loop,
        .store = worker->store,
        .prefix = "test:",
        .worker = worker->name,
        .boot = (uint64_t)getpid(),
    };
    worker->gates = gates_new(&options, on_change, worker);
    gates_set_share(worker->gates, (uint32_t)i, WORKERS);
}

static void open_limited(struct worker *worker, uint32_t wanted,
                         const struct gate_limits *its)
{
    worker->gate =
        gate_open(worker->gates, SLICE("s1"), SLICE("site.test"), its);
    worker->wanted = wanted;
    gate_want(worker->gate, wanted, 0);
}

static void open_gate(struct worker *worker, uint32_t wanted)
{
    open_limited(worker, wanted, &limits);
}

static void want(struct worker *worker, uint32_t wanted)
{
    gate_want(worker->gate, wanted, worker->wanted);
    worker->wanted = wanted;
}

static void close_gate(struct worker *worker)
{
    if (!worker->gate)
        return;
    for (; worker->open > 0; worker->open--)
        gate_close_connection(worker->gate);
    gate_want(worker->gate, 0, worker->wanted);
    gate_close(&worker->gate);
}

static bool all_up(const struct bench *bench)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (!store_is_up(bench->workers[i].store))
            return false;
    return true;
}

static void wait_until_up(struct bench *bench)
{
    for (int i = 0; i < 100 && !all_up(bench); i++)
        run_for(bench, 100);
    assert_true(all_up(bench));
}

static int set_up(void **state)
{
    struct bench *bench = NEW(struct bench);
    bench->loop = loop_new();
    (void)snprintf(bench->folder, sizeof bench->folder, "/tmp/gate.XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    (void)snprintf(bench->path, sizeof bench->path, "%s/s", bench->folder);
    (void)snprintf(bench->url, sizeof bench->url, "unix://%s", bench->path);
    bench->tick = timer_new(bench->loop, on_tick, bench);
    bench->stop = timer_new(bench->loop, on_stop, bench->loop);
    bench->redis = redis_start(bench->path);
    for (size_t i = 0; i < WORKERS; i++)
        start_worker(bench, i);
    wait_until_up(bench);
    on_tick(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < WORKERS; i++) {
        close_gate(&bench->workers[i]);
        gates_free(&bench->workers[i].gates);
        store_free(&bench->workers[i].store);
    }
    timer_free(&bench->tick);
    timer_free(&bench->stop);
    loop_turn(bench->loop);
    loop_free(&bench->loop);
    redis_stop(&bench->redis);
    (void)unlink(bench->path);
    (void)rmdir(bench->folder);
    mem_free(bench);
    return 0;
}

static int by_time(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

/* As a strict receiver counts: no window holds more than the limit. */
static void assert_rate_kept(struct bench *bench)
{
    qsort(bench->sent_us, bench->sent, sizeof bench->sent_us[0], by_time);
    for (size_t i = MESSAGES; i < bench->sent; i++) {
        uint64_t took_us = bench->sent_us[i] - bench->sent_us[i - MESSAGES];
        if (took_us < (1000u - SLACK_MS) * (uint64_t)1000)
            fail_msg("%d messages within %llu us", MESSAGES + 1,
                     (unsigned long long)took_us);
    }
}

static void assert_well_used(const struct bench *bench, uint64_t ran_ms)
{
    uint64_t messages = ran_ms * MESSAGES / 1000u;
    print_message("connections %.2f of %d (most %u), messages %zu of %llu\n",
                  (double)bench->open_sum / (double)bench->ticks, CONNECTIONS,
                  bench->open_max, bench->sent, (unsigned long long)messages);
    assert_true(bench->open_sum * 100 >= bench->ticks * CONNECTIONS * 95);
    assert_true((bench->sent + 1) * 100 >= messages * 95);
}

static void open_all(struct bench *bench, uint32_t wanted)
{
    for (size_t i = 0; i < WORKERS; i++)
        open_gate(&bench->workers[i], wanted);
}

static void eight_workers_keep_and_use_the_limits(void **state)
{
    struct bench *bench = *state;
    open_all(bench, CONNECTIONS);
    run_for(bench, 1000);
    assert_true(bench->open_max <= CONNECTIONS);
    assert_rate_kept(bench);
    forget_counts(bench);
    bench->churns = true;
    run_for(bench, 5000);
    assert_rate_kept(bench);
    assert_int_equal(bench->open_max, CONNECTIONS);
    assert_well_used(bench, 5000);
}

static void a_single_worker_gets_it_all(void **state)
{
    struct bench *bench = *state;
    run_for(bench, SETTLED_MS); /* the cluster has settled */
    open_gate(&bench->workers[3], CONNECTIONS + 5);
    run_for(bench, 500);
    assert_int_equal(bench->open_max, CONNECTIONS);
    forget_counts(bench);
    run_for(bench, 3000);
    assert_rate_kept(bench);
    assert_well_used(bench, 3000);
}

/* A worker in a process of its own; writes a byte when it has all slots. */
_Noreturn static void live_on_all_slots(const char *url, int tell)
{
    struct bench bench = { .loop = loop_new() };
    (void)snprintf(bench.url, sizeof bench.url, "%s", url);
    bench.stop = timer_new(bench.loop, on_stop, bench.loop);
    start_worker(&bench, 0);
    struct worker *worker = &bench.workers[0];
    (void)snprintf(worker->name, sizeof worker->name, "child");
    gates_set_share(worker->gates, 1, WORKERS + 1);
    run_for(&bench, 300);
    open_gate(worker, CONNECTIONS);
    while (worker->open < CONNECTIONS)
        run_for(&bench, 10);
    if (write(tell, "!", 1) != 1)
        _exit(1);
    for (;;)
        run_for(&bench, 1000);
}

static void the_slots_of_the_dead_are_free_within_10_s(void **state)
{
    struct bench *bench = *state;
    run_for(bench, SETTLED_MS);
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        live_on_all_slots(bench->url, told[1]);
    char byte = 0;
    assert_int_equal(read(told[0], &byte, 1), 1);
    (void)close(told[0]);
    (void)close(told[1]);
    open_gate(&bench->workers[1], CONNECTIONS);
    run_for(bench, HEARD_MS);
    assert_int_equal(bench->workers[1].open, CONNECTIONS / 2);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    run_for(bench, 10000);
    assert_int_equal(bench->workers[1].open, CONNECTIONS);
}

static void a_late_worker_gets_its_part_and_is_left_alone(void **state)
{
    struct bench *bench = *state;
    run_for(bench, SETTLED_MS);
    open_gate(&bench->workers[0], CONNECTIONS);
    run_for(bench, 300);
    assert_int_equal(bench->workers[0].open, CONNECTIONS);
    forget_counts(bench);
    open_gate(&bench->workers[1], CONNECTIONS);
    run_for(bench, HEARD_MS);
    assert_int_equal(bench->workers[0].open, CONNECTIONS / 2);
    assert_int_equal(bench->workers[1].open, CONNECTIONS / 2);
    open_gate(&bench->workers[2], CONNECTIONS);
    open_gate(&bench->workers[3], 2);
    run_for(bench, HEARD_MS);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bench->workers[i].open, (CONNECTIONS - 2) / 3);
    assert_int_equal(bench->workers[3].open, 2);
    assert_int_equal(bench->open_max, CONNECTIONS);
    assert_well_used(bench, HEARD_MS + HEARD_MS);

    forget_counts(bench);
    run_for(bench, 4500);
    assert_int_equal(bench->closed, 0);
}

static void a_whim_takes_nothing_from_who_has_more(void **state)
{
    struct bench *bench = *state;
    run_for(bench, SETTLED_MS);
    open_gate(&bench->workers[0], CONNECTIONS);
    open_gate(&bench->workers[1], 0);
    run_for(bench, 300);
    forget_counts(bench);
    for (int i = 0; i < 8; i++) {
        want(&bench->workers[1], 3);
        run_for(bench, 120);
        want(&bench->workers[1], 0);
        run_for(bench, 500);
    }
    assert_int_equal(bench->closed, 0);
    assert_int_equal(bench->workers[0].open, CONNECTIONS);
}

static void mark(struct bench *bench, const char *what, uint64_t utc_ms)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)utc_ms);
    const struct slice words[] = { SLICE("HSET"), SLICE("test:limits"),
                                   slice_text(what), slice_text(text) };
    store_command(bench->workers[0].store, words, ARRAY_LEN(words), NULL, NULL);
}

/* As if nobody had been there for a while. */
static void put_back(struct bench *bench, uint64_t ago_ms)
{
    mark(bench, "alive", time_utc_ms() - ago_ms);
}

static void enter(struct bench *bench, struct slice name, struct slice claim)
{
    const struct slice words[] = { SLICE("HSET"),
                                   SLICE("test:slots:{s1|site.test}"), name,
                                   claim };
    store_command(bench->workers[0].store, words, ARRAY_LEN(words), NULL, NULL);
}

static void workers_of_an_earlier_version_are_counted(void **state)
{
    struct bench *bench = *state;
    run_for(bench, SETTLED_MS);
    enter(bench, SLICE("old#1"), SLICE("15 9999999999999"));
    open_gate(&bench->workers[0], CONNECTIONS);
    run_for(bench, 1000);
    assert_int_equal(bench->workers[0].open, 5);
}

static void with_fewer_slots_than_workers_they_take_turns(void **state)
{
    struct bench *bench = *state;
    const struct gate_limits narrow = {
        .max_connections = 2,
        .messages = limits.messages,
    };
    bool had[3] = { false };
    run_for(bench, SETTLED_MS);
    for (size_t i = 0; i < 3; i++)
        open_limited(&bench->workers[i], 2, &narrow);
    run_for(bench, 1000);
    forget_counts(bench);
    for (int round = 0; round < 100; round++) { /* two turns */
        run_for(bench, 200);
        for (size_t i = 0; i < 3; i++)
            had[i] |= bench->workers[i].open > 0;
    }
    assert_true(had[0] && had[1] && had[2]);
    assert_int_equal(bench->open_max, 2);
    print_message("%.2f of 2 connections\n",
                  (double)bench->open_sum / (double)bench->ticks);
    assert_true(bench->open_sum * 100 >= bench->ticks * 2 * 95);
}

static void a_closed_gate_gives_its_slots_back(void **state)
{
    struct bench *bench = *state;
    run_for(bench, SETTLED_MS);
    open_gate(&bench->workers[0], CONNECTIONS);
    run_for(bench, 300);
    open_gate(&bench->workers[1], CONNECTIONS);
    run_for(bench, 300);
    close_gate(&bench->workers[0]);
    run_for(bench, 4500); /* the next beat at the latest */
    assert_int_equal(bench->workers[1].open, CONNECTIONS);
    gates_free(&bench->workers[1].gates); /* with its gate */
    bench->workers[1].gate = NULL;
    open_gate(&bench->workers[2], 1);
    run_for(bench, 500);
    assert_int_equal(bench->workers[2].open, 1);
}

static void without_redis_they_stay_within_what_they_had(void **state)
{
    struct bench *bench = *state;
    open_all(bench, CONNECTIONS);
    run_for(bench, SETTLED_MS);
    redis_stop(&bench->redis);
    forget_counts(bench);
    run_for(bench, SETTLED_MS + 5000); /* what was reserved is left first */
    assert_true(bench->open_max <= CONNECTIONS);
    assert_rate_kept(bench);
    print_message("%zu messages while what was reserved ends\n", bench->sent);
    assert_true(bench->sent > 15 * MESSAGES * 2 / 5);
    forget_counts(bench);
    run_for(bench, 5000);
    assert_true(bench->open_max <= CONNECTIONS);
    assert_rate_kept(bench);
    assert_well_used(bench, 5000);

    bench->redis = redis_start(bench->path); /* and it remembers nothing */
    forget_counts(bench);
    run_for(bench, 8000);
    assert_true(all_up(bench));
    assert_true(bench->open_max <= CONNECTIONS);
    assert_true(bench->open_sum > bench->ticks * (CONNECTIONS - 1));
    assert_rate_kept(bench);
    assert_true(bench->sent > 8 * MESSAGES * 70 / 100);
}

static void a_site_never_seen_gets_the_share_without_redis(void **state)
{
    struct bench *bench = *state;
    redis_stop(&bench->redis);
    run_for(bench, 100);
    open_all(bench, CONNECTIONS);
    run_for(bench, 2500);
    assert_int_equal(bench->open_max, CONNECTIONS);
    for (size_t i = 0; i < WORKERS; i++)
        assert_in_range(bench->workers[i].open, 2, 3);
}

static void a_flush_lets_nobody_have_more(void **state)
{
    struct bench *bench = *state;
    run_for(bench, SETTLED_MS);
    for (size_t i = 0; i < WORKERS; i++)
        open_gate(&bench->workers[i], i < 2 ? CONNECTIONS / 2 : 0);
    run_for(bench, 500);
    assert_int_equal(bench->open_max, CONNECTIONS);
    forget_counts(bench);
    const struct slice flush[] = { SLICE("FLUSHALL") };
    store_command(bench->workers[0].store, flush, 1, NULL, NULL);
    for (size_t i = 7; i > 1; i--) { /* those with nothing come first */
        gate_want(bench->workers[i].gate, CONNECTIONS, 0);
        bench->workers[i].wanted = CONNECTIONS;
    }
    run_for(bench, 5000);
    assert_int_equal(bench->open_max, CONNECTIONS);
    assert_int_equal(bench->workers[0].open, CONNECTIONS / 2);
    assert_int_equal(bench->workers[1].open, CONNECTIONS / 2);
    assert_rate_kept(bench);
}

/* Redis' clock was an hour ahead: all that it wrote is of then. */
static void a_clock_that_is_set_back_is_a_gap(void **state)
{
    struct bench *bench = *state;
    run_for(bench, SETTLED_MS);
    mark(bench, "since", time_utc_ms() + HOURS_MS(1));
    mark(bench, "alive", time_utc_ms() + HOURS_MS(1));
    enter(bench, SLICE("dead#1"), SLICE("15 9999999999999 15 15 0"));
    open_gate(&bench->workers[0], CONNECTIONS);
    run_for(bench, 500);
    assert_int_equal(bench->workers[0].open, 0);
    run_for(bench, SETTLED_MS + 4000);
    assert_int_equal(bench->workers[0].open, CONNECTIONS);
}

static void a_gap_in_which_leases_can_have_ended_is_seen(void **state)
{
    struct bench *bench = *state;
    run_for(bench, SETTLED_MS);
    put_back(bench, 4500);
    open_gate(&bench->workers[0], CONNECTIONS);
    run_for(bench, 500);
    assert_int_equal(bench->workers[0].open, CONNECTIONS);
    close_gate(&bench->workers[0]);
    run_for(bench, 500);
    put_back(bench, 5500);
    open_gate(&bench->workers[0], CONNECTIONS);
    run_for(bench, 500);
    assert_int_equal(bench->workers[0].open, 0);
    run_for(bench, SETTLED_MS + 4000);
    assert_int_equal(bench->workers[0].open, CONNECTIONS);
}

static void no_limit_asks_nothing(void **state)
{
    struct bench *bench = *state;
    const struct gate_limits none = { .max_connections = GATE_UNLIMITED };
    struct gate *gate =
        gate_open(bench->workers[0].gates, SLICE("s"), SLICE("free"), &none);
    redis_stop(&bench->redis); /* any question would fail, and be waited for */
    uint64_t wait_ms = 1;
    gate_want(gate, 1000, 0);
    for (int i = 0; i < 1000; i++) {
        assert_true(gate_open_connection(gate, 1, &wait_ms));
        assert_true(gate_take_message(gate, 1, &wait_ms));
    }
    assert_int_equal(gate_slots(gate), GATE_UNLIMITED);
    assert_int_equal(gate_messages(gate, 1), GATE_UNLIMITED);
    gate_close(&gate);
}

static void count_calls(void *context, const struct store_reply *reply,
                        const struct fault *fault)
{
    (void)fault;
    assert_non_null(reply);
    *(uint64_t *)context = 0;
    size_t at = slice_find_slice(reply->text, SLICE("calls="));
    if (at == reply->text.len)
        return;
    struct slice digits = slice_from(reply->text, at + 6);
    digits = slice_head(digits, slice_find(digits, ','));
    assert_true(slice_number(digits, UINT32_MAX, (uint64_t *)context));
}

static void a_high_rate_costs_few_round_trips(void **state)
{
    struct bench *bench = *state;
    struct worker *worker = &bench->workers[0];
    const struct gate_limits fast = {
        .max_connections = GATE_UNLIMITED,
        .messages = { .count = 1000, .window_ms = 1000 },
    };
    worker->gate = gate_open(worker->gates, SLICE("s"), SLICE("fast"), &fast);
    forget_counts(bench);
    run_for(bench, 3000);
    size_t sent = bench->sent;
    print_message("%zu messages in 3 s\n", sent);
    assert_true(sent > 3000 * 90 / 100 && sent <= 3000 + 100);

    uint64_t calls = 0;
    const struct slice info[] = { SLICE("INFO"), SLICE("commandstats") };
    gate_close(&worker->gate);
    store_command(worker->store, info, 2, count_calls, &calls);
    run_for(bench, 100);
    print_message("%llu calls\n", (unsigned long long)calls);
    assert_true(calls * 10 < sent);
}

static void connections_have_a_rate_of_their_own(void **state)
{
    struct bench *bench = *state;
    struct gates *gates = bench->workers[0].gates;
    const struct gate_limits slow = {
        .max_connections = GATE_UNLIMITED,
        .connects = { .count = 5, .window_ms = 1000 },
    };
    struct gate *gate = gate_open(gates, SLICE("s"), SLICE("slow"), &slow);
    struct gate *same = gate_open(gates, SLICE("s"), SLICE("slow"), &slow);
    assert_ptr_equal(gate, same);
    uint32_t opened = 0;
    uint64_t wait_ms = 0;
    /* Turns take longer on a busy machine: the time that went by counts. */
    const uint64_t from_ms = loop_now_ms(bench->loop);
    uint64_t took_ms = 0;
    for (; took_ms < 1000; took_ms = loop_now_ms(bench->loop) - from_ms) {
        opened +=
            gate_open_connection(gate, loop_now_ms(bench->loop), &wait_ms);
        run_for(bench, TICK_MS);
    }
    assert_in_range(opened, 3, 5 * took_ms / 1000 + 1);
    gate_close(&same);
    for (; opened > 0; opened--)
        gate_close_connection(gate);
    gate_close(&gate);
}

#define gate_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        gate_test(eight_workers_keep_and_use_the_limits),
        gate_test(a_single_worker_gets_it_all),
        gate_test(the_slots_of_the_dead_are_free_within_10_s),
        gate_test(a_late_worker_gets_its_part_and_is_left_alone),
        gate_test(a_whim_takes_nothing_from_who_has_more),
        gate_test(workers_of_an_earlier_version_are_counted),
        gate_test(with_fewer_slots_than_workers_they_take_turns),
        gate_test(a_closed_gate_gives_its_slots_back),
        gate_test(without_redis_they_stay_within_what_they_had),
        gate_test(a_site_never_seen_gets_the_share_without_redis),
        gate_test(a_flush_lets_nobody_have_more),
        gate_test(a_gap_in_which_leases_can_have_ended_is_seen),
        gate_test(a_clock_that_is_set_back_is_a_gap),
        gate_test(no_limit_asks_nothing),
        gate_test(a_high_rate_costs_few_round_trips),
        gate_test(connections_have_a_rate_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
