/* test_spool_reader - what was put is read back by the reader's thread: whole,
 * in order, in few system calls, and never wrong. */
#include "tests/unit/spool_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "router/spool/reader.h"
#include "router/spool/segment.h"

static atomic_uint preads;

ssize_t __real_pread64(int fd, void *bytes, size_t len, off_t offset);
ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset);

ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t offset)
{
    atomic_fetch_add(&preads, 1);
    return __real_pread64(fd, bytes, len, offset);
}

/* One read and who waits for it. */
struct asker {
    struct spool_read read;
    sem_t answered;
    sem_t *hold; /* keeps the reader in `done` until it is posted */
    unsigned answers;
    unsigned nth; /* of all answers */
};

static atomic_uint answers_given;

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        ;
}

static void note_answer(struct spool_read *read)
{
    struct asker *asker = container_of(read, struct asker, read);
    asker->answers++;
    asker->nth = atomic_fetch_add(&answers_given, 1);
    sem_t *hold = asker->hold;
    (void)sem_post(&asker->answered);
    if (hold)
        wait_for(hold);
}

static void asker_init(struct asker *asker, uint64_t id, bool with_body)
{
    *asker = (struct asker){
        .read = { .id = id, .with_body = with_body, .done = note_answer }
    };
    assert_int_equal(sem_init(&asker->answered, 0, 0), 0);
}

static void asker_release(struct asker *asker)
{
    spool_read_release(&asker->read);
    (void)sem_destroy(&asker->answered);
}

static enum rc ask(struct fixture *fixture, struct asker *asker, uint64_t id,
                   bool with_body)
{
    asker_init(asker, id, with_body);
    spool_read(fixture->spool, &asker->read);
    wait_for(&asker->answered);
    assert_int_equal(asker->answers, 1);
    return asker->read.rc;
}

static bool body_is_right(const struct body *body, uint64_t id, size_t len)
{
    struct body *expected = fixture_body(id, len);
    const bool right =
        body && slice_equal(body_slice(body), body_slice(expected));
    body_release(&expected);
    return right;
}

static bool envelope_is_right(const struct spool_read *read, size_t body_len)
{
    char envelope[FIXTURE_TEXT_MAX];
    (void)snprintf(envelope, sizeof envelope, "envelope %llu %zu",
                   (unsigned long long)read->id, body_len);
    return slice_equal(read->envelope, slice_text(envelope));
}

static void check_whole(struct fixture *fixture, uint64_t id, size_t body_len,
                        const char *state)
{
    struct asker asker;
    assert_int_equal(ask(fixture, &asker, id, true), RC_OK);
    assert_true(envelope_is_right(&asker.read, body_len));
    assert_true(slice_equal(asker.read.state, slice_text(state)));
    assert_true(body_is_right(asker.read.body, id, body_len));
    asker_release(&asker);
    assert_int_equal(ask(fixture, &asker, id, false), RC_OK);
    assert_true(envelope_is_right(&asker.read, body_len));
    assert_true(slice_equal(asker.read.state, slice_text(state)));
    assert_null(asker.read.body);
    asker_release(&asker);
}

static void whole_messages_come_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    static const size_t lens[] = { 0, 1, 3000, 5000, 100000, 1000000 };
    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        assert_int_equal(fixture_put(&fixture, i + 1, lens[i]), RC_OK);
    assert_int_equal(fixture_state(&fixture, 3, "first"), RC_OK);
    assert_int_equal(fixture_state(&fixture, 3, "second"), RC_OK);
    assert_int_equal(fixture_state(&fixture, 6, "large"), RC_OK);
    for (int life = 0; life < 2; life++) {
        for (size_t i = 0; i < ARRAY_LEN(lens); i++)
            check_whole(&fixture, i + 1, lens[i],
                        i == 2   ? "second"
                        : i == 5 ? "large"
                                 : "");
        fixture_close(&fixture);
        fixture_open(&fixture);
    }
    fixture_release(&fixture);
}

/* Larger than what is read at once without a body. */
static void a_long_envelope_and_state_come_back(void **state)
{
    (void)state;
    struct fixture fixture;
    struct asker asker;
    fixture_init(&fixture, "/tmp");
    fixture.options.segment_size = 1u << 20;
    fixture_open(&fixture);
    struct body *body = fixture_body(1, 500000);
    const struct slice envelope = slice_of(body->bytes, 300001);
    const struct slice status = slice_of(body->bytes + 7, 20003);
    assert_int_equal(fixture_write(&fixture, SPOOL_PUT, 1, envelope, body),
                     RC_OK);
    assert_int_equal(fixture_write(&fixture, SPOOL_STATE, 1, status, NULL),
                     RC_OK);
    for (int with_body = 0; with_body < 2; with_body++) {
        assert_int_equal(ask(&fixture, &asker, 1, with_body), RC_OK);
        assert_true(slice_equal(asker.read.envelope, envelope));
        assert_true(slice_equal(asker.read.state, status));
        assert_int_equal(with_body, asker.read.body != NULL);
        if (with_body)
            assert_true(body_is_right(asker.read.body, 1, 500000));
        asker_release(&asker);
    }
    body_release(&body);
    fixture_release(&fixture);
}

static void who_is_gone_is_not_found(void **state)
{
    (void)state;
    struct fixture fixture;
    struct asker asker;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_int_equal(ask(&fixture, &asker, 1, true), RC_NONE);
    asker_release(&asker);
    assert_int_equal(fixture_put(&fixture, 1, 10), RC_OK);
    check_whole(&fixture, 1, 10, "");
    assert_int_equal(fixture_drop(&fixture, 1), RC_OK);
    assert_int_equal(ask(&fixture, &asker, 1, true), RC_NONE);
    assert_true(slice_is_empty(asker.read.envelope));
    assert_null(asker.read.body);
    asker_release(&asker);
    fixture_release(&fixture);
}

static void a_moved_message_comes_back_with_its_state(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, fixture_memory_folder());
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1, 3000), RC_OK);
    assert_int_equal(fixture_state(&fixture, 1, "waits"), RC_OK);
    for (uint64_t id = 2; id <= 300; id++) {
        assert_int_equal(fixture_put(&fixture, id, 2500), RC_OK);
        assert_int_equal(fixture_drop(&fixture, id), RC_OK);
    }
    assert_true(fixture_stats(&fixture).segments <= 3);
    check_whole(&fixture, 1, 3000, "waits");
    fixture_release(&fixture);
}

/* Keeps the reader busy while others queue up behind. */
struct held {
    struct asker first;
    sem_t go_on;
};

static void hold_reader(struct fixture *fixture, struct held *held)
{
    assert_int_equal(sem_init(&held->go_on, 0, 0), 0);
    asker_init(&held->first, UINT64_MAX, false);
    held->first.hold = &held->go_on;
    spool_read(fixture->spool, &held->first.read);
    wait_for(&held->first.answered);
}

static void let_go(struct held *held)
{
    (void)sem_post(&held->go_on);
}

static void held_release(struct held *held)
{
    asker_release(&held->first);
    (void)sem_destroy(&held->go_on);
}

#define MANY 40u

static void neighbours_come_with_one_call(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture.options.segment_size = 1u << 20;
    fixture_open(&fixture);
    for (uint64_t id = 1; id <= MANY; id++)
        assert_int_equal(fixture_put(&fixture, id, 2500), RC_OK);
    for (uint64_t id = 1; id <= MANY; id++)
        assert_int_equal(fixture_state(&fixture, id, "waits"), RC_OK);
    struct held held;
    struct asker askers[MANY];
    hold_reader(&fixture, &held);
    for (size_t i = 0; i < MANY; i++) {
        asker_init(&askers[i], i + 1, true);
        spool_read(fixture.spool, &askers[i].read);
    }
    const unsigned before = atomic_load(&preads);
    let_go(&held);
    for (size_t i = 0; i < MANY; i++) {
        struct asker *asker = &askers[i];
        wait_for(&asker->answered);
        assert_int_equal(asker->read.rc, RC_OK);
        assert_true(i == 0 || asker->nth > askers[i - 1].nth);
        assert_true(envelope_is_right(&asker->read, 2500));
        assert_true(slice_equal(asker->read.state, SLICE("waits")));
        assert_true(body_is_right(asker->read.body, i + 1, 2500));
    }
    const unsigned calls = atomic_load(&preads) - before;
    assert_true(calls >= 2 && calls <= 4);
    for (size_t i = 0; i < MANY; i++)
        asker_release(&askers[i]);
    held_release(&held);
    fixture_release(&fixture);
}

static void an_urgent_read_goes_first(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    for (uint64_t id = 1; id <= 3; id++)
        assert_int_equal(fixture_put(&fixture, id, 100), RC_OK);
    struct held held;
    struct asker askers[3];
    hold_reader(&fixture, &held);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        asker_init(&askers[i], i + 1, false);
        askers[i].read.urgent = i == 2;
        spool_read(fixture.spool, &askers[i].read);
    }
    let_go(&held);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++)
        wait_for(&askers[i].answered);
    assert_true(askers[2].nth < askers[0].nth);
    assert_true(askers[0].nth < askers[1].nth);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++)
        asker_release(&askers[i]);
    held_release(&held);
    fixture_release(&fixture);
}

static void flip_byte(const struct fixture *fixture, uint64_t offset)
{
    char path[128];
    char byte = 0;
    (void)snprintf(path, sizeof path, "%s/%016x.seg", fixture->path, 1u);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
    byte = (char)~byte;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    (void)close(fd);
}

/* Message 2 of three lies from `at` on; its state behind all three. */
static void check_damage(uint64_t at, enum spool_part part)
{
    struct fixture fixture;
    struct asker asker;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    for (uint64_t id = 1; id <= 3; id++)
        assert_int_equal(fixture_put(&fixture, id, 1000), RC_OK);
    assert_int_equal(fixture_state(&fixture, 2, "waits"), RC_OK);
    flip_byte(&fixture, at);
    assert_int_equal(ask(&fixture, &asker, 2, true), RC_SYNTAX);
    assert_int_equal(asker.read.failed, part);
    assert_non_null(strstr(asker.read.fault.text, "damaged"));
    assert_null(asker.read.body);
    assert_int_equal(atomic_load(&fixture.heard[SPOOL_DAMAGED]), 1);
    assert_int_equal(atomic_load(&fixture.heard_id), 2);
    assert_int_equal(fixture_stats(&fixture).damaged, 1);
    assert_int_equal(!slice_is_empty(asker.read.envelope),
                     part != SPOOL_ENVELOPE);
    assert_int_equal(!slice_is_empty(asker.read.state), part == SPOOL_BODY);
    asker_release(&asker);
    check_whole(&fixture, 1, 1000, "");
    check_whole(&fixture, 3, 1000, "");
    fixture_release(&fixture);
}

static void a_damaged_part_is_never_handed_out(void **state)
{
    (void)state;
    const uint64_t size = 1080; /* 64 + 15 + 1000, on a multiple of 8 */
    const uint64_t second = SEGMENT_START + size;
    check_damage(second + 10, SPOOL_ENVELOPE); /* its header */
    check_damage(second + 64, SPOOL_ENVELOPE);
    check_damage(second + 64 + 15, SPOOL_BODY);
    check_damage(second + 64 + 15 + 999, SPOOL_BODY);
    check_damage(SEGMENT_START + 3 * size + 40, SPOOL_STATUS);
    check_damage(SEGMENT_START + 3 * size + 64, SPOOL_STATUS);
}

static void a_stopped_reader_answers_all(void **state)
{
    (void)state;
    struct reader *reader = reader_new(NULL);
    struct asker askers[100];
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        asker_init(&askers[i], i + 1, true);
        reader_ask(reader, &askers[i].read);
    }
    reader_stop(reader);
    (void)reader_run(reader);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        assert_int_equal(askers[i].answers, 1);
        assert_int_equal(askers[i].read.rc, RC_CLOSED);
        asker_release(&askers[i]);
    }
    reader_free(&reader);
}

static void closing_answers_all(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "/tmp");
    fixture_open(&fixture);
    assert_int_equal(fixture_put(&fixture, 1, 100), RC_OK);
    struct asker askers[200];
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        asker_init(&askers[i], 1, true);
        spool_read(fixture.spool, &askers[i].read);
    }
    fixture_close(&fixture);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        assert_int_equal(askers[i].answers, 1);
        assert_true(askers[i].read.rc == RC_OK
                    || askers[i].read.rc == RC_CLOSED);
        asker_release(&askers[i]);
    }
    fixture_release(&fixture);
}

#define THREADS    4u
#define PER_THREAD 300u

struct user {
    pthread_t thread;
    struct fixture *fixture;
    uint64_t first_id;
    unsigned failures;
};

/* No asserts beside the main thread: cmocka jumps. */
static unsigned use_one(struct fixture *fixture, uint64_t id)
{
    const size_t len = id * 53 % 4000;
    unsigned failures = fixture_put(fixture, id, len) != RC_OK;
    failures += fixture_state(fixture, id, "state") != RC_OK;
    struct asker asker;
    asker_init(&asker, id, true);
    spool_read(fixture->spool, &asker.read);
    wait_for(&asker.answered);
    failures += asker.read.rc != RC_OK || !envelope_is_right(&asker.read, len)
                || !slice_equal(asker.read.state, SLICE("state"))
                || !body_is_right(asker.read.body, id, len);
    asker_release(&asker);
    if (id % 16 != 0)
        failures += fixture_drop(fixture, id) != RC_OK;
    return failures;
}

static void *use_spool(void *context)
{
    struct user *user = context;
    for (uint64_t i = 0; i < PER_THREAD; i++)
        user->failures += use_one(user->fixture, user->first_id + i);
    return NULL;
}

/* Small segments, so that they leave and are cleaned while others read. */
static void readers_and_the_committer_keep_apart(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, fixture_memory_folder());
    fixture_open(&fixture);
    struct user users[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        users[i] = (struct user){ .fixture = &fixture,
                                  .first_id = 1 + i * PER_THREAD };
        assert_int_equal(
            pthread_create(&users[i].thread, NULL, use_spool, &users[i]), 0);
    }
    unsigned failures = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(users[i].thread, NULL);
        failures += users[i].failures;
    }
    assert_int_equal(failures, 0);
    for (uint64_t id = 16; id <= THREADS * PER_THREAD; id += 16)
        check_whole(&fixture, id, id * 53 % 4000, "state");
    fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_messages_come_back),
        cmocka_unit_test(a_long_envelope_and_state_come_back),
        cmocka_unit_test(who_is_gone_is_not_found),
        cmocka_unit_test(a_moved_message_comes_back_with_its_state),
        cmocka_unit_test(neighbours_come_with_one_call),
        cmocka_unit_test(an_urgent_read_goes_first),
        cmocka_unit_test(a_damaged_part_is_never_handed_out),
        cmocka_unit_test(a_stopped_reader_answers_all),
        cmocka_unit_test(closing_answers_all),
        cmocka_unit_test(readers_and_the_committer_keep_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
