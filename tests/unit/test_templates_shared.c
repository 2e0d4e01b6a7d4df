/*
 * test_templates_shared - routers share budgets and states of templates over a
 * real redis-server, in good days and bad.
 *
 * Each router of the yard has its own table and keeper. A campaign is sent
 * through all of them in turn, as fast as it goes, and what they protect of it
 * is counted.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/templates/keeper.h"
#include "tests/unit/redis_fixture.h"

#define ROUTERS_MAX 4u
#define TURN_MS     2u

struct router {
    char folder[64];
    struct templates *templates;
    struct keeper *keeper;
    unsigned tripped;
};

struct yard {
    struct loop *loop;
    struct timer *stop;
    struct router routers[ROUTERS_MAX];
    unsigned router_count;
    char folder[32];
    char path[64];
    char url[80];
    pid_t redis;
    uint32_t recipient;
};

static const struct guard_rules rules = {
    .recipients = 50,
    .per_ms = HOURS_MS(1),
    .tenant = 150,
    .trust_after_ms = HOURS_MS(72),
    .trip_recipients = 5000,
    .trip_within_ms = MINUTES_MS(10),
    .complaints = 3000,
    .hard_bounces = 80000,
};

static void stop(void *context)
{
    loop_stop(context);
}

static void run_for(struct yard *yard, uint64_t ms)
{
    loop_turn(yard->loop);
    timer_set(yard->stop, time_now_ms() + ms);
    loop_run(yard->loop);
}

static void hear_tripped(void *context, const struct template_record *record,
                         enum guard_change why)
{
    struct router *router = context;
    (void)record;
    (void)why;
    router->tripped++;
}

static void open_router(struct yard *yard, unsigned i)
{
    struct router *router = &yard->routers[i];
    struct guard_rules its = rules;
    struct fault fault;
    its.routers = yard->router_count;
    its.is_alone = yard->router_count == 1;
    router->templates = templates_new();
    templates_reconf(router->templates, &its, 1000);
    const struct keeper_options options = {
        .templates = router->templates,
        .folder = router->folder,
        .redis = { .url = yard->url },
        .prefix = "test:",
        .max_templates = 1000,
        .tripped = hear_tripped,
        .context = router,
    };
    router->keeper = keeper_new(yard->loop, &options, &fault);
    assert_non_null(router->keeper);
}

#define FILES 3u

static void path_of(const struct router *router, unsigned i, char path[80])
{
    static const char *const names[FILES] = { "templates", "templates.0",
                                              "templates.1" };
    (void)snprintf(path, 80, "%s/%s", router->folder, names[i]);
}

static void close_router(struct yard *yard, unsigned i)
{
    struct router *router = &yard->routers[i];
    char path[80];
    keeper_free(&router->keeper);
    templates_free(&router->templates);
    for (unsigned k = 0; k < FILES; k++) {
        path_of(router, k, path);
        (void)unlink(path);
    }
    loop_turn(yard->loop);
}

/* As a process that is killed: it has what its files had at that moment. */
static void kill_router(struct yard *yard, unsigned i)
{
    struct router *router = &yard->routers[i];
    struct buf files[FILES];
    char path[80];
    for (unsigned k = 0; k < FILES; k++) {
        path_of(router, k, path);
        buf_init(&files[k], 1u << 20);
        (void)file_read(path, &files[k]);
    }
    close_router(yard, i);
    for (unsigned k = 0; k < FILES; k++) {
        path_of(router, k, path);
        const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_true(file_write(fd, buf_slice(&files[k])));
        (void)close(fd);
        buf_release(&files[k]);
    }
    open_router(yard, i);
}

static void begin(struct yard *yard, unsigned routers)
{
    *yard = (struct yard){ .router_count = routers };
    yard->loop = loop_new();
    yard->stop = timer_new(yard->loop, stop, yard->loop);
    (void)snprintf(yard->folder, sizeof yard->folder, "/tmp/guard.XXXXXX");
    assert_non_null(mkdtemp(yard->folder));
    (void)snprintf(yard->path, sizeof yard->path, "%s/s", yard->folder);
    (void)snprintf(yard->url, sizeof yard->url, "unix://%s", yard->path);
    yard->redis = redis_start(yard->path);
    for (unsigned i = 0; i < routers; i++) {
        struct router *router = &yard->routers[i];
        (void)snprintf(router->folder, sizeof router->folder, "%s/%u",
                       yard->folder, i);
        assert_int_equal(mkdir(router->folder, 0700), 0);
        open_router(yard, i);
    }
    run_for(yard, 2000);
}

static void end(struct yard *yard)
{
    for (unsigned i = 0; i < yard->router_count; i++) {
        close_router(yard, i);
        assert_int_equal(rmdir(yard->routers[i].folder), 0);
    }
    redis_stop(&yard->redis);
    (void)unlink(yard->path);
    (void)rmdir(yard->folder);
    timer_free(&yard->stop);
    loop_free(&yard->loop);
}

/* A template's text: `varies` in all its words, or only in some. */
static void sketch_of(uint32_t seed, uint32_t some, struct sketch *sketch)
{
    memset(sketch, 0, sizeof *sketch);
    sketch->word_count = 100;
    sketch->skeleton = 5;
    for (uint32_t i = 0; i < SKETCH_HASHES; i++)
        sketch->min_hashes[i] = seed * 1000003 + i;
    sketch->min_hashes[some % 6] += some;
}

static bool send(struct yard *yard, unsigned i, const struct sketch *sketch,
                 struct judge_standing *standing)
{
    struct templates_ticket ticket;
    char address[64];
    const struct templates_finding finding = { .points = 300,
                                               .is_candidate = true,
                                               .needs_budget = true };
    (void)snprintf(address, sizeof address, "u%u@example.com",
                   yard->recipient++);
    const struct slice to = slice_text(address);
    templates_ticket(yard->routers[i].templates, SLICE("acme"), sketch, &to, 1,
                     &ticket);
    return templates_take(yard->routers[i].templates, &ticket, &finding,
                          time_utc_ms(), standing);
}

enum wording { WORDS_SAME, WORDS_SOME_VARY, WORDS_ALL_VARY };

/* What is protected of a campaign to `count`. */
static uint32_t campaign(struct yard *yard, uint32_t seed, uint32_t count,
                         enum wording words)
{
    uint32_t leaked = 0;
    struct sketch sketch;
    struct judge_standing standing;
    for (uint32_t i = 0; i < count; i++) {
        sketch_of(words == WORDS_ALL_VARY ? seed + i : seed,
                  words == WORDS_SOME_VARY ? i : 0, &sketch);
        leaked += send(yard, i % yard->router_count, &sketch, &standing);
        if (i % 5 == 0)
            run_for(yard, TURN_MS);
    }
    return leaked;
}

static void test_a_campaign_leaks_its_budget(void **state)
{
    (void)state;
    for (unsigned routers = 1; routers <= 4; routers += routers) {
        static const uint32_t most[] = {
            [WORDS_SAME] = 50, [WORDS_SOME_VARY] = 50, [WORDS_ALL_VARY] = 150
        };
        struct yard yard;
        uint32_t sum = 0;
        begin(&yard, routers);
        for (int words = WORDS_SAME; words <= WORDS_ALL_VARY; words++) {
            const uint32_t leaked = campaign(&yard, 1000 * (uint32_t)words + 7,
                                             600, (enum wording)words);
            print_message("%u routers, words %d: %u leaked\n", routers, words,
                          leaked);
            assert_true(leaked <= most[words]);
            assert_true(leaked >= 25); /* a share may be where none comes */
            sum += leaked;
        }
        assert_true(sum <= 150); /* they are of one tenant */
        end(&yard);
    }
}

static void test_without_redis_each_has_its_part(void **state)
{
    (void)state;
    struct yard yard;
    begin(&yard, 2);
    redis_stop(&yard.redis);
    run_for(&yard, 1500);
    assert_in_range(campaign(&yard, 1, 300, WORDS_SAME), 48, 50);
    assert_true(campaign(&yard, 1000, 600, WORDS_ALL_VARY) <= 150 - 48);
    end(&yard);
}

/* The worst: one router had all of it, and the others their part. */
static void test_redis_is_lost_in_a_campaign(void **state)
{
    (void)state;
    struct yard yard;
    struct sketch sketch;
    struct judge_standing standing;
    uint32_t leaked = 0;
    begin(&yard, 2);
    sketch_of(1, 0, &sketch);
    for (uint32_t i = 0; i < 200; i++) {
        leaked += send(&yard, 0, &sketch, &standing);
        run_for(&yard, TURN_MS);
    }
    assert_in_range(leaked, 38, 44); /* but for the other's reserve */
    redis_stop(&yard.redis);
    run_for(&yard, 1500);
    leaked += campaign(&yard, 1, 300, WORDS_SAME);
    assert_true(leaked <= 75);
    end(&yard);
}

/* Every router is killed several times in the middle, as the messages come. */
static void test_restarts_buy_nothing(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        const enum wording words = kind % 2 ? WORDS_ALL_VARY : WORDS_SAME;
        const bool has_redis = kind < 2;
        struct yard yard;
        uint32_t leaked = 0;
        begin(&yard, 2);
        if (!has_redis) {
            redis_stop(&yard.redis);
            run_for(&yard, 1500);
        }
        for (unsigned i = 0; i < 8; i++) {
            leaked += campaign(&yard, words == WORDS_SAME ? 7 : 1000 * i,
                               i < 6 ? 10 : 600, words);
            kill_router(&yard, i % 2);
            if (i == 6) /* the part of a router alone is not had at once */
                run_for(&yard, 2500);
        }
        print_message("redis %d, words %d: %u leaked\n", has_redis, words,
                      leaked);
        assert_true(leaked <= (words == WORDS_SAME ? 50 : 150));
        assert_true(leaked >= 12); /* shares that were not used are lost */
        end(&yard);
    }
}

static enum judge_state state_at(struct yard *yard, unsigned i, uint32_t seed)
{
    struct sketch sketch;
    struct judge_standing standing;
    struct templates_ticket ticket;
    sketch_of(seed, 0, &sketch);
    const struct slice to = SLICE("a@example.com");
    templates_ticket(yard->routers[i].templates, SLICE("acme"), &sketch, &to, 1,
                     &ticket);
    templates_look(yard->routers[i].templates, &ticket, time_utc_ms(),
                   &standing);
    return standing.state;
}

static uint64_t meet(struct yard *yard, unsigned i, uint32_t seed)
{
    struct sketch sketch;
    struct judge_standing standing;
    sketch_of(seed, 0, &sketch);
    (void)send(yard, i, &sketch, &standing);
    return standing.id;
}

static void test_states_are_known_to_all(void **state)
{
    (void)state;
    struct yard yard;
    begin(&yard, 2);
    const uint64_t trusted = meet(&yard, 0, 1);
    const uint64_t tripped = meet(&yard, 1, 2);
    assert_int_equal(meet(&yard, 1, 1), trusted);
    assert_true(templates_set(yard.routers[0].templates, trusted,
                              TEMPLATE_TRUSTED, time_utc_ms()));
    assert_true(templates_set(yard.routers[1].templates, tripped,
                              TEMPLATE_TRIPPED, time_utc_ms()));
    run_for(&yard, 1500);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(state_at(&yard, i, 1), TEMPLATE_TRUSTED);
        assert_int_equal(state_at(&yard, i, 2), TEMPLATE_TRIPPED);
    }
    assert_int_equal(yard.routers[1].tripped, 1);
    /* A later word counts, whoever says it. */
    assert_true(templates_set(yard.routers[0].templates, tripped,
                              TEMPLATE_TRUSTED, time_utc_ms()));
    run_for(&yard, 1500);
    assert_int_equal(state_at(&yard, 1, 2), TEMPLATE_TRUSTED);
    /* What is said while Redis is away, and has lost all, counts as well. */
    redis_stop(&yard.redis);
    run_for(&yard, 700);
    assert_true(templates_set(yard.routers[0].templates, trusted,
                              TEMPLATE_TRIPPED, time_utc_ms()));
    assert_true(templates_set(yard.routers[1].templates, tripped, TEMPLATE_NEW,
                              time_utc_ms()));
    yard.redis = redis_start(yard.path);
    run_for(&yard, 5000);
    assert_int_equal(state_at(&yard, 1, 1), TEMPLATE_TRIPPED);
    assert_int_equal(state_at(&yard, 1, 2), TEMPLATE_NEW);
    end(&yard);
}

static uint64_t meet_variant(struct yard *yard, unsigned i, uint32_t seed,
                             uint32_t some)
{
    struct sketch sketch;
    struct judge_standing standing;
    sketch_of(seed, some, &sketch);
    (void)send(yard, i, &sketch, &standing);
    return standing.id;
}

struct sought {
    uint64_t id;
    struct guard_template found;
};

static void seek(void *context, const struct template_record *record)
{
    struct sought *sought = context;
    if (record->template.id == sought->id)
        sought->found = record->template;
}

static struct guard_template template_at(struct yard *yard, unsigned i,
                                         uint64_t id)
{
    struct sought sought = { .id = id };
    templates_each(yard->routers[i].templates, seek, &sought);
    return sought.found;
}

/* Two routers meet one template in the same moment, each under its own id. */
static void test_a_template_is_known_by_the_ids_it_had(void **state)
{
    (void)state;
    struct yard yard;
    begin(&yard, 2);
    const uint64_t first = meet_variant(&yard, 0, 1, 0);
    const uint64_t second = meet_variant(&yard, 1, 1, 2);
    assert_int_not_equal(first, second);
    run_for(&yard, 1500);
    const uint64_t now = meet(&yard, 0, 1);
    const uint64_t before = now == first ? second : first;
    const unsigned renamed = now == first;
    assert_int_equal(meet(&yard, 1, 1), now);
    for (unsigned i = 0; i < 2; i++) {
        struct templates *templates = yard.routers[i].templates;
        assert_int_equal(templates_resolve(templates, before), now);
        assert_int_equal(templates_resolve(templates, now), now);
    }
    /* What became of its first message, whose envelope has the old id; also
     * when the router was killed meanwhile. */
    kill_router(&yard, renamed);
    templates_hear(yard.routers[renamed].templates, before, GUARD_HARD_BOUNCE,
                   1, time_utc_ms());
    assert_int_equal(template_at(&yard, renamed, now).bounced, 1);
    /* A word by the old id, at the other router. */
    assert_true(templates_set(yard.routers[!renamed].templates, before,
                              TEMPLATE_TRIPPED, time_utc_ms()));
    run_for(&yard, 1500);
    assert_int_equal(state_at(&yard, 0, 1), TEMPLATE_TRIPPED);
    assert_int_equal(state_at(&yard, 1, 1), TEMPLATE_TRIPPED);
    /* A Redis that lost all hears the names again. */
    redis_stop(&yard.redis);
    run_for(&yard, 700);
    yard.redis = redis_start(yard.path);
    run_for(&yard, 3000);
    close_router(&yard, !renamed);
    open_router(&yard, !renamed); /* which knows nothing any more */
    run_for(&yard, 1500);
    assert_int_equal(
        templates_resolve(yard.routers[!renamed].templates, before), now);
    end(&yard);
}

/* Two words in the same second: all come to the stricter one. */
static void test_words_at_once_lead_to_one(void **state)
{
    (void)state;
    for (unsigned strict = 0; strict < 2; strict++) {
        struct yard yard;
        begin(&yard, 2);
        const uint64_t id = meet(&yard, 0, 1);
        assert_int_equal(meet(&yard, 1, 1), id);
        const uint64_t now_ms = time_utc_ms();
        for (unsigned i = 0; i < 2; i++)
            assert_true(templates_set(
                yard.routers[i].templates, id,
                i == strict ? TEMPLATE_TRIPPED : TEMPLATE_TRUSTED, now_ms));
        run_for(&yard, 2500);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(state_at(&yard, i, 1), TEMPLATE_TRIPPED);
        end(&yard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_campaign_leaks_its_budget),
        cmocka_unit_test(test_without_redis_each_has_its_part),
        cmocka_unit_test(test_redis_is_lost_in_a_campaign),
        cmocka_unit_test(test_restarts_buy_nothing),
        cmocka_unit_test(test_states_are_known_to_all),
        cmocka_unit_test(test_a_template_is_known_by_the_ids_it_had),
        cmocka_unit_test(test_words_at_once_lead_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
