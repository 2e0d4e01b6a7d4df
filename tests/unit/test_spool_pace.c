/* test_spool_pace.c - who shares a sync with whom, and who waits for nobody. */
#include "router/spool/pace.h"

#include <semaphore.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "tests/unit/spool_fixture.h"

#define LARGE (SPOOL_LARGE + 1)

static struct pace pace_of(uint64_t gap_us)
{
    struct pace pace = { 0 };
    pace_note(&pace, 1, gap_us);
    return pace;
}

static void nobody_waits_alone(void **state)
{
    (void)state;
    const struct pace fresh = { 0 };
    assert_int_equal(pace_wait_us(&fresh, 1, 1000), 0);
    const struct pace fast = pace_of(1000);
    assert_int_equal(pace_wait_us(&fast, 1, PACE_COMING_MIN - 1), 0);
    assert_true(pace_wait_us(&fast, 1, PACE_COMING_MIN) > 0);
    assert_int_equal(pace_wait_us(&fast, PACE_SHARE, 1000), 0);
}

static void slow_ones_are_not_waited_for(void **state)
{
    (void)state;
    const uint64_t limit_us = PACE_WAIT_MAX_US / PACE_SHARE;
    const struct pace bearable = pace_of(limit_us);
    assert_int_equal(pace_wait_us(&bearable, 0, 1000), PACE_WAIT_MAX_US);
    const struct pace slow = pace_of(limit_us + 1);
    assert_int_equal(pace_wait_us(&slow, 0, 1000), 0);
    const struct pace fast = pace_of(500);
    assert_int_equal(pace_wait_us(&fast, 2, 1000), 2 * 500 * (PACE_SHARE - 2));
}

static void batches_of_many_keep_their_distance(void **state)
{
    (void)state;
    struct pace pace = { .batch_us = 0 };
    assert_int_equal(pace_rest_us(&pace, 5), 0);
    pace_note_batch(&pace, PACE_MANY - 1, 5000000);
    assert_int_equal(pace_rest_us(&pace, 5000000), 0);
    pace_note_batch(&pace, PACE_MANY, 5000000);
    assert_int_equal(pace_rest_us(&pace, 5000000), PACE_GAP_US);
    assert_int_equal(pace_rest_us(&pace, 5000000 + PACE_GAP_US - 1), 1);
    assert_int_equal(pace_rest_us(&pace, 5000000 + PACE_GAP_US), 0);
}

static void the_pace_follows(void **state)
{
    (void)state;
    struct pace pace = pace_of(1000);
    uint64_t now_us = 1000;
    for (int i = 0; i < 20; i++)
        pace_note(&pace, 4, now_us += 200000);
    assert_in_range(pace.gap_us, 45000, 50000);
    pace_note(&pace, 0, now_us + 5); /* none came: not a gap */
    assert_in_range(pace.gap_us, 45000, 50000);
    pace_note(&pace, 1, now_us += HOURS_MS(1) * 1000); /* a rest */
    for (int i = 0; i < 12; i++)
        pace_note(&pace, 10, now_us += 10000);
    assert_true(pace_wait_us(&pace, 1, 1000) > 0);
    for (int i = 0; i < 40; i++)
        pace_note(&pace, 10, now_us += 10000);
    assert_in_range(pace.gap_us, 990, 1100);
}

#define POSTS_MAX 64u

struct posts {
    struct fixture fixture;
    struct post {
        struct spool_write write;
        struct posts *all;
    } post[POSTS_MAX];
    size_t count;
    uint64_t done_ids[POSTS_MAX]; /* in the order of their ends */
    size_t done_count;            /* the committer's, until `done` */
    sem_t done;
    sem_t held;
    sem_t hold;
};

static void note_done(struct spool_write *write, enum rc rc)
{
    struct posts *posts = container_of(write, struct post, write)->all;
    assert_int_equal(rc, RC_OK);
    posts->done_ids[posts->done_count++] = write->id;
    (void)sem_post(&posts->done);
}

static void note_held(struct spool_write *write, enum rc rc)
{
    struct posts *posts = container_of(write, struct post, write)->all;
    note_done(write, rc);
    (void)sem_post(&posts->held);
    while (sem_wait(&posts->hold) != 0)
        ;
}

static void post(struct posts *posts, size_t body_len, bool urgent,
                 spool_done_fn *done)
{
    struct post *post = &posts->post[posts->count++];
    post->all = posts;
    post->write = (struct spool_write){
        .kind = SPOOL_PUT,
        .urgent = urgent,
        .id = posts->count,
        .body = fixture_body(posts->count, body_len),
        .done = done,
    };
    assert_true(spool_post(posts->fixture.spool, &post->write));
}

static int setup(void **state)
{
    struct posts *posts = NEW(struct posts);
    assert_int_equal(sem_init(&posts->done, 0, 0), 0);
    assert_int_equal(sem_init(&posts->held, 0, 0), 0);
    assert_int_equal(sem_init(&posts->hold, 0, 0), 0);
    fixture_init(&posts->fixture, fixture_memory_folder());
    posts->fixture.options.segment_size = 64u << 20;
    fixture_open(&posts->fixture);
    *state = posts;
    return 0;
}

static int teardown(void **state)
{
    struct posts *posts = *state;
    fixture_release(&posts->fixture);
    for (size_t i = 0; i < posts->count; i++)
        body_release(&posts->post[i].write.body);
    (void)sem_destroy(&posts->done);
    (void)sem_destroy(&posts->held);
    (void)sem_destroy(&posts->hold);
    mem_free(posts);
    return 0;
}

/* What is posted between these two finds the committer at one batch's end. */
static void hold(struct posts *posts)
{
    post(posts, 10, false, note_held);
    while (sem_wait(&posts->held) != 0)
        ;
}

static void let_go(struct posts *posts)
{
    (void)sem_post(&posts->hold);
    for (size_t i = 0; i < posts->count; i++)
        while (sem_wait(&posts->done) != 0)
            ;
}

static void urgent_mail_goes_first(void **state)
{
    struct posts *posts = *state;
    hold(posts);
    post(posts, 10, false, note_done);
    post(posts, LARGE, false, note_done);
    post(posts, 10, true, note_done);
    post(posts, 10, false, note_done);
    post(posts, 10, true, note_done);
    let_go(posts);
    static const uint64_t order[] = { 1, 4, 6, 2, 3, 5 };
    assert_int_equal(posts->done_count, ARRAY_LEN(order));
    assert_memory_equal(posts->done_ids, order, sizeof order);
}

static uint64_t count_syncs(const struct posts *posts)
{
    return fixture_stats(&posts->fixture).syncs;
}

static void urgent_mail_waits_for_little_of_others(void **state)
{
    struct posts *posts = *state;
    hold(posts);
    const uint64_t before = count_syncs(posts);
    for (int i = 0; i < 6; i++)
        post(posts, 600u << 10, false, note_done);
    post(posts, 10, true, note_done);
    let_go(posts);
    /* It and the first; then the others. */
    assert_int_equal(count_syncs(posts) - before, 2);
    assert_int_equal(posts->done_ids[1], 8);
    assert_int_equal(posts->done_ids[2], 2);
}

/* One a millisecond, where a sync costs nothing. */
static uint64_t post_slowly(struct posts *posts, size_t count)
{
    const uint64_t before = count_syncs(posts);
    for (size_t i = 0; i < count; i++) {
        post(posts, LARGE, false, note_done);
        (void)usleep(1000);
    }
    for (size_t i = 0; i < count; i++)
        while (sem_wait(&posts->done) != 0)
            ;
    return count_syncs(posts) - before;
}

static void large_mail_shares_a_sync(void **state)
{
    struct posts *posts = *state;
    for (size_t i = 0; i < PACE_COMING_MIN; i++)
        spool_expect(posts->fixture.spool);
    assert_true(post_slowly(posts, POSTS_MAX) < POSTS_MAX / 2);
    for (size_t i = 0; i < PACE_COMING_MIN; i++)
        spool_expect_no_more(posts->fixture.spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_waits_alone),
        cmocka_unit_test(slow_ones_are_not_waited_for),
        cmocka_unit_test(batches_of_many_keep_their_distance),
        cmocka_unit_test(the_pace_follows),
        cmocka_unit_test_setup_teardown(urgent_mail_goes_first, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(urgent_mail_waits_for_little_of_others,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(large_mail_shares_a_sync, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
