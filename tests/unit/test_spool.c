/* test_spool - what was told as written is there after a restart, and nothing
 * else; the log does not grow beyond what lives. */
#include "tests/unit/spool_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

static void messages_outlive_a_restart(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 0);
    assert_true(spool_last_id(fixture.spool) == 0);
    assert_int_equal(fixture_put(&fixture, 7, 3000), RC_OK);
    assert_int_equal(fixture_put(&fixture, 5, 0), RC_OK);
    assert_int_equal(fixture_put(&fixture, 9, 100000), RC_OK); /* > segment */
    assert_int_equal(fixture_put(&fixture, 11, 10), RC_OK);
    assert_int_equal(fixture_state(&fixture, 5, "first"), RC_OK);
    assert_int_equal(fixture_state(&fixture, 5, "second"), RC_OK);
    assert_int_equal(fixture_drop(&fixture, 11), RC_OK);
    assert_int_equal(fixture_check_body(&fixture, 9), RC_OK);
    assert_int_equal(fixture_check_body(&fixture, 11), RC_NONE);

    for (int i = 0; i < 3; i++) {
        fixture_close(&fixture);
        fixture_open(&fixture);
        assert_int_equal(fixture.found_count, 3);
        assert_int_equal(fixture.found[0].id, 7); /* the order of the PUTs */
        assert_int_equal(fixture.found[1].id, 5);
        assert_int_equal(fixture.found[2].id, 9);
        assert_string_equal(fixture.found[0].envelope, "envelope 7 3000");
        assert_string_equal(fixture.found[0].state, "");
        assert_string_equal(fixture.found[1].state, "second");
        assert_int_equal(fixture_check_body(&fixture, 7), RC_OK);
        assert_int_equal(fixture_check_body(&fixture, 5), RC_OK);
        assert_int_equal(fixture_check_body(&fixture, 9), RC_OK);
        assert_true(spool_last_id(fixture.spool) == 11);
        assert_int_equal(fixture_stats(&fixture).damaged, 0);
        assert_int_equal(fixture_stats(&fixture).messages, 3);
    }
    fixture_release(&fixture);
}

/* `urgent` outlives restarts and the cleaner; who was put twice is told once. */
static void the_living_are_told_without_being_read(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, fixture_memory_folder());
    fixture_open(&fixture);
    fixture.urgent = true;
    assert_int_equal(fixture_put(&fixture, 3, 100), RC_OK);
    fixture.urgent = false;
    assert_int_equal(fixture_put(&fixture, 2, 100), RC_OK);
    assert_int_equal(fixture_state(&fixture, 2, "waits"), RC_OK);
    assert_int_equal(fixture_put(&fixture, 1, 100), RC_OK);
    assert_int_equal(fixture_put(&fixture, 4, 100), RC_OK);
    assert_int_equal(fixture_drop(&fixture, 4), RC_OK);
    assert_int_equal(fixture_drop(&fixture, 1), RC_OK);
    assert_int_equal(fixture_put(&fixture, 1, 200), RC_OK);
    for (int life = 0; life < 3; life++) {
        fixture_close(&fixture);
        fixture_open_live(&fixture);
        assert_int_equal(fixture.found_count, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(fixture.found[i].id, 3 - i);
            assert_int_equal(fixture.found[i].urgent, i == 0);
            assert_int_equal(fixture.found[i].has_state, i == 1);
            assert_int_equal(fixture_check_body(&fixture, 3 - i), RC_OK);
        }
        for (uint64_t id = 10; id < 200; id++) { /* the three are moved */
            assert_int_equal(fixture_put(&fixture, id, 2500), RC_OK);
            assert_int_equal(fixture_drop(&fixture, id), RC_OK);
        }
    }
    fixture_release(&fixture);
}

static void a_spool_has_one_router(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    struct spool *second = NULL;
    struct fault fault;
    assert_int_equal(spool_open(&fixture.options, NULL, NULL, &second, &fault),
                     RC_LIMIT);
    assert_null(second);
    assert_non_null(strstr(fault.text, "in use"));
    assert_int_equal(fixture_put(&fixture, 1, 10), RC_OK);
    fixture_release(&fixture);
}

static void dead_segments_are_used_again(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, fixture_memory_folder());
    fixture_open(&fixture);
    for (uint64_t id = 1; id <= 1000; id++) {
        assert_int_equal(fixture_put(&fixture, id, 2500), RC_OK);
        assert_int_equal(fixture_drop(&fixture, id), RC_OK);
    }
    /* 2.6 MB went through segments of 64 KiB. */
    assert_true(fixture_stats(&fixture).segments <= 2);
    fixture_close(&fixture);
    assert_true(fixture_count_files(&fixture, ".seg") <= 2);
    assert_true(fixture_count_files(&fixture, ".spare") >= 1);
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 0);
    assert_true(spool_last_id(fixture.spool) == 1000);
    fixture_release(&fixture);
}

static void ids_go_on_although_all_was_recycled(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, fixture_memory_folder());
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 500, 10), RC_OK);
    assert_int_equal(fixture_drop(&fixture, 500), RC_OK);
    for (uint64_t id = 1; id <= 100; id++) {
        assert_int_equal(fixture_put(&fixture, id, 2500), RC_OK);
        assert_int_equal(fixture_drop(&fixture, id), RC_OK);
    }
    for (int i = 0; i < 3; i++) {
        fixture_close(&fixture);
        fixture_open(&fixture);
        assert_true(spool_last_id(fixture.spool) == 500);
    }
    fixture_release(&fixture);
}

static void one_old_message_does_not_pin_the_log(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, fixture_memory_folder());
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1, 3000), RC_OK);
    assert_int_equal(fixture_state(&fixture, 1, "waits"), RC_OK);
    for (uint64_t id = 2; id <= 1000; id++) {
        assert_int_equal(fixture_put(&fixture, id, 2500), RC_OK);
        if (id == 300)
            assert_int_equal(fixture_state(&fixture, 1, "still"), RC_OK);
        assert_int_equal(fixture_drop(&fixture, id), RC_OK);
    }
    assert_true(fixture_stats(&fixture).segments <= 3);
    assert_int_equal(fixture_check_body(&fixture, 1), RC_OK);
    fixture_close(&fixture);
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 1);
    assert_string_equal(fixture.found[0].envelope, "envelope 1 3000");
    assert_string_equal(fixture.found[0].state, "still");
    assert_int_equal(fixture_check_body(&fixture, 1), RC_OK);
    assert_int_equal(fixture_stats(&fixture).damaged, 0);
    fixture_release(&fixture);
}

/* Every 8th message lives: no segment is nearly dead, but the log as a whole is
 * too long. The survivors keep their order. */
static void a_long_log_is_cleaned(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, fixture_memory_folder());
    fixture_open(&fixture);
    for (uint64_t id = 1; id <= 2000; id++) {
        assert_int_equal(fixture_put(&fixture, id, 2500), RC_OK);
        if (id % 8 != 0)
            assert_int_equal(fixture_drop(&fixture, id), RC_OK);
    }
    const struct spool_stats stats = fixture_stats(&fixture);
    assert_int_equal(stats.messages, 250);
    assert_true(stats.segments <= stats.bytes_live / (64 << 10) * 4 + 8);
    fixture_close(&fixture);
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 250);
    for (size_t i = 0; i < 250; i++) {
        assert_int_equal(fixture.found[i].id, (i + 1) * 8);
        assert_int_equal(fixture_check_body(&fixture, (i + 1) * 8), RC_OK);
    }
    fixture_release(&fixture);
}

struct held_write {
    struct spool_write write;
    sem_t *hold;
    sem_t *seen;
};

static void hold_committer(struct spool_write *write, enum rc rc)
{
    struct held_write *held = container_of(write, struct held_write, write);
    assert_int_equal(rc, RC_OK);
    (void)sem_post(held->seen);
    while (sem_wait(held->hold) != 0)
        ;
}

static void post_held(struct fixture *fixture, struct held_write *held,
                      enum spool_kind kind, uint64_t id, bool taken)
{
    held->write.kind = kind;
    held->write.id = id;
    held->write.done = hold_committer;
    assert_int_equal(spool_post(fixture->spool, &held->write), taken);
}

static void a_full_queue_takes_no_put(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture.options.queue_max = 1;
    fixture_open(&fixture);
    sem_t hold;
    sem_t seen;
    assert_int_equal(sem_init(&hold, 0, 0), 0);
    assert_int_equal(sem_init(&seen, 0, 0), 0);
    struct body *body = fixture_body(1, 10);
    struct held_write writes[4];
    for (size_t i = 0; i < ARRAY_LEN(writes); i++)
        writes[i] = (struct held_write){ .write = { .body = body },
                                         .hold = &hold,
                                         .seen = &seen };
    post_held(&fixture, &writes[0], SPOOL_PUT, 1, true);
    while (sem_wait(&seen) != 0)
        ;
    post_held(&fixture, &writes[1], SPOOL_PUT, 2, true);
    assert_false(spool_accepts(fixture.spool, 1));
    post_held(&fixture, &writes[2], SPOOL_PUT, 3, false);
    post_held(&fixture, &writes[3], SPOOL_DROP, 1, true);
    for (int i = 0; i < 3; i++)
        (void)sem_post(&hold);
    fixture_close(&fixture); /* writes out what waits */
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, 1);
    assert_int_equal(fixture.found[0].id, 2);
    body_release(&body);
    fixture_release(&fixture);
    (void)sem_destroy(&hold);
    (void)sem_destroy(&seen);
}

#define THREADS    8u
#define PER_THREAD 1250u

struct sender {
    pthread_t thread;
    struct fixture *fixture;
    uint64_t first_id;
    atomic_size_t *failures;
};

static size_t body_len_of(uint64_t id)
{
    return 200 + id * 37 % 1800;
}

/* No asserts beside the main thread: cmocka jumps. */
static void *send_some(void *context)
{
    struct sender *sender = context;
    struct fixture *fixture = sender->fixture;
    size_t failures = 0;
    for (uint64_t i = 0; i < PER_THREAD; i++) {
        const uint64_t id = sender->first_id + i;
        failures += fixture_put(fixture, id, body_len_of(id)) != RC_OK;
        failures += fixture_check_body(fixture, id) != RC_OK;
        if (i % 3 == 0)
            failures += fixture_state(fixture, id, "state") != RC_OK;
        if (i % 2 == 0)
            failures += fixture_drop(fixture, id) != RC_OK;
    }
    atomic_fetch_add(sender->failures, failures);
    return NULL;
}

static void ten_thousand_messages_in_eight_threads(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture.options.segment_size = 1u << 20;
    fixture_open(&fixture);
    atomic_size_t failures;
    atomic_init(&failures, 0);
    struct sender senders[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){
            .fixture = &fixture,
            .first_id = 1 + i * PER_THREAD,
            .failures = &failures,
        };
        assert_int_equal(
            pthread_create(&senders[i].thread, NULL, send_some, &senders[i]),
            0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        (void)pthread_join(senders[i].thread, NULL);
    assert_int_equal(atomic_load(&failures), 0);
    const struct spool_stats stats = fixture_stats(&fixture);
    assert_true(stats.syncs < stats.writes);
    assert_int_equal(stats.messages, THREADS * PER_THREAD / 2);

    fixture_close(&fixture);
    fixture_open(&fixture);
    assert_int_equal(fixture.found_count, THREADS * PER_THREAD / 2);
    for (size_t i = 0; i < fixture.found_count; i++) {
        const struct found_message *found = &fixture.found[i];
        const uint64_t nth = (found->id - 1) % PER_THREAD;
        assert_int_equal(nth % 2, 1);
        assert_string_equal(found->state, nth % 3 == 0 ? "state" : "");
        assert_int_equal(fixture_check_body(&fixture, found->id), RC_OK);
    }
    fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_outlive_a_restart),
        cmocka_unit_test(the_living_are_told_without_being_read),
        cmocka_unit_test(a_spool_has_one_router),
        cmocka_unit_test(dead_segments_are_used_again),
        cmocka_unit_test(ids_go_on_although_all_was_recycled),
        cmocka_unit_test(one_old_message_does_not_pin_the_log),
        cmocka_unit_test(a_long_log_is_cleaned),
        cmocka_unit_test(a_full_queue_takes_no_put),
        cmocka_unit_test(ten_thousand_messages_in_eight_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
