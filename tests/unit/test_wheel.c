/* test_wheel.c - the timing wheel, and retry schedules. */
#include "router/lanes/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "common/base/time.h"
#include "router/lanes/schedule.h"

#define START 1234567u

static struct wheel wheel;

/* How long the alarm took, looked at every slot for at most `max_ms`. */
static uint64_t rings_after(uint64_t wait_ms)
{
    struct alarm alarm;
    struct list due;
    list_init(&due);
    alarm_init(&alarm);
    wheel_init(&wheel, START);
    wheel_set(&wheel, &alarm, START + wait_ms);
    for (uint64_t now = START; now <= START + wait_ms + 1000; now += 16) {
        wheel_turn(&wheel, now, &due);
        if (!list_is_empty(&due)) {
            wheel_clear(&alarm);
            return now - START;
        }
    }
    return UINT64_MAX;
}

static void alarms_ring_on_time(void **state)
{
    (void)state;
    static const uint64_t waits[] = {
        0,     1,     63,      64,      65,      1000,    16383,   16384,
        16385, 60000, 1048575, 1048576, 1048577, 4200000, 7200000, 20000000,
    };
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        const uint64_t took = rings_after(waits[i]);
        assert_true(took >= waits[i]);
        assert_true(took <= waits[i] + 2 * WHEEL_SLOT_MS);
    }
}

static void a_jump_of_days_rings_all(void **state)
{
    (void)state;
    struct alarm alarms[200];
    struct list due;
    list_init(&due);
    wheel_init(&wheel, START);
    for (size_t i = 0; i < ARRAY_LEN(alarms); i++) {
        alarm_init(&alarms[i]);
        wheel_set(&wheel, &alarms[i], START + i * MINUTES_MS(60));
    }
    wheel_turn(&wheel, START + 100 * MINUTES_MS(60) + 100, &due);
    size_t rung = 0;
    while (list_take(&due))
        rung++;
    assert_int_equal(rung, 101);
    wheel_turn(&wheel, START, &due); /* backwards: nothing */
    assert_true(list_is_empty(&due));
}

static void a_cleared_alarm_is_silent_and_a_moved_one_moves(void **state)
{
    (void)state;
    struct alarm cleared;
    struct alarm moved;
    struct list due;
    list_init(&due);
    alarm_init(&cleared);
    alarm_init(&moved);
    wheel_init(&wheel, START);
    wheel_set(&wheel, &cleared, START + 500);
    wheel_set(&wheel, &moved, START + 500);
    wheel_set(&wheel, &moved, START + 90000);
    assert_true(alarm_is_set(&cleared));
    wheel_clear(&cleared);
    wheel_clear(&cleared);
    assert_false(alarm_is_set(&cleared));
    wheel_turn(&wheel, START + 80000, &due);
    assert_true(list_is_empty(&due));
    wheel_turn(&wheel, START + 91000, &due);
    assert_ptr_equal(due.next, &moved.link);
    wheel_clear(&moved);
}

static void waits_follow_the_schedule(void **state)
{
    (void)state;
    uint64_t waits[] = { 1000, 60000, 600000 };
    const struct conf_schedule schedule = { waits, 3, 125, "1s,1m,10m" };
    static const uint64_t expected[] = { 1000, 60000, 600000, 600000 };
    bool differ = false;
    for (uint32_t attempts = 1; attempts <= 4; attempts++) {
        const uint64_t least = expected[attempts - 1];
        const uint64_t first = schedule_wait_ms(&schedule, attempts, 0);
        for (uint64_t seed = 0; seed < 500; seed++) {
            const uint64_t wait = schedule_wait_ms(&schedule, attempts, seed);
            assert_true(wait >= least);
            assert_true(wait <= least + least / 8);
            differ = differ || wait != first;
            assert_true(wait == schedule_wait_ms(&schedule, attempts, seed));
        }
    }
    assert_true(differ);
}

/* The exact numbers: a change of the scatter would send all that waits at
 * other times than before. */
static void the_sequence_follows_from_the_seed(void **state)
{
    (void)state;
    uint64_t waits[] = { 60000, 300000 };
    const struct conf_schedule plain = { waits, 2, 0, "1m,5m ~0%" };
    const struct conf_schedule shaken = { waits, 2, 200, "1m,5m ~20%" };
    static const uint64_t expected[] = { 66139, 319449, 310402, 309708 };
    for (uint32_t attempts = 1; attempts <= 4; attempts++) {
        assert_true(schedule_wait_ms(&plain, attempts, 7)
                    == (attempts == 1 ? 60000 : 300000));
        assert_int_equal(schedule_wait_ms(&shaken, attempts, 7),
                         expected[attempts - 1]);
    }
}

static void a_wait_that_was_asked_for_counts_at_first(void **state)
{
    (void)state;
    uint64_t waits[] = { 1800000 };
    uint64_t long_waits[] = { 1000, 7200000 };
    const struct conf_schedule schedule = { waits, 1, 0, "30m ~0%" };
    const struct conf_schedule longer = { long_waits, 2, 0, "1s,2h ~0%" };
    static const struct {
        uint64_t asked_ms;
        uint64_t least_ms;
    } cases[] = {
        { 1, SCHEDULE_ASKED_MIN_MS },
        { 300000, 300000 },
        { 3600000, 3600000 },
        { 86400000, 3600000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (uint32_t attempts = 1; attempts <= 4; attempts++) {
            const uint64_t wait = schedule_asked_ms(&schedule, attempts,
                                                    cases[i].asked_ms, 100 + i);
            assert_true(wait >= cases[i].least_ms);
            assert_true(wait <= cases[i].least_ms + cases[i].least_ms / 16);
        }
    assert_int_equal(schedule_asked_ms(&schedule, 5, 300000, 1), 1800000);
    assert_true(schedule_asked_ms(&longer, 1, 86400000, 1) >= 7200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alarms_ring_on_time),
        cmocka_unit_test(a_jump_of_days_rings_all),
        cmocka_unit_test(a_cleared_alarm_is_silent_and_a_moved_one_moves),
        cmocka_unit_test(waits_follow_the_schedule),
        cmocka_unit_test(the_sequence_follows_from_the_seed),
        cmocka_unit_test(a_wait_that_was_asked_for_counts_at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
