/* test_why - what holds a recipient, in words and times. */
#include "router/dispatch/why.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOW 10000000u

static struct why_facts ready(void)
{
    return (struct why_facts){
        .utc_ms = NOW,
        .accepted_utc_ms = NOW - 9000,
        .state = JOB_READY,
        .reply = SLICE(""),
        .pool = SLICE("main"),
        .site = SLICE("google.com"),
        .has_pool = true,
        .is_served = true,
        .is_asked = true,
        .credit = 3,
        .per_minute = 120,
        .place = { .ahead = 50, .in_turn = 2, .in_band = 500, .urgent = 20 },
    };
}

struct expected {
    const char *cause;
    uint64_t since;
    uint64_t earliest;
    const char *text;
};

static void check(const struct why_facts *facts,
                  const struct expected *expected)
{
    struct why why;
    why_decide(facts, &why);
    assert_string_equal(why.cause, expected->cause);
    assert_int_equal(why.since_utc_ms, expected->since);
    assert_int_equal(why.earliest_utc_ms, expected->earliest);
    if (!strstr(why.text, expected->text))
        fail_msg("no \"%s\" in \"%s\"", expected->text, why.text);
}

static void a_place_in_the_lane_gives_a_time(void **state)
{
    (void)state;
    struct why_facts facts = ready();
    /* 100 of two tenants in turn and 20 urgent ones, at two a second. */
    check(&facts, &(struct expected){ "queued", NOW - 9000, NOW + 60000,
                                      "google.com of pool main: 50 of" });
    facts.place.in_band = 11; /* no more than there are */
    check(&facts, &(struct expected){ "queued", NOW - 9000, NOW + 15000, "" });
    facts.place.is_least = true;
    check(&facts, &(struct expected){ "queued", NOW - 9000, NOW + 15000,
                                      "at least 50 of" });
    facts.attempts = 1; /* since when it is ready again nobody knows */
    check(&facts, &(struct expected){ "queued", 0, NOW + 15000, "" });
}

static void who_gives_no_room_is_told(void **state)
{
    (void)state;
    struct why_facts facts = ready();
    facts.per_minute = 0;
    facts.credit = 0;
    check(&facts, &(struct expected){ "limit", NOW - 9000, 0,
                                      "grant nothing more for google.com" });
    facts.is_asked = false;
    check(&facts, &(struct expected){ "not asked for", NOW - 9000, 0,
                                      "none has asked" });
    facts.is_served = false;
    check(&facts, &(struct expected){ "unserved", NOW - 9000, 0,
                                      "no live worker holds a source" });
    facts.has_pool = false;
    check(&facts,
          &(struct expected){ "no pool", NOW - 9000, 0, "not in the config" });
}

static void a_pause_counts_before_all_else(void **state)
{
    (void)state;
    const struct action pause = {
        .id = 1,
        .created_utc_ms = NOW - 5000,
        .until_utc_ms = NOW + 60000,
        .filter = SLICE("stream=bulk"),
        .actor = SLICE("op"),
        .why = SLICE("complaints"),
    };
    struct why_facts facts = ready();
    facts.pause = &pause;
    check(&facts,
          &(struct expected){ "paused", NOW - 5000, NOW + 60000,
                              "by op, rule 0000000000001 (stream=bulk): "
                              "complaints" });
    facts.accepted_utc_ms = NOW - 1000;
    check(&facts, &(struct expected){ "paused", NOW - 1000, NOW + 60000, "" });
    facts.state = JOB_PAUSED;
    check(&facts, &(struct expected){ "paused", NOW - 1000, NOW + 60000, "" });
    /* What waits for its time waits for that first. */
    facts.state = JOB_WAITING;
    facts.next_utc_ms = NOW + 700;
    check(&facts, &(struct expected){ "waiting", 0, NOW + 700, "" });
}

static void a_retry_tells_its_reply_and_its_schedule(void **state)
{
    (void)state;
    struct why_facts facts = {
        .utc_ms = NOW,
        .state = JOB_WAITING,
        .attempts = 2,
        .code = 451,
        .reply = SLICE("greylisted"),
        .next_utc_ms = NOW + 40000,
        .wait_ms = 60000,
        .step = 2,
        .steps = 4,
        .schedule = SLICE("a.cfg:7"),
    };
    check(&facts, &(struct expected){ "waiting", NOW - 20000, NOW + 40000,
                                      "attempt 3, the reply to the last was "
                                      "451 greylisted; wait 2 of 4 of "
                                      "the schedule of a.cfg:7" });
    facts.code = 0;
    facts.wait_ms = 0;
    check(&facts, &(struct expected){ "waiting", 0, NOW + 40000,
                                      "attempt 3: greylisted" });
    facts.attempts = 0;
    facts.reply = SLICE("the DNS is slow");
    check(&facts, &(struct expected){ "waiting", 0, NOW + 40000,
                                      "no attempt was made: the DNS is slow" });
}

static void each_other_state_has_its_word(void **state)
{
    (void)state;
    static const struct {
        enum job_state state;
        struct expected expected;
    } cases[] = {
        { JOB_LEASED,
          { "delivering", NOW - 30, NOW, "worker w from source s" } },
        { JOB_HELD, { "held", 0, 0, "release" } },
        { JOB_RESOLVING, { "resolving", 0, 0, "DNS" } },
        { JOB_FOUND, { "recovered", 0, NOW + 900, "restart" } },
        { JOB_CLAIMED, { "claimed", 0, 0, "worker" } },
        { JOB_BOUNCING, { "reporting", 0, 0, "report" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct why_facts facts = {
            .utc_ms = NOW,
            .state = cases[i].state,
            .reply = SLICE(""),
            .worker = SLICE("w"),
            .source = SLICE("s"),
            .leased_utc_ms = NOW - 30,
            .next_utc_ms = NOW + 100,
            .release_utc_ms = NOW + 900,
        };
        check(&facts, &cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_in_the_lane_gives_a_time),
        cmocka_unit_test(who_gives_no_room_is_told),
        cmocka_unit_test(a_pause_counts_before_all_else),
        cmocka_unit_test(a_retry_tells_its_reply_and_its_schedule),
        cmocka_unit_test(each_other_state_has_its_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
