/* test_lane.c - in which order a lane ends. */
#include "router/lanes/lane.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/proto/message_id.h"
#include "router/lanes/queued.h"

#define NOW (ID_EPOCH_UTC_MS + UINT64_C(200000000000))

enum { URGENT, HEAVY, LIGHT, STREAMS };

static struct conf_stream streams[STREAMS] = {
    [URGENT] = { .name = "urgent", .index = URGENT, .urgent = true },
    [HEAVY] = { .name = "heavy", .index = HEAVY, .weight = 3 },
    [LIGHT] = { .name = "light", .index = LIGHT, .weight = 1 },
};
static const struct conf conf = { .streams = streams, .stream_count = STREAMS };
static const struct conf_pool pool = { .name = "pool" };

#define HOT_MAX 8u

static struct lane_warmth warmth = { .hot_max = HOT_MAX };

static int set_up(void **state)
{
    (void)state;
    warmth.cold = cold_new(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cold_free(&warmth.cold);
    return 0;
}

static struct lane *make(void)
{
    const struct destination destination = {
        .domain = SLICE("b.example"),
        .site = SLICE("mx.b.example"),
        .provider = SLICE(""),
    };
    return lane_new(1, &conf, &warmth, &pool, &destination);
}

/* A job of a message that was accepted `age_ms` before NOW. */
static struct job *new_job(unsigned stream, uint32_t tenant, uint32_t size,
                           uint64_t age_ms)
{
    struct job_recipient many[LANE_COST_MAX] = { { 0, NULL } };
    struct queued *queued = NEW(struct queued);
    queued->id = (NOW - age_ms - ID_EPOCH_UTC_MS) << 22;
    struct job *job = job_new(many, size);
    job->queued = queued;
    job->stream = (uint16_t)stream;
    job->tenant = tenant;
    return job;
}

static void end(struct job *job)
{
    mem_free(job->queued);
    job_free(&job);
}

static struct job *push(struct lane *lane, unsigned stream, uint32_t tenant,
                        uint32_t weight)
{
    struct job *job = new_job(stream, tenant, 1, 0);
    lane_push(lane, job, weight, LANE_BACK);
    return job;
}

static void drain(struct lane *lane)
{
    for (struct job *job; (job = lane_take(lane));)
        end(job);
    lane_free(&lane);
}

static void what_comes_back_keeps_the_order_of_arrival(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct job *jobs[3];
    for (unsigned i = 0; i < 3; i++) {
        jobs[i] = new_job(HEAVY, 7, 1, 3000 - 1000 * i);
        lane_push(lane, jobs[i], 1, LANE_BACK);
    }
    assert_ptr_equal(lane_take(lane), jobs[0]);
    assert_ptr_equal(lane_take(lane), jobs[1]);
    lane_push(lane, jobs[0], 1, LANE_FRONT); /* a worker is lost */
    lane_push(lane, jobs[1], 1, LANE_FRONT);
    for (unsigned i = 0; i < 3; i++) {
        assert_ptr_equal(lane_take(lane), jobs[i]);
        end(jobs[i]);
    }
    lane_free(&lane);
}

static void it_keeps_the_order_of_arrival(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct job *jobs[5];
    for (unsigned i = 0; i < 5; i++)
        jobs[i] = push(lane, HEAVY, 7, 1);
    assert_int_equal(lane->ready, 5);
    assert_true(slice_equal(lane->site, SLICE("mx.b.example")));
    lane_remove(lane, jobs[2]);
    struct job *first = lane_take(lane);
    assert_ptr_equal(first, jobs[0]);
    lane_push(lane, first, 1, LANE_FRONT); /* handed back */
    assert_ptr_equal(lane_take(lane), jobs[0]);
    assert_ptr_equal(lane_take(lane), jobs[1]);
    assert_ptr_equal(lane_take(lane), jobs[3]);
    assert_ptr_equal(lane_take(lane), jobs[4]);
    assert_null(lane_take(lane));
    for (unsigned i = 0; i < 5; i++)
        end(jobs[i]);
    drain(lane);
}

static void urgent_mail_always_goes_first(void **state)
{
    (void)state;
    struct lane *lane = make();
    for (unsigned i = 0; i < 50; i++) {
        (void)push(lane, HEAVY, 1, 1);
        (void)push(lane, URGENT, 1, 1);
    }
    for (unsigned i = 0; i < 50; i++) {
        struct job *job = lane_take(lane);
        assert_int_equal(job->stream, URGENT);
        end(job);
    }
    struct job *job = lane_take(lane);
    assert_int_equal(job->stream, HEAVY);
    end(job);
    (void)push(lane, URGENT, 1, 1);
    job = lane_take(lane);
    assert_int_equal(job->stream, URGENT);
    end(job);
    drain(lane);
}

static void bands_share_by_weight(void **state)
{
    (void)state;
    struct lane *lane = make();
    unsigned taken[STREAMS] = { 0 };
    for (unsigned i = 0; i < 4000; i++) {
        (void)push(lane, HEAVY, 1, 1);
        (void)push(lane, LIGHT, 1, 1);
    }
    for (unsigned i = 0; i < 4000; i++) {
        struct job *job = lane_take(lane);
        taken[job->stream]++;
        end(job);
    }
    assert_in_range(taken[HEAVY], 2970, 3030);
    assert_in_range(taken[LIGHT], 970, 1030);
    drain(lane);
}

static void a_band_saves_up_no_turns(void **state)
{
    (void)state;
    struct lane *lane = make();
    for (unsigned i = 0; i < 2000; i++)
        (void)push(lane, HEAVY, 1, 1);
    for (unsigned i = 0; i < 1000; i++) {
        struct job *job = lane_take(lane);
        end(job);
    }
    unsigned light = 0;
    for (unsigned i = 0; i < 100; i++)
        (void)push(lane, LIGHT, 1, 1);
    for (unsigned i = 0; i < 40; i++) {
        struct job *job = lane_take(lane);
        light += job->stream == LIGHT;
        end(job);
    }
    assert_in_range(light, 9, 11);
    drain(lane);
}

static void tenants_share_a_band(void **state)
{
    (void)state;
    struct lane *lane = make();
    unsigned taken[3] = { 0 };
    for (unsigned i = 0; i < 1000; i++) /* one floods, before the other */
        (void)push(lane, HEAVY, 1, 1);
    for (unsigned i = 0; i < 500; i++)
        (void)push(lane, HEAVY, 2, 2);
    for (unsigned i = 0; i < 600; i++) {
        struct job *job = lane_take(lane);
        taken[job->tenant]++;
        end(job);
    }
    assert_in_range(taken[1], 197, 203);
    assert_in_range(taken[2], 397, 403);
    drain(lane);
}

static void a_large_job_costs_its_tenant(void **state)
{
    (void)state;
    struct lane *lane = make();
    unsigned taken[3] = { 0 };
    for (unsigned i = 0; i < 50; i++) {
        lane_push(lane, new_job(HEAVY, 1, 20, 0), 1, LANE_BACK);
    }
    for (unsigned i = 0; i < 1000; i++)
        (void)push(lane, HEAVY, 2, 1);
    for (unsigned i = 0; i < 210; i++) {
        struct job *job = lane_take(lane);
        taken[job->tenant] += job->recipient_count;
        end(job);
    }
    assert_in_range(taken[1], 180, 220);
    assert_in_range(taken[2], 180, 220);
    drain(lane);
}

/* A lane of streams with objectives, and a job in each. */
enum { CASE_STREAMS = 2 };

struct objective {
    bool urgent;
    uint32_t weight;
    uint64_t latency_ms;
};

static struct lane *make_with(const struct objective *objectives, size_t count,
                              struct conf_stream *list)
{
    for (size_t i = 0; i < count; i++)
        list[i] = (struct conf_stream){
            .name = "s",
            .urgent = objectives[i].urgent,
            .weight = objectives[i].weight,
            .latency_ms = objectives[i].latency_ms,
        };
    const struct conf of = { .streams = list, .stream_count = count };
    const struct destination destination = { .domain = SLICE("b.example"),
                                             .site = SLICE("mx.b.example"),
                                             .provider = SLICE("") };
    return lane_new(1, &of, &warmth, &pool, &destination);
}

/* Weight lets the first stream go first; age may not. */
static void age_decides_whose_turn_it_is(void **state)
{
    (void)state;
    static const struct {
        struct objective objectives[CASE_STREAMS];
        uint64_t ages_ms[CASE_STREAMS]; /* 0: has no job */
        unsigned first;
        enum wire_rank rank;
    } cases[] = {
        /* nobody is behind */
        { { { false, 9, 1000 }, { false, 1, 1000 } },
          { 499, 499 },
          0,
          WIRE_RANK_NORMAL },
        /* half of the objective has passed */
        { { { false, 9, 0 }, { false, 1, 1000 } },
          { 90000, 500 },
          1,
          WIRE_RANK_BEHIND },
        /* the one with the least time left */
        { { { false, 9, 60000 }, { false, 1, 1000 } },
          { 59600, 500 },
          0,
          WIRE_RANK_BEHIND },
        { { { false, 9, 60000 }, { false, 1, 1000 } },
          { 59400, 500 },
          1,
          WIRE_RANK_BEHIND },
        /* one that can be kept before one that was missed */
        { { { false, 9, 60000 }, { false, 1, 1000 } },
          { 999999, 999 },
          1,
          WIRE_RANK_BEHIND },
        /* of missed ones the one that is late by the greatest part */
        { { { false, 9, 60000 }, { false, 1, 1000 } },
          { 119000, 2000 },
          1,
          WIRE_RANK_BEHIND },
        /* urgent before all, however late those are */
        { { { false, 9, 1000 }, { true, 1, 0 } },
          { 900, 1 },
          1,
          WIRE_RANK_URGENT },
        /* among urgent ones the nearest to missing, at any age */
        { { { true, 9, 60000 }, { true, 1, 2000 } },
          { 100, 1 },
          1,
          WIRE_RANK_URGENT },
        /* and one without an objective has BAND_URGENT_MS */
        { { { true, 9, 4000 }, { true, 1, 0 } },
          { 100, 1200 },
          1,
          WIRE_RANK_URGENT },
        { { { true, 9, 4000 }, { true, 1, 0 } },
          { 300, 1200 },
          0,
          WIRE_RANK_URGENT },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf_stream list[CASE_STREAMS];
        struct lane *lane = make_with(cases[i].objectives, CASE_STREAMS, list);
        for (unsigned j = 0; j < CASE_STREAMS; j++)
            if (cases[i].ages_ms[j] > 0)
                lane_push(lane, new_job(j, 1, 1, cases[i].ages_ms[j]), 1,
                          LANE_BACK);
        enum wire_rank rank = WIRE_RANK_NORMAL;
        struct job *job = lane_next(lane, NOW, &rank);
        assert_int_equal(job->stream, cases[i].first);
        assert_int_equal(rank, cases[i].rank);
        end(job);
        drain(lane);
    }
}

static void only_mail_that_was_never_tried_is_late(void **state)
{
    (void)state;
    const struct objective objectives[] = { { false, 9, 0 },
                                            { false, 1, 1000 } };
    struct conf_stream list[2];
    struct lane *lane = make_with(objectives, 2, list);
    struct job *tried = new_job(1, 1, 1, 5000);
    job_add_attempts(tried, 1);
    lane_push(lane, tried, 1, LANE_BACK);
    lane_push(lane, new_job(0, 1, 1, 0), 1, LANE_BACK);
    assert_false(lane_is_behind(lane, NOW));
    /* Behind it, and of another tenant: the oldest counts wherever it is. */
    lane_push(lane, new_job(1, 1, 1, 600), 1, LANE_BACK);
    lane_push(lane, new_job(1, 2, 1, 400), 1, LANE_BACK);
    assert_true(lane_is_behind(lane, NOW));
    assert_false(lane_is_behind(lane, NOW - 101));
    drain(lane);
}

static void new_mail_and_retries_take_turns(void **state)
{
    (void)state;
    struct lane *lane = make();
    for (unsigned i = 0; i < 100; i++) {
        struct job *tried = new_job(HEAVY, 1, 1, 9000);
        job_add_attempts(tried, 1);
        lane_push(lane, tried, 1, LANE_BACK);
    }
    for (unsigned i = 0; i < 10; i++)
        (void)push(lane, HEAVY, 1, 1);
    unsigned fresh = 0;
    for (unsigned i = 0; i < 20; i++) {
        struct job *job = lane_take(lane);
        fresh += job->attempts == 0;
        end(job);
    }
    assert_int_equal(fresh, 10);
    drain(lane);
}

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

/* Each stream always has jobs, the clock moves, all kinds of objectives: of
 * each class nobody waits for longer than its share of every BAND_TURNS-th
 * turn. */
static void nobody_starves(void **state)
{
    (void)state;
    enum { MANY = 6, TURNS = 20000 };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t random = seed;
        struct objective objectives[MANY];
        struct conf_stream list[MANY];
        uint32_t sum = 0;
        const bool urgent = seed % 2;
        for (unsigned i = 0; i < MANY; i++) {
            objectives[i] = (struct objective){
                .urgent = urgent,
                .weight = 1 + draw(&random, 9),
                .latency_ms = draw(&random, 3) * (1 + draw(&random, 5000)),
            };
            sum += objectives[i].weight;
        }
        struct lane *lane = make_with(objectives, MANY, list);
        uint32_t since[MANY] = { 0 };
        for (unsigned i = 0; i < MANY; i++)
            for (unsigned j = 0; j < 3; j++)
                lane_push(lane, new_job(i, j, 1, draw(&random, 9000)), 1,
                          LANE_BACK);
        for (uint64_t turn = 0; turn < TURNS; turn++) {
            enum wire_rank rank = WIRE_RANK_NORMAL;
            struct job *job = lane_next(lane, NOW + turn, &rank);
            const unsigned stream = job->stream;
            for (unsigned i = 0; i < MANY; i++)
                since[i]++;
            since[stream] = 0;
            for (unsigned i = 0; i < MANY; i++) {
                const uint32_t round = sum / objectives[i].weight + MANY + 1;
                assert_true(since[i] <= BAND_TURNS * round);
            }
            const uint32_t tenant = job->tenant;
            end(job);
            job = new_job(stream, tenant, 1, draw(&random, 9000));
            job->queued->id += turn << 22;
            lane_push(lane, job, 1, LANE_BACK);
        }
        drain(lane);
    }
}

/* Objectives that are kept change nothing: weights hold within 5 %. */
static void weights_hold_while_nobody_is_behind(void **state)
{
    (void)state;
    enum { MANY = 5, TURNS = 10000 };
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint64_t random = seed;
        struct objective objectives[MANY];
        struct conf_stream list[MANY];
        uint32_t taken[MANY] = { 0 };
        uint32_t sum = 0;
        for (unsigned i = 0; i < MANY; i++) {
            objectives[i] = (struct objective){
                .weight = 1 + draw(&random, 20),
                .latency_ms = 60000,
            };
            sum += objectives[i].weight;
        }
        struct lane *lane = make_with(objectives, MANY, list);
        for (unsigned i = 0; i < MANY; i++)
            for (unsigned j = 0; j < 2; j++) /* so that no band gets empty */
                lane_push(lane, new_job(i, 1, 1, 1), 1, LANE_BACK);
        for (uint64_t turn = 0; turn < TURNS; turn++) {
            enum wire_rank rank = WIRE_RANK_URGENT;
            struct job *job = lane_next(lane, NOW + turn, &rank);
            assert_int_equal(rank, WIRE_RANK_NORMAL);
            taken[job->stream]++;
            struct job *next = new_job(job->stream, 1, 1, 0);
            next->queued->id = (NOW + turn - ID_EPOCH_UTC_MS) << 22;
            lane_push(lane, next, 1, LANE_BACK);
            end(job);
        }
        for (unsigned i = 0; i < MANY; i++) {
            const double fair =
                (double)TURNS * objectives[i].weight / (double)sum;
            assert_true(taken[i] > 0.95 * fair - 1
                        && taken[i] < 1.05 * fair + 1);
        }
        drain(lane);
    }
}

/* Whatever sizes their jobs have, tenants get recipients by weight. */
static void tenants_share_by_recipients(void **state)
{
    (void)state;
    enum { MANY = 7, ROUNDS = 300 };
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint64_t random = seed;
        uint32_t weights[MANY];
        uint64_t taken[MANY] = { 0 };
        uint64_t sum = 0;
        uint64_t all = 0;
        struct lane *lane = make();
        for (uint32_t i = 0; i < MANY; i++) {
            weights[i] = 1 + draw(&random, 8);
            sum += weights[i];
            lane_push(lane, new_job(HEAVY, i, 1, 0), weights[i], LANE_BACK);
            lane_push(lane, new_job(HEAVY, i, 1, 0), weights[i], LANE_BACK);
        }
        while (all < sum * ROUNDS) {
            struct job *job = lane_take(lane);
            const uint32_t tenant = job->tenant;
            taken[tenant] += job->recipient_count;
            all += job->recipient_count;
            end(job);
            const uint32_t size = 1 + draw(&random, LANE_COST_MAX);
            lane_push(lane, new_job(HEAVY, tenant, size, 0), weights[tenant],
                      LANE_BACK);
        }
        for (uint32_t i = 0; i < MANY; i++) {
            const double fair = (double)(all * weights[i]) / (double)sum;
            assert_true((double)taken[i] > 0.95 * fair - LANE_COST_MAX);
            assert_true((double)taken[i] < 1.05 * fair + LANE_COST_MAX);
        }
        drain(lane);
    }
}

static void a_job_is_divided(void **state)
{
    (void)state;
    struct job_recipient five[5];
    for (uint32_t i = 0; i < 5; i++)
        five[i] = (struct job_recipient){ .index = i };
    job_set_note(&five[4], 451, SLICE("later"));
    struct job *job = job_new(five, 5);
    const bool keep[] = { true, false, true, true, false };
    struct job *left = job_divide(job, keep);
    assert_int_equal(job->recipient_count, 3);
    assert_int_equal(job_recipients(job)[2].index, 3);
    assert_int_equal(left->recipient_count, 2);
    assert_int_equal(job_recipients(left)[0].index, 1);
    assert_int_equal(job_recipients(left)[1].note->code, 451);
    struct job *last = job_split(left, 1);
    assert_int_equal(job_recipients(left)->index, 1);
    assert_int_equal(job_recipients(last)->index, 4);
    assert_true(
        slice_equal(job_note_text(job_recipients(last)->note), SLICE("later")));
    job_free(&job);
    job_free(&left);
    job_free(&last);
}

/* A message with one job, as the lane thread has it; frozen when it is deep. */
static struct queued *arrive(struct lane *lane, uint64_t id, bool is_next)
{
    const struct envelope envelope = { .id = id };
    struct queued *queued = queued_new(&envelope, SLICE("envelope"), NULL);
    const struct job_recipient one = { .index = 0 };
    struct job *job = job_new(&one, 1);
    job->stream = HEAVY;
    queued_add(queued, job);
    lane_push(lane, job, 1, LANE_BACK);
    if (lane_is_deep(lane, job, is_next)) {
        lane_freeze(lane, job, 1000 * id);
        queued_free(&queued);
    }
    return queued;
}

static uint64_t leave(struct lane *lane)
{
    struct job *job = lane_take(lane);
    struct queued *queued = job->queued;
    const uint64_t id = queued->id;
    queued_free(&queued);
    return id;
}

static void a_deep_share_keeps_its_first_jobs_in_memory(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct cold_queue fetching;
    struct lane_fetch fetch;
    cold_open(warmth.cold, &fetching, COLD_FETCHING);
    for (uint64_t id = 1; id <= 20; id++)
        assert_int_equal(arrive(lane, id, false) != NULL, id <= HOT_MAX);
    assert_int_equal(lane->ready, HOT_MAX);
    assert_int_equal(lane->cold_ready, 12);
    assert_int_equal(lane_depth(lane), 20);
    assert_false(lane_fetch(lane, &fetching, &fetch)); /* not thirsty yet */
    for (uint64_t id = 1; id <= HOT_MAX; id++)
        assert_int_equal(leave(lane), id);
    assert_null(lane_take(lane));
    assert_false(lane_is_empty(lane));
    lane_empty_cold(lane, &fetching);
    assert_int_equal(fetching.in_line, 12);
    drain(lane);
}

static void cold_mail_comes_back_in_its_order(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct cold_queue fetching;
    struct lane_fetch fetch;
    cold_open(warmth.cold, &fetching, COLD_FETCHING);
    uint64_t next = 1;
    uint64_t left = 1;
    for (; next <= 100; next++)
        (void)arrive(lane, next, false);
    while (left <= 150) {
        assert_int_equal(leave(lane), left++);
        if (next <= 150) /* new mail does not overtake */
            (void)arrive(lane, next++, false);
        while (lane_fetch(lane, &fetching, &fetch)) {
            assert_int_equal(fetch.lane, lane->number);
            cold_take(warmth.cold, fetch.id);
            assert_non_null(arrive(lane, fetch.id, true));
            lane_fetched(lane, &fetch);
        }
        assert_true(lane->ready <= HOT_MAX);
    }
    assert_true(lane_is_empty(lane));
    assert_int_equal(cold_count(warmth.cold), 0);
    drain(lane);
}

static void cold_mail_may_fall_due_before_its_turn(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct cold_queue fetching;
    struct lane_fetch fetch;
    cold_open(warmth.cold, &fetching, COLD_FETCHING);
    for (uint64_t id = 1; id <= 10; id++)
        (void)arrive(lane, id, false);
    assert_false(lane_fetch_due(lane, &fetching, 8999, &fetch));
    assert_true(lane_fetch_due(lane, &fetching, 9000, &fetch));
    assert_int_equal(fetch.id, 9);
    assert_false(lane_fetch_due(lane, &fetching, 9000, &fetch));
    cold_take(warmth.cold, 9);
    struct cold_queue aside;
    cold_open(warmth.cold, &aside, COLD_FETCHING);
    lane_leave_line(cold_find(warmth.cold, 10), &aside, 10);
    assert_false(cold_first_is_due(warmth.cold, &aside, 9999));
    assert_true(cold_first_is_due(warmth.cold, &aside, 10000));
    assert_int_equal(aside.in_line, 1);
    assert_int_equal(lane_depth(lane), HOT_MAX + 1); /* 9 is under way */
    while (lane->ready > 0)
        (void)leave(lane);
    lane_fetched(lane, &fetch);
    assert_true(lane_is_empty(lane));
    drain(lane);
}

static void a_fetch_that_was_overtaken_changes_nothing(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct cold_queue fetching;
    struct lane_fetch fetch;
    cold_open(warmth.cold, &fetching, COLD_FETCHING);
    for (uint64_t id = 1; id <= 20; id++)
        (void)arrive(lane, id, false);
    while (lane->ready > 0)
        (void)leave(lane);
    assert_true(lane_fetch(lane, &fetching, &fetch));
    lane_empty_cold(lane, &fetching); /* streams have changed places */
    assert_true(lane_is_empty(lane));
    lane_fetched(lane, &fetch);
    assert_true(lane_is_empty(lane));
    drain(lane);
}

/* Jobs that wait for one source: out of the way, counted, and back in order. */
static void what_is_set_aside_holds_nobody_up(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct job *pinned[3];
    for (unsigned i = 0; i < 3; i++) {
        pinned[i] = push(lane, URGENT, 7, 1);
        job_set_source(pinned[i], i < 2 ? 5 : 6);
    }
    struct job *other = push(lane, LIGHT, 7, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_ptr_equal(lane_take(lane), pinned[i]);
        lane_set_aside(lane, pinned[i]);
        assert_int_equal(pinned[i]->state, JOB_READY);
    }
    assert_int_equal(lane->ready, 4);
    assert_int_equal(lane->aside.count, 3);
    assert_ptr_equal(lane_take(lane), other);
    assert_null(lane_take(lane));
    assert_false(lane_is_empty(lane));

    lane_remove(lane, pinned[0]); /* it expired, say */
    assert_int_equal(lane->ready, 2);
    assert_ptr_equal(aside_take(&lane->aside, 5), pinned[1]);
    assert_null(aside_take(&lane->aside, 5));
    lane->ready--;
    lane_push(lane, pinned[1], 1, LANE_FRONT);
    struct list all;
    list_init(&all);
    lane_drain(lane, &all);
    assert_ptr_equal(list_take(&all), &pinned[1]->link);
    assert_ptr_equal(list_take(&all), &pinned[2]->link);
    assert_true(list_is_empty(&all));
    assert_int_equal(lane->ready, 0);
    for (unsigned i = 0; i < 3; i++)
        end(pinned[i]);
    end(other);
    drain(lane);
}

/* Source and told stay when the reply changes, and when a job is split. */
static void a_note_keeps_what_the_next_attempt_heeds(void **state)
{
    (void)state;
    const struct job_recipient two[] = { { .index = 0 }, { .index = 1 } };
    struct job *job = job_new(two, 2);
    assert_int_equal(job_source(job), 0);
    job_set_source(job, 0);
    assert_null(job_recipients(job)[0].note); /* untried mail stays small */
    job_set_source(job, 9);
    job_set_told(&job_recipients(job)[1]);
    job_set_note(&job_recipients(job)[1], 451, SLICE("4.7.1 later"));
    struct job *rest = job_split(job, 1);
    const struct job_note *note = job_recipients(rest)[0].note;
    assert_int_equal(job_source(rest), 9);
    assert_true(note->told);
    assert_true(slice_equal(job_note_text(note), SLICE("4.7.1 later")));
    assert_false(job_recipients(job)[0].note->told);
    job_free(&job);
    job_free(&rest);
}

static void a_closed_share_stands_still_and_costs_nothing(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct lane_place place;
    struct job *jobs[4];
    for (unsigned i = 0; i < 4; i++)
        jobs[i] = push(lane, HEAVY, i % 2, 1);
    lane_close_share(lane, jobs[0], true);
    lane_close_share(lane, jobs[2], true);
    assert_int_equal(lane->ready, 2);
    assert_int_equal(lane->closed, 2);
    assert_true(lane_has_closed(lane, jobs[0]));
    assert_false(lane_has_closed(lane, jobs[1]));
    lane_find(lane, jobs[3], 10, &place);
    assert_int_equal(place.ahead, 1);
    assert_int_equal(place.in_turn, 1);
    assert_int_equal(place.in_band, 2);
    assert_ptr_equal(lane_take(lane), jobs[1]);
    assert_ptr_equal(lane_take(lane), jobs[3]);
    assert_null(lane_take(lane));
    assert_false(lane_is_empty(lane));

    lane_remove(lane, jobs[0]); /* expired meanwhile */
    lane_push(lane, jobs[0], 1, LANE_FRONT);
    assert_int_equal(lane->ready, 0);
    assert_int_equal(lane->closed, 2);
    lane_close_share(lane, jobs[0], false);
    assert_int_equal(lane->ready, 2);
    assert_int_equal(lane->closed, 0);
    assert_ptr_equal(lane_take(lane), jobs[0]);
    assert_ptr_equal(lane_take(lane), jobs[2]);
    assert_true(lane_is_empty(lane));
    for (unsigned i = 0; i < 4; i++)
        end(jobs[i]);
    drain(lane);
}

static void a_closed_share_is_not_thirsty(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct cold_queue fetching;
    struct lane_fetch fetch;
    cold_open(warmth.cold, &fetching, COLD_FETCHING);
    struct queued *first = arrive(lane, 1, false);
    for (uint64_t id = 2; id <= 20; id++)
        (void)arrive(lane, id, false);
    lane_close_share(lane, first->jobs, true);
    (void)arrive(lane, 21, false);
    assert_int_equal(lane_depth(lane), 0);
    assert_int_equal(lane_closed(lane), 21);
    assert_null(lane_take(lane));
    assert_false(lane_fetch(lane, &fetching, &fetch));
    lane_close_by(lane, NULL, NULL);
    assert_int_equal(lane_depth(lane), 21);
    assert_int_equal(lane_closed(lane), 0);
    for (uint64_t id = 1; id <= HOT_MAX; id++)
        assert_int_equal(leave(lane), id);
    assert_true(lane_fetch(lane, &fetching, &fetch));
    assert_int_equal(fetch.id, HOT_MAX + 1);
    lane_empty_cold(lane, &fetching);
    drain(lane);
}

static void a_share_that_opens_has_saved_up_no_turns(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct job *heavy_job = push(lane, HEAVY, 1, 1);
    for (unsigned i = 0; i < 100; i++) {
        (void)push(lane, HEAVY, 1, 1);
        (void)push(lane, LIGHT, 1, 1);
    }
    lane_close_share(lane, heavy_job, true);
    for (unsigned i = 0; i < 50; i++) {
        struct job *job = lane_take(lane);
        assert_int_equal(job->stream, LIGHT);
        end(job);
    }
    lane_close_by(lane, NULL, NULL);
    unsigned heavy = 0;
    for (unsigned i = 0; i < 40; i++) {
        struct job *job = lane_take(lane);
        heavy += job->stream == HEAVY;
        end(job);
    }
    assert_in_range(heavy, 29, 31); /* three of four, and no more */
    drain(lane);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(it_keeps_the_order_of_arrival),
        CASE(what_comes_back_keeps_the_order_of_arrival),
        CASE(urgent_mail_always_goes_first),
        CASE(bands_share_by_weight),
        CASE(a_band_saves_up_no_turns),
        CASE(tenants_share_a_band),
        CASE(a_large_job_costs_its_tenant),
        CASE(age_decides_whose_turn_it_is),
        CASE(only_mail_that_was_never_tried_is_late),
        CASE(new_mail_and_retries_take_turns),
        CASE(nobody_starves),
        CASE(weights_hold_while_nobody_is_behind),
        CASE(tenants_share_by_recipients),
        CASE(a_job_is_divided),
        CASE(a_deep_share_keeps_its_first_jobs_in_memory),
        CASE(cold_mail_comes_back_in_its_order),
        CASE(cold_mail_may_fall_due_before_its_turn),
        CASE(a_fetch_that_was_overtaken_changes_nothing),
        CASE(what_is_set_aside_holds_nobody_up),
        CASE(a_note_keeps_what_the_next_attempt_heeds),
        CASE(a_closed_share_stands_still_and_costs_nothing),
        CASE(a_closed_share_is_not_thirsty),
        CASE(a_share_that_opens_has_saved_up_no_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
