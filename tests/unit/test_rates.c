/*
 * test_rates - what the moments of a rate promise, over random mail, clocks,
 * answers and deaths.
 *
 * The script runs in a real redis-server, but all time is made here: so minutes
 * take a second, and every answer comes as late as the dice say. A receiver that
 * counts strictly sees each message at the time it left.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/slice.h"
#include "common/edge/store.h"
#include "tests/unit/redis_fixture.h"
#include "workers/limits/rates.h"
#include "workers/limits/scripts.h"

/* Another by SEED in the environment. */
#define SEED_USUAL   1u
#define WORKERS_MAX  24
#define SENT_MAX     100000
#define STEP_US      1000u
#define START_UTC_US 1700000000000000u
#define BEAT_US      4000000u
#define CLOCK        "redis.call('TIME')"
#define SLACK_US     21000u /* 20 ms, and a step of the clock */

struct worker {
    struct rate rate;
    char name[16];
    uint64_t clock_us; /* its clock, when ours is 0 */
    uint32_t mail;
    uint32_t sent;
    uint64_t speaks_us; /* when Redis reads the question; 0: none */
    uint64_t hears_us;  /* when the answer is there; 0: none */
    char request[RATE_REQUEST_SIZE];
    uint64_t waits[RATE_TRACKS];
    uint32_t counts[RATE_TRACKS];
    size_t runs;
    struct server_clock clock;
    struct server_time time;
};

struct world {
    struct loop *loop;
    struct timer *stop;
    struct store *store;
    pid_t redis;
    char folder[32];
    char path[64];
    char *body;
    struct store_script script;
    uint32_t seed;

    uint64_t now_us;
    struct worker workers[WORKERS_MAX];
    size_t worker_count;
    struct conf_rate limit;
    uint64_t answer_us; /* takes at most so long */
    uint64_t mail_us; /* between two messages, about; 0: there is always mail */
    struct worker *heard;
    bool is_down;
    uint64_t back_us; /* by so much Redis' clock was set back */
    uint64_t sent_us[SENT_MAX];
    size_t sent;
    uint64_t waited_us; /* by all mail together */
    uint32_t calls;
};

static uint32_t dice(struct world *world, uint64_t sides)
{
    world->seed = world->seed * 1664525u + 1013904223u;
    return sides == 0 ? 0 : (uint32_t)((world->seed >> 8) % sides);
}

static void on_stop(void *context)
{
    loop_stop(context);
}

static void run_for(struct world *world, uint64_t wait_ms)
{
    timer_set(world->stop, loop_now_ms(world->loop) + wait_ms);
    loop_run(world->loop);
}

static void on_answer(void *context, const struct store_reply *reply,
                      const struct fault *fault)
{
    (void)fault;
    struct world *world = context;
    struct worker *worker = world->heard;
    assert_non_null(reply);
    assert_in_range(reply->count, 3, 1 + 2 * RATE_TRACKS);
    worker->runs = reply->count / 2;
    worker->time.said_us = (uint64_t)reply->items[0].integer;
    for (size_t i = 0; i < worker->runs; i++) {
        worker->waits[i] = (uint64_t)reply->items[1 + 2 * i].integer;
        worker->counts[i] = (uint32_t)reply->items[2 + 2 * i].integer;
    }
    loop_stop(world->loop);
}

static void ask_redis(struct world *world, struct worker *worker)
{
    char key[] = "rate";
    char second[24];
    char part[24];
    const uint64_t redis_us = START_UTC_US + world->now_us - world->back_us;
    (void)snprintf(second, sizeof second, "%" PRIu64, redis_us / 1000000u);
    (void)snprintf(part, sizeof part, "%" PRIu64, redis_us % 1000000u);
    const struct slice keys[] = { slice_text(key) };
    const struct slice args[] = { slice_text(worker->name),
                                  slice_text(worker->request),
                                  slice_text(second), slice_text(part) };
    world->heard = worker;
    world->calls++;
    store_eval(world->store, &world->script, keys, 1, args, ARRAY_LEN(args),
               on_answer, world);
    loop_run(world->loop);
}

static void flush(struct world *world)
{
    const struct slice words[] = { SLICE("FLUSHALL") };
    store_command(world->store, words, 1, NULL, NULL);
}

static void hear(struct worker *worker, uint64_t its_us)
{
    struct server_time *time = &worker->time;
    time->heard_us = its_us;
    server_clock_hear(&worker->clock, time);
    for (size_t i = 0; i < worker->runs; i++) {
        const struct moment first = server_clock_moment(
            &worker->clock, time->said_us + worker->waits[i]);
        if (worker->counts[i] > 0)
            rate_hear(&worker->rate, worker->counts[i], &first, its_us);
        else
            rate_wait(&worker->rate, worker->waits[i], its_us);
    }
}

static void ask(struct world *world, struct worker *worker)
{
    const uint64_t its_us = worker->clock_us + world->now_us;
    const struct share share = share_of((uint32_t)(worker - world->workers),
                                        (uint32_t)world->worker_count);
    rate_ask(&worker->rate, &share, its_us, worker->request);
    worker->time.asked_us = its_us;
    worker->speaks_us = world->now_us + dice(world, world->answer_us / 2);
}

static void help(const struct world *world, struct worker *worker)
{
    const struct share share = share_of((uint32_t)(worker - world->workers),
                                        (uint32_t)world->worker_count);
    rate_help_oneself(&worker->rate, &share, worker->clock_us + world->now_us,
                      START_UTC_US + world->now_us);
}

/* What the gate does for a message that is there. */
static void send_mail(struct world *world, struct worker *worker)
{
    struct rate *rate = &worker->rate;
    const uint64_t its_us = worker->clock_us + world->now_us;
    uint64_t wait_us = 0;
    if (world->is_down)
        rate_lose(rate, its_us);
    while (worker->mail > 0) {
        const bool taken = rate_take(rate, its_us, &wait_us);
        const bool is_low = rate_is_low(rate, its_us);
        if (is_low && !world->is_down)
            ask(world, worker);
        else if (is_low && rate_tokens(rate, its_us) == 0)
            help(world, worker);
        if (!taken)
            return;
        assert_true(world->sent < SENT_MAX);
        world->sent_us[world->sent++] = world->now_us;
        worker->sent++;
        worker->mail -= world->mail_us > 0;
    }
}

static void step(struct world *world, struct worker *worker)
{
    if (worker->speaks_us > 0 && world->now_us >= worker->speaks_us) {
        ask_redis(world, worker);
        worker->speaks_us = 0;
        worker->hears_us =
            world->now_us + 1 + dice(world, world->answer_us / 2);
    }
    if (worker->hears_us > 0 && world->now_us >= worker->hears_us) {
        hear(worker, worker->clock_us + world->now_us);
        worker->hears_us = 0;
    }
    send_mail(world, worker);
    if (!world->is_down && world->now_us % BEAT_US < STEP_US
        && rate_is_idle(&worker->rate, worker->clock_us + world->now_us))
        ask(world, worker);
}

static void live(struct world *world, uint64_t for_us)
{
    const uint64_t end_us = world->now_us + for_us;
    for (; world->now_us < end_us; world->now_us += STEP_US) {
        if (world->mail_us > 0 && dice(world, world->mail_us / STEP_US) == 0)
            world->workers[dice(world, world->worker_count)].mail++;
        for (size_t i = 0; i < world->worker_count; i++) {
            step(world, &world->workers[i]);
            world->waited_us += (uint64_t)world->workers[i].mail * STEP_US;
        }
    }
}

/* Another worker, or the same one after a crash. */
static void start_worker(struct world *world, size_t i)
{
    struct worker *worker = &world->workers[i];
    *worker =
        (struct worker){ .clock_us = (uint64_t)dice(world, 1u << 20) * 1000003u,
                         .mail = world->mail_us > 0 ? 0 : 1 };
    (void)snprintf(worker->name, sizeof worker->name, "w %zu#%u", i,
                   dice(world, 1u << 20));
    rate_set(&worker->rate, &world->limit);
}

static void populate(struct world *world, size_t workers, uint32_t count,
                     uint64_t window_ms)
{
    world->limit = (struct conf_rate){ count, window_ms };
    world->worker_count = workers;
    for (size_t i = 0; i < workers; i++)
        start_worker(world, i);
}

static void forget_counts(struct world *world)
{
    world->sent = 0;
    world->calls = 0;
    world->waited_us = 0;
    for (size_t i = 0; i < world->worker_count; i++)
        world->workers[i].sent = 0;
}

/* The most messages within any window beyond the limit, the slack forgiven. */
static size_t excess(const struct world *world)
{
    const uint64_t window_us = world->limit.window_ms * 1000u - SLACK_US;
    size_t most = 0;
    for (size_t first = 0, last = 0; last < world->sent; last++) {
        while (world->sent_us[last] - world->sent_us[first] >= window_us)
            first++;
        if (last - first + 1 > most)
            most = last - first + 1;
    }
    return most > world->limit.count ? most - world->limit.count : 0;
}

static double used(const struct world *world, uint64_t in_us)
{
    return (double)world->sent * (double)world->limit.window_ms * 1000.0
           / (double)world->limit.count / (double)in_us;
}

static void show(const struct world *world, uint64_t in_us)
{
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    for (size_t i = 0; i < world->worker_count; i++) {
        least = world->workers[i].sent < least ? world->workers[i].sent : least;
        most = world->workers[i].sent > most ? world->workers[i].sent : most;
    }
    print_message(
        "%zu workers, %u in %" PRIu64 " ms: %zu sent (each %u to %u), "
        "%.1f %%, %.3f calls a message, excess %zu\n",
        world->worker_count, world->limit.count, world->limit.window_ms,
        world->sent, least, most, 100 * used(world, in_us),
        (double)world->calls / (double)world->sent, excess(world));
}

static int set_up(void **state)
{
    struct world *world = NEW(struct world);
    struct fault fault = { 0 };
    char url[80];
    world->loop = loop_new();
    world->stop = timer_new(world->loop, on_stop, world->loop);
    (void)snprintf(world->folder, sizeof world->folder, "/tmp/rates.XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(world->path, sizeof world->path, "%s/s", world->folder);
    (void)snprintf(url, sizeof url, "unix://%s", world->path);
    world->redis = redis_start(world->path);
    world->store = store_new(world->loop, &(struct store_place){ .url = url },
                             10000, &fault);
    assert_non_null(world->store);
    for (int i = 0; i < 100 && !store_is_up(world->store); i++)
        run_for(world, 100);
    assert_true(store_is_up(world->store));

    static const char ours[] = "{ARGV[#ARGV-1],ARGV[#ARGV]}";
    const char *clock = strstr(script_reserve.body, CLOCK);
    assert_non_null(clock);
    const size_t head_len = (size_t)(clock - script_reserve.body);
    const size_t size = strlen(script_reserve.body) + sizeof ours;
    world->body = mem_new(1, size);
    (void)snprintf(world->body, size, "%.*s%s%s", (int)head_len,
                   script_reserve.body, ours, clock + strlen(CLOCK));
    world->script =
        (struct store_script){ .name = "reserve", .body = world->body };
    const char *seed = getenv("SEED");
    world->seed = seed ? (uint32_t)strtoul(seed, NULL, 10) : SEED_USUAL;
    world->now_us = 1;
    world->answer_us = 4000;
    print_message("seed %u\n", world->seed);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    store_free(&world->store);
    timer_free(&world->stop);
    loop_turn(world->loop);
    loop_free(&world->loop);
    redis_stop(&world->redis);
    (void)unlink(world->path);
    (void)rmdir(world->folder);
    mem_free(world->body);
    mem_free(world);
    return 0;
}

static void a_limit_is_kept_and_used_by_any_number_of_workers(void **state)
{
    struct world *world = *state;
    static const struct {
        size_t workers;
        uint32_t count;
        uint64_t window_ms;
        double calls;
    } cases[] = {
        { 1, 10, 1000, 0.11 }, { 3, 10, 1000, 0.13 },
        { 8, 10, 1000, 0.13 }, { 9, 10, 1000, 0.2 },
        { 20, 10, 1000, 0.3 }, { 8, 100, 1000, 0.12 },
        { 8, 50, 1000, 0.12 }, { 8, 1000, 1000, 0.015 },
        { 8, 1, 1000, 2.1 },   { 8, 600, 60000, 0.13 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        flush(world);
        populate(world, cases[i].workers, cases[i].count, cases[i].window_ms);
        forget_counts(world);
        live(world, 20000000);
        assert_int_equal(excess(world), 0);
        forget_counts(world);
        live(world, 60000000);
        show(world, 60000000);
        assert_int_equal(excess(world), 0);
        assert_true(used(world, 60000000) >= 0.95);
        assert_true(world->calls <= cases[i].calls * (double)world->sent);
    }
}

static void mail_that_the_rate_has_room_for_goes_at_once(void **state)
{
    struct world *world = *state;
    /* Of a queue with Poisson arrivals and fixed service the mean waits are 0,
     * 5, 53 and 226 ms. */
    static const struct {
        uint64_t mail_us;
        uint64_t wait_ms;
    } cases[] = {
        { 5000000, 10 }, { 1000000, 20 }, { 200000, 100 }, { 125000, 1500 }
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        flush(world);
        world->mail_us = cases[i].mail_us;
        populate(world, 8, 10, 1000);
        forget_counts(world);
        live(world, 120000000);
        show(world, 120000000);
        print_message("a message each %" PRIu64 " ms waits %.1f ms\n",
                      cases[i].mail_us / 1000,
                      (double)world->waited_us / (double)world->sent / 1000.0);
        assert_true(world->waited_us <= cases[i].wait_ms * 1000u * world->sent);
        assert_int_equal(excess(world), 0);
    }
}

static void workers_come_and_die_at_any_time(void **state)
{
    struct world *world = *state;
    populate(world, 8, 10, 1000);
    forget_counts(world);
    for (int i = 0; i < 40; i++) {
        world->mail_us = dice(world, 3) == 0 ? 1000u + dice(world, 500000) : 0;
        start_worker(world, dice(world, 8));
        live(world, 500000u + dice(world, 8000000));
    }
    show(world, world->now_us);
    assert_int_equal(excess(world), 0);
}

static void a_flush_lets_nobody_send_more(void **state)
{
    struct world *world = *state;
    populate(world, 8, 10, 1000);
    forget_counts(world);
    for (int i = 0; i < 10; i++) {
        live(world, 12000000u + dice(world, 10000000));
        flush(world);
    }
    show(world, world->now_us);
    assert_int_equal(excess(world), 0);
}

static void without_redis_they_take_turns(void **state)
{
    struct world *world = *state;
    populate(world, 8, 10, 1000);
    forget_counts(world);
    live(world, 20000000);
    world->is_down = true;
    live(world, 12000000);
    show(world, 32000000);
    assert_int_equal(excess(world), 0);
    forget_counts(world);
    live(world, 20000000);
    show(world, 20000000);
    assert_true(used(world, 20000000) >= 0.95);
    flush(world); /* it remembers nothing */
    world->is_down = false;
    live(world, 20000000);
    show(world, 40000000);
    assert_int_equal(excess(world), 0);
    assert_true(used(world, 40000000) >= 0.95);
}

/* Or another server with another clock takes over. */
static void a_clock_that_is_set_back_stops_nobody(void **state)
{
    struct world *world = *state;
    populate(world, 4, 10, 1000);
    live(world, 20000000);
    world->back_us = UINT64_C(3600000000);
    live(world, 15000000);
    show(world, 35000000);
    assert_int_equal(excess(world), 0);
    forget_counts(world);
    live(world, 20000000);
    show(world, 20000000);
    assert_int_equal(excess(world), 0);
    assert_true(used(world, 20000000) >= 0.9);
}

/* It comes back with what it knew: what they meant to send by turns after all
 * that was reserved is not sent beside it. */
static void a_short_outage_is_hardly_felt(void **state)
{
    struct world *world = *state;
    populate(world, 2, 10, 1000);
    live(world, 3000000);
    world->is_down = true;
    live(world, 400000);
    world->is_down = false;
    forget_counts(world);
    live(world, 20000000);
    show(world, 20000000);
    assert_int_equal(excess(world), 0);
    assert_true(used(world, 20000000) >= 0.95);
}

/* What an answer means is known to a part of what it took. */
static void slow_answers_cost_little(void **state)
{
    struct world *world = *state;
    world->answer_us = 1000000;
    populate(world, 8, 10, 1000);
    live(world, 20000000);
    forget_counts(world);
    live(world, 60000000);
    show(world, 60000000);
    assert_true(excess(world) <= 3);
    assert_true(used(world, 60000000) >= 0.95);
}

static void one_quick_answer_tells_what_slow_ones_mean(void **state)
{
    (void)state;
    struct server_clock clock = { 0 };
    const struct server_time quick = { 5000000, 70002000, 5004000 };
    const struct server_time slow = { 6000000, 71001000, 7000000 };
    const struct server_time other = { 8000000, 20000000, 8002000 };
    server_clock_hear(&clock, &quick);
    struct moment moment = server_clock_moment(&clock, 70002000);
    assert_int_equal(moment.earliest_us, 5000000);
    assert_int_equal(moment.latest_us, 5004000);
    server_clock_hear(&clock, &slow);
    moment = server_clock_moment(&clock, 71001000);
    assert_in_range(moment.earliest_us, 6000000, 6000000);
    assert_in_range(moment.latest_us, 6003000, 6004100);
    server_clock_hear(&clock, &other);
    moment = server_clock_moment(&clock, 20000000);
    assert_int_equal(moment.earliest_us, 8000000);
    assert_int_equal(moment.latest_us, 8002000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_limit_is_kept_and_used_by_any_number_of_workers, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            mail_that_the_rate_has_room_for_goes_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(workers_come_and_die_at_any_time,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flush_lets_nobody_send_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_redis_they_take_turns, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_is_set_back_stops_nobody,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_short_outage_is_hardly_felt, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(slow_answers_cost_little, set_up,
                                        tear_down),
        cmocka_unit_test(one_quick_answer_tells_what_slow_ones_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
