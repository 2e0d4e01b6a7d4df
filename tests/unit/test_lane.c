/* test_lane.c - in which order a lane ends. */
#include "router/lanes/lane.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "router/lanes/queued.h"

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

static struct job *push(struct lane *lane, unsigned stream, uint32_t tenant,
                        uint32_t weight)
{
    const struct job_recipient one = { .index = 0 };
    struct job *job = job_new(&one, 1);
    job->stream = (uint16_t)stream;
    job->tenant = tenant;
    lane_push(lane, job, weight, LANE_BACK);
    return job;
}

static void drain(struct lane *lane)
{
    for (struct job *job; (job = lane_take(lane));)
        job_free(&job);
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
        job_free(&jobs[i]);
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
        job_free(&job);
    }
    struct job *job = lane_take(lane);
    assert_int_equal(job->stream, HEAVY);
    job_free(&job);
    (void)push(lane, URGENT, 1, 1);
    job = lane_take(lane);
    assert_int_equal(job->stream, URGENT);
    job_free(&job);
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
        job_free(&job);
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
        job_free(&job);
    }
    unsigned light = 0;
    for (unsigned i = 0; i < 100; i++)
        (void)push(lane, LIGHT, 1, 1);
    for (unsigned i = 0; i < 40; i++) {
        struct job *job = lane_take(lane);
        light += job->stream == LIGHT;
        job_free(&job);
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
        job_free(&job);
    }
    assert_in_range(taken[1], 197, 203);
    assert_in_range(taken[2], 397, 403);
    drain(lane);
}

static void a_large_job_costs_its_tenant(void **state)
{
    (void)state;
    struct lane *lane = make();
    struct job_recipient many[20] = { { 0, NULL } };
    unsigned taken[3] = { 0 };
    for (unsigned i = 0; i < 50; i++) {
        struct job *job = job_new(many, 20);
        job->stream = HEAVY;
        job->tenant = 1;
        lane_push(lane, job, 1, LANE_BACK);
    }
    for (unsigned i = 0; i < 1000; i++)
        (void)push(lane, HEAVY, 2, 1);
    for (unsigned i = 0; i < 210; i++) {
        struct job *job = lane_take(lane);
        taken[job->tenant] += job->recipient_count;
        job_free(&job);
    }
    assert_in_range(taken[1], 180, 220);
    assert_in_range(taken[2], 180, 220);
    drain(lane);
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
    bool waits = true;
    uint64_t due_ms = 0;
    cold_open(warmth.cold, &aside, COLD_FETCHING);
    lane_leave_line(cold_find(warmth.cold, 10, &waits, &due_ms), &aside, 10);
    assert_int_equal(due_ms, 10000);
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
        job_free(&pinned[i]);
    job_free(&other);
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

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(it_keeps_the_order_of_arrival),
        CASE(urgent_mail_always_goes_first),
        CASE(bands_share_by_weight),
        CASE(a_band_saves_up_no_turns),
        CASE(tenants_share_a_band),
        CASE(a_large_job_costs_its_tenant),
        CASE(a_job_is_divided),
        CASE(a_deep_share_keeps_its_first_jobs_in_memory),
        CASE(cold_mail_comes_back_in_its_order),
        CASE(cold_mail_may_fall_due_before_its_turn),
        CASE(a_fetch_that_was_overtaken_changes_nothing),
        CASE(what_is_set_aside_holds_nobody_up),
        CASE(a_note_keeps_what_the_next_attempt_heeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
