/* test_berths - lanes of one site part its slots; routes that failed rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workers/sites/berths.h"
#include "workers/sites/rests.h"

#define MOST 3

struct dock {
    struct table all;
    struct berths *berths[MOST];
    struct berth lanes[MOST];
};

static const struct gate *gate_at(uintptr_t address)
{
    return (const struct gate *)address; /* only its address counts */
}

static void open_dock(struct dock *dock)
{
    table_init(&dock->all);
    for (size_t i = 0; i < MOST; i++) {
        dock->lanes[i] = (struct berth){ .want = 0 };
        dock->berths[i] = berths_join(&dock->all, gate_at(64), &dock->lanes[i]);
    }
}

static void close_dock(struct dock *dock)
{
    for (size_t i = 0; i < MOST; i++)
        berths_leave(&dock->all, &dock->berths[i], &dock->lanes[i]);
    assert_int_equal(dock->all.count, 0);
    table_release(&dock->all);
}

static uint32_t allow(const struct dock *dock, size_t lane, uint32_t slots,
                      uint64_t now_ms)
{
    return berths_allow(dock->berths[lane], &dock->lanes[lane], slots, now_ms);
}

static void slots_are_parted_by_what_is_wanted(void **state)
{
    (void)state;
    /* slots, what each wants, what the first may have */
    static const struct {
        uint32_t slots, want[MOST], allowed;
    } cases[] = {
        { 20, { 100, 0, 0 }, 20 },
        { 20, { 100, 100, 0 }, 10 },
        { 20, { 100, 2, 0 }, 18 },
        { 20, { 100, 100, 2 }, 12 },
        { 3, { 100, 100, 100 }, 1 },
        { 0, { 100, 100, 0 }, 0 },
        { GATE_UNLIMITED, { 9, 9, 9 }, GATE_UNLIMITED },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dock dock;
        open_dock(&dock);
        for (size_t lane = 0; lane < MOST; lane++)
            dock.lanes[lane].want = cases[i].want[lane];
        assert_int_equal(allow(&dock, 0, cases[i].slots, 0), cases[i].allowed);
        close_dock(&dock);
    }
}

static void too_few_slots_are_used_in_turn(void **state)
{
    (void)state;
    struct dock dock;
    open_dock(&dock);
    dock.lanes[0].lines = 1;
    dock.lanes[0].want = 5;
    dock.lanes[0].since_ms = 1000;
    dock.lanes[1].want = 5;
    dock.lanes[1].since_ms = 1500;
    assert_int_equal(allow(&dock, 0, 1, 1000 + BERTH_TURN_MS - 1), 1);
    assert_int_equal(allow(&dock, 0, 1, 1000 + BERTH_TURN_MS), 0);
    /* The slot is free: it goes to who has waited for longer. */
    dock.lanes[0].lines = 0;
    dock.lanes[0].since_ms = 1000 + BERTH_TURN_MS;
    assert_int_equal(allow(&dock, 0, 1, 9000), 0);
    assert_int_equal(allow(&dock, 1, 1, 9000), 1);
    dock.lanes[1].since_ms = 9000; /* had no job for it */
    assert_int_equal(allow(&dock, 0, 1, 9001), 1);
    close_dock(&dock);
}

static void urgent_mail_is_not_bound_to_its_part(void **state)
{
    (void)state;
    /* slots; what each wants; slots that its urgent mail can use; allowed */
    static const struct {
        uint32_t slots, want[MOST], urgent[MOST], allowed[MOST];
    } cases[] = {
        { 20, { 100, 15, 0 }, { 0, 15, 0 }, { 5, 15, 20 } },
        { 20, { 100, 100, 0 }, { 0, 3, 0 }, { 10, 10, 10 } },
        { 20, { 100, 50, 0 }, { 0, 40, 0 }, { 0, 20, 20 } },
        { 20, { 100, 100, 0 }, { 30, 30, 0 }, { 10, 10, 0 } },
        { 1, { 5, 5, 0 }, { 0, 1, 0 }, { 0, 1, 0 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dock dock;
        open_dock(&dock);
        for (size_t lane = 0; lane < MOST; lane++) {
            dock.lanes[lane].want = cases[i].want[lane];
            dock.lanes[lane].urgent = cases[i].urgent[lane];
        }
        for (size_t lane = 0; lane < 2; lane++)
            assert_int_equal(allow(&dock, lane, cases[i].slots, 0),
                             cases[i].allowed[lane]);
        close_dock(&dock);
    }
}

static void a_lane_yields_to_a_higher_rank(void **state)
{
    (void)state;
    struct dock dock;
    open_dock(&dock);
    struct berths *berths = dock.berths[0];
    uint32_t yielded = 0;
    for (unsigned i = 0; i < 4 * BERTH_YIELDS; i++) {
        assert_true(berths_yield(berths, WIRE_RANK_BEHIND, WIRE_RANK_URGENT));
        assert_false(berths_yield(berths, WIRE_RANK_NORMAL, WIRE_RANK_NORMAL));
        assert_false(berths_yield(berths, WIRE_RANK_URGENT, WIRE_RANK_URGENT));
        yielded += berths_yield(berths, WIRE_RANK_NORMAL, WIRE_RANK_BEHIND);
    }
    assert_int_equal(yielded, 4 * (BERTH_YIELDS - 1));
    dock.lanes[1].rank = WIRE_RANK_URGENT;
    assert_false(berths_yield_token(berths, &dock.lanes[0], WIRE_RANK_NORMAL));
    dock.lanes[1].wants_token = true;
    assert_true(berths_yield_token(berths, &dock.lanes[0], WIRE_RANK_NORMAL));
    assert_false(berths_yield_token(berths, &dock.lanes[1], WIRE_RANK_NORMAL));
    close_dock(&dock);
}

static void a_route_rests_longer_each_time(void **state)
{
    (void)state;
    struct rests rests;
    struct verdict why;
    verdict_local(&why, (struct enhanced){ 4, 4, 1 }, "nobody there");
    rests_init(&rests);
    rests_add(&rests, 7, &why, 0);
    rests_add(&rests, 7, &why, 10); /* opened with the first: no news */
    assert_non_null(rests_find(&rests, 7, REST_MIN_MS - 1));
    assert_null(rests_find(&rests, 7, REST_MIN_MS));
    assert_null(rests_find(&rests, 8, 0));
    rests_add(&rests, 7, &why, REST_MIN_MS);
    assert_non_null(rests_find(&rests, 7, 3 * REST_MIN_MS - 1));
    assert_null(rests_find(&rests, 7, 3 * REST_MIN_MS));
    rests_forget(&rests, 7);
    rests_add(&rests, 7, &why, 50000);
    assert_null(rests_find(&rests, 7, 50000 + REST_MIN_MS));
    for (uint64_t key = 100; key < 100 + 2 * RESTS_MAX; key++)
        rests_add(&rests, key, &why, 60000);
    assert_int_equal(rests.count, RESTS_MAX);
    assert_null(rests_find(&rests, 100, 60000));
    assert_non_null(rests_find(&rests, 100 + 2 * RESTS_MAX - 1, 60000));
    rests_release(&rests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_parted_by_what_is_wanted),
        cmocka_unit_test(too_few_slots_are_used_in_turn),
        cmocka_unit_test(urgent_mail_is_not_bound_to_its_part),
        cmocka_unit_test(a_lane_yields_to_a_higher_rank),
        cmocka_unit_test(a_route_rests_longer_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
