/* test_pull - how many jobs a worker asks for, and how far ahead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/attr.h"
#include "workers/limits/gate.h"
#include "workers/sites/credit.h"

static void jobs_are_asked_for_that_can_be_begun(void **state)
{
    (void)state;

    static const struct credit_means base = {
        .slots = 20, .allowed = 20, .ahead = 2, .tokens = GATE_UNLIMITED
    };
    static const struct {
        uint32_t used, allowed, lines, busy, leaving, kept, tokens, queued;
        uint32_t needed;
        bool is_trial;
        uint64_t able;
    } cases[] = {
        /* nothing is open: what may be opened */
        { 0, 20, 0, 0, 0, 0, GATE_UNLIMITED, 0, 0, false, 20 },
        { 0, 20, 0, 0, 0, 0, GATE_UNLIMITED, 5, 0, false, 15 },
        /* idle lines take a job each, busy ones as many as become free soon */
        { 20, 20, 20, 0, 0, 0, GATE_UNLIMITED, 0, 0, false, 20 },
        { 20, 20, 20, 20, 0, 0, GATE_UNLIMITED, 0, 0, false, 2 },
        { 20, 20, 20, 20, 0, 0, GATE_UNLIMITED, 2, 0, false, 0 },
        { 20, 20, 20, 19, 1, 0, GATE_UNLIMITED, 0, 0, false, 2 },
        /* one is kept for urgent mail */
        { 20, 20, 20, 19, 0, 1, GATE_UNLIMITED, 0, 0, false, 2 },
        { 0, 20, 0, 0, 0, 1, GATE_UNLIMITED, 0, 0, false, 19 },
        /* all lines are another lane's: only what goes before all else */
        { 20, 10, 0, 0, 0, 0, GATE_UNLIMITED, 0, 0, false, 0 },
        { 20, 10, 0, 0, 0, 0, GATE_UNLIMITED, 0, 3, false, 3 },
        { 20, 20, 20, 20, 0, 0, GATE_UNLIMITED, 2, 3, false, 3 },
        { 20, 20, 20, 20, 0, 0, GATE_UNLIMITED, 5, 3, false, 0 },
        /* tokens are the bound */
        { 20, 20, 20, 0, 0, 0, 3, 0, 0, false, 4 },
        /* the site shall show that it is back */
        { 0, 20, 0, 0, 0, 0, GATE_UNLIMITED, 0, 3, true, 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credit_means means = base;
        means.slots_used = cases[i].used;
        means.allowed = cases[i].allowed;
        means.lines = cases[i].lines;
        means.busy = cases[i].busy;
        means.leaving = cases[i].leaving;
        means.kept = cases[i].kept;
        means.tokens = cases[i].tokens;
        means.queued = cases[i].queued;
        means.needed = cases[i].needed;
        means.is_trial = cases[i].is_trial;
        assert_int_equal(credit_able(&means), cases[i].able);
    }
}

static void idle_lines_of_other_lanes_count(void **state)
{
    (void)state;
    struct credit_means means = { .slots = 20,
                                  .slots_used = 20,
                                  .allowed = 10,
                                  .loans = 3,
                                  .ahead = 2,
                                  .tokens = GATE_UNLIMITED };
    assert_int_equal(credit_able(&means), 3);
    means.queued = 2;
    assert_int_equal(credit_able(&means), 1);
    means.kept = 1;
    assert_int_equal(credit_able(&means), 0);
    means = (struct credit_means){ .slots = 1, .slots_used = 1, .loans = 1 };
    assert_int_equal(credit_able(&means), 0); /* it is not our turn */
}

/* `per_s` jobs for two seconds, each an answer after `answer_ms`. */
static uint32_t ahead_at(uint64_t per_s, uint64_t answer_ms)
{
    struct pace pace = { .window_ms = 5000 };
    for (uint64_t i = 0; i < 2 * per_s; i++) {
        const uint64_t now_ms = 5000 + i * 1000 / per_s;
        pace_ask(&pace, now_ms - answer_ms);
        pace_hear(&pace, now_ms);
    }
    return pace_ahead(&pace);
}

static void a_fast_site_is_asked_for_further_ahead(void **state)
{
    (void)state;
    const struct pace new = { .count = 0 };
    assert_int_equal(pace_ahead(&new), 1);
    assert_int_equal(ahead_at(10, 1), 1);
    assert_in_range(ahead_at(200, 1), 2, 2);    /* 20 lines, 100 ms each */
    assert_in_range(ahead_at(200, 50), 19, 23); /* a router far away */
    assert_in_range(ahead_at(10000, 1), 60, 75);
    assert_int_equal(ahead_at(10, PACE_ANSWER_MS + 1), 1); /* no answer */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_asked_for_that_can_be_begun),
        cmocka_unit_test(idle_lines_of_other_lanes_count),
        cmocka_unit_test(a_fast_site_is_asked_for_further_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
