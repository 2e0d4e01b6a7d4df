/* test_templates - the table of templates: bounds, copies, the file, threads. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/time.h"
#include "router/templates/aliases.h"
#include "router/templates/file.h"
#include "router/templates/keeper.h"
#include "router/templates/takings.h"
#include "router/templates/templates.h"

#define NOW_MS  UINT64_C(1767225600000)
#define THREADS 4

static const struct guard_rules rules = {
    .recipients = 50,
    .per_ms = HOURS_MS(1),
    .tenant = 150,
    .trust_after_ms = HOURS_MS(72),
    .trip_recipients = 500,
    .trip_within_ms = MINUTES_MS(10),
    .complaints = 3000,
    .hard_bounces = 80000,
    .routers = 1,
    .is_alone = true,
};

/* The text number `text` of a template number `seed`. */
static void sketch_of(uint32_t seed, uint32_t text, struct sketch *sketch)
{
    memset(sketch, 0, sizeof *sketch);
    sketch->word_count = 100;
    sketch->skeleton = seed;
    sketch->text_hash = (uint64_t)seed << 32 | text;
    for (uint32_t i = 0; i < SKETCH_HASHES; i++)
        sketch->min_hashes[i] = seed * 1000003 + i;
    /* Every other text differs in one band. */
    sketch->min_hashes[0] += text % 2 * (text + 1);
}

static void ticket_of(struct templates *templates, const char *tenant,
                      uint32_t seed, uint32_t recipient,
                      struct templates_ticket *ticket)
{
    char address[64];
    struct sketch sketch;
    (void)snprintf(address, sizeof address, "User%u@example.com", recipient);
    const struct slice to = slice_text(address);
    sketch_of(seed, recipient, &sketch);
    templates_ticket(templates, slice_text(tenant), &sketch, &to, 1, ticket);
}

static bool send_at(struct templates *templates, const char *tenant,
                    uint32_t seed, uint32_t recipient, uint64_t now_ms,
                    struct judge_standing *standing)
{
    struct templates_ticket ticket;
    const struct templates_finding finding = {
        .text = { .text_hash = 1 },
        .points = 300,
        .is_candidate = true,
        .needs_budget = true,
    };
    ticket_of(templates, tenant, seed, recipient, &ticket);
    return templates_take(templates, &ticket, &finding, now_ms, standing);
}

static bool send(struct templates *templates, const char *tenant, uint32_t seed,
                 uint32_t recipient, struct judge_standing *standing)
{
    return send_at(templates, tenant, seed, recipient, NOW_MS, standing);
}

static struct templates *make(uint32_t max)
{
    struct templates *templates = templates_new();
    templates_reconf(templates, &rules, max);
    return templates;
}

static void test_a_template_is_found_again(void **state)
{
    (void)state;
    struct templates *templates = make(1000);
    struct templates_counts counts;
    struct judge_standing standing;
    uint32_t given = 0;
    for (uint32_t i = 0; i < 200; i++)
        given += send(templates, "acme", 1, i, &standing);
    assert_int_equal(given, 50);
    /* Another tenant's is another, with budgets of its own. */
    assert_true(send(templates, "other", 1, 0, &standing));
    templates_count(templates, &counts);
    assert_int_equal(
        counts.states[TEMPLATE_NEW] + counts.states[TEMPLATE_PROBATION], 2);
    assert_int_equal(counts.spent, 150);
    templates_free(&templates);
}

static void test_looking_keeps_nothing(void **state)
{
    (void)state;
    struct templates *templates = make(1000);
    struct templates_counts counts;
    struct templates_ticket ticket;
    struct judge_standing standing;
    ticket_of(templates, "acme", 1, 1, &ticket);
    templates_look(templates, &ticket, NOW_MS, &standing);
    assert_int_equal(standing.state, TEMPLATE_NEW);
    assert_int_equal(standing.id, ticket.key.id);
    assert_false(standing.is_spent);
    templates_count(templates, &counts);
    assert_int_equal(counts.states[TEMPLATE_NEW], 0);
    templates_free(&templates);
}

static void test_words_that_vary_buy_nothing(void **state)
{
    (void)state;
    struct templates *templates = make(1000);
    struct judge_standing standing;
    uint32_t given = 0;
    for (uint32_t i = 0; i < 2000; i++)
        given += send(templates, "acme", i, i, &standing);
    assert_int_equal(given, 150);
    templates_free(&templates);
}

static void test_the_unproven_go_first(void **state)
{
    (void)state;
    struct templates *templates = make(1000);
    struct templates_counts counts;
    struct judge_standing standing;
    uint64_t trusted[100];
    for (uint32_t i = 0; i < 100; i++) {
        char tenant[16];
        (void)snprintf(tenant, sizeof tenant, "t%u", i % 20);
        (void)send(templates, tenant, i, i, &standing);
        trusted[i] = standing.id;
        assert_true(
            templates_set(templates, standing.id, TEMPLATE_TRUSTED, NOW_MS));
    }
    for (uint32_t i = 0; i < 20000; i++)
        (void)send(templates, "t1", 1000 + i, i, &standing);
    templates_count(templates, &counts);
    assert_int_equal(counts.states[TEMPLATE_TRUSTED], 100);
    uint64_t sum = 0;
    for (int i = 0; i <= TEMPLATE_TRIPPED; i++)
        sum += counts.states[i];
    assert_in_range(sum, 900, 1016);
    for (uint32_t i = 0; i < 100; i++)
        assert_true(templates_teach(templates, trusted[i], KIND_BULK, NOW_MS));
    templates_free(&templates);
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct templates *templates = make(100000);
    struct templates_counts counts;
    struct judge_standing standing;
    char tenant[16];
    for (uint32_t i = 0; i < 100000; i++) {
        (void)snprintf(tenant, sizeof tenant, "t%u", i % 200);
        (void)send(templates, tenant, i, i, &standing);
        if (i % 20 != 0)
            assert_true(templates_set(templates, standing.id, TEMPLATE_TRUSTED,
                                      NOW_MS));
    }
    templates_count(templates, &counts);
    print_message("%llu bytes for %llu trusted, %llu unproven\n",
                  (unsigned long long)counts.bytes,
                  (unsigned long long)counts.states[TEMPLATE_TRUSTED],
                  (unsigned long long)counts.states[TEMPLATE_NEW]);
    assert_true(counts.bytes <= 10u << 20);
    templates_free(&templates);
}

/* This thread's own time, so that a busy machine changes little. */
static double cpu_s(void)
{
    struct timespec used;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Seconds for many templates; of those with a footer three hashes of four are
 * alike, and half have a third band in common besides. */
static double take_many(bool has_footer)
{
    struct templates *templates = make(100000);
    struct judge_standing standing;
    struct sketch sketch;
    struct templates_ticket ticket;
    const struct templates_finding finding = { .points = 300 };
    const struct slice to = SLICE("a@example.com");
    const double start_s = cpu_s();
    for (uint32_t i = 0; i < 50000; i++) {
        sketch_of(i, 0, &sketch);
        for (uint32_t k = 0; has_footer && k < SKETCH_HASHES - 1; k++)
            sketch.min_hashes[k] = k;
        templates_ticket(templates, SLICE("acme"), &sketch, &to, 1, &ticket);
        if (has_footer) {
            ticket.key.bands[0] = 1;
            ticket.key.bands[1] = 2;
            ticket.key.bands[2] = i % 2 ? 3 : i;
        }
        (void)templates_take(templates, &ticket, &finding, NOW_MS, &standing);
    }
    const double took_s = cpu_s() - start_s;
    templates_free(&templates);
    return took_s;
}

static void test_a_footer_of_all_mail_costs_no_time(void **state)
{
    (void)state;
    const double plain_s = take_many(false);
    const double footer_s = take_many(true);
    print_message("%.3f s with a footer, %.3f s without\n", footer_s, plain_s);
    assert_true(footer_s < 10 * plain_s);
}

static void restore(struct template_record *record, enum judge_state state,
                    bool is_set, int taught)
{
    const struct guard_word word = { .state = state,
                                     .is_set = is_set,
                                     .is_blamed = state == TEMPLATE_TRIPPED,
                                     .taught = taught };
    guard_restore(&record->template, &word);
}

static void test_copies_meet(void **state)
{
    (void)state;
    struct templates *templates = make(1000);
    struct judge_standing standing;
    struct template_record record = { .tenant = SLICE("acme") };
    (void)send(templates, "acme", 1, 1, &standing);
    assert_true(
        templates_set(templates, standing.id, TEMPLATE_TRUSTED, NOW_MS));
    record.template.id = standing.id;
    /* An older word of another router is none. */
    record.template.since_utc_s = (uint32_t)(NOW_MS / 1000) - 5;
    restore(&record, TEMPLATE_TRIPPED, false, -1);
    assert_false(templates_merge(templates, &record, NOW_MS));
    (void)send(templates, "acme", 1, 1, &standing);
    assert_int_equal(standing.state, TEMPLATE_TRUSTED);
    record.template.since_utc_s += 10;
    assert_true(templates_merge(templates, &record, NOW_MS));
    (void)send(templates, "acme", 1, 1, &standing);
    assert_int_equal(standing.state, TEMPLATE_TRIPPED);
    /* To be forgotten. */
    record.template.since_utc_s += 10;
    restore(&record, TEMPLATE_NEW, false, -1);
    assert_true(templates_merge(templates, &record, NOW_MS));
    assert_true(send(templates, "acme", 1, 1, &standing));
    assert_int_equal(standing.state, TEMPLATE_NEW);
    /* One that is new here is known from then on; one of no tenant's is not. */
    record.template.id += 16;
    record.template.bands[0] = 77;
    restore(&record, TEMPLATE_TRIPPED, true, KIND_BULK);
    assert_true(templates_merge(templates, &record, NOW_MS));
    assert_true(
        templates_set(templates, record.template.id, TEMPLATE_TRUSTED, NOW_MS));
    record.template.id++;
    assert_false(templates_merge(templates, &record, NOW_MS));
    templates_free(&templates);
}

/* As long as its complaints are as many, wherever those were heard. */
static void test_blame_of_another_router_lasts(void **state)
{
    (void)state;
    struct templates *templates = make(1000);
    struct judge_standing standing;
    (void)send(templates, "acme", 1, 1, &standing);
    struct template_record record = { .tenant = SLICE("acme") };
    record.template.id = standing.id;
    record.template.since_utc_s = (uint32_t)(NOW_MS / 1000) + 5;
    record.template.delivered = 1000;
    record.template.complained = 20;
    restore(&record, TEMPLATE_TRIPPED, false, -1);
    assert_true(templates_merge(templates, &record, NOW_MS));
    (void)send_at(templates, "acme", 1, 2, NOW_MS + HOURS_MS(25), &standing);
    assert_int_equal(standing.state, TEMPLATE_TRIPPED);
    assert_true(standing.is_blamed);
    templates_hear(templates, standing.id, GUARD_DELIVERED, 20000,
                   NOW_MS + HOURS_MS(25));
    (void)send_at(templates, "acme", 1, 3, NOW_MS + HOURS_MS(26), &standing);
    assert_int_equal(standing.state, TEMPLATE_PROBATION);
    templates_free(&templates);
}

/* What a file has of an id of before is no word on what the template is now,
 * though it was met later than that one. */
static void test_ids_of_before_restore_nothing(void **state)
{
    (void)state;
    struct templates *templates = make(1000);
    struct judge_standing standing;
    (void)send(templates, "acme", 1, 1, &standing);
    struct template_record now = { .tenant = SLICE("acme") };
    now.template.id = standing.id;
    now.template.since_utc_s = (uint32_t)(NOW_MS / 1000) + 5;
    restore(&now, TEMPLATE_TRIPPED, true, -1);
    struct template_record before = now;
    before.template.id ^= UINT64_C(1) << 40;
    before.template.since_utc_s += 5;
    before.template.last_utc_s += 5;
    restore(&before, TEMPLATE_NEW, false, -1);
    const struct template_record alias = { .template = before.template,
                                           .tenant = SLICE(""),
                                           .now = standing.id };
    templates_restore(templates, &alias, NOW_MS);
    templates_restore(templates, &now, NOW_MS);
    templates_restore(templates, &before, NOW_MS);
    (void)send(templates, "acme", 1, 1, &standing);
    assert_int_equal(standing.state, TEMPLATE_TRIPPED);
    templates_free(&templates);
}

static void find_one(void *context, const struct template_record *record)
{
    *(struct template_record *)context = *record;
}

/* One was met here, the other by another router; both are known here before
 * it turns out that they are one. */
static void test_two_that_meet_are_one(void **state)
{
    (void)state;
    struct templates *templates = make(1000);
    struct judge_standing standing;
    struct templates_counts counts;
    struct templates_ticket ticket;
    struct template_record record;
    for (uint32_t i = 0; i < 10; i++)
        assert_true(send(templates, "acme", 1, i, &standing));
    const uint64_t mine = standing.id;
    templates_hear(templates, mine, GUARD_DELIVERED, 10, NOW_MS);
    templates_each(templates, find_one, &record);
    const uint64_t theirs = mine ^ UINT64_C(1) << 40;
    record.template.id = theirs;
    record.template.since_utc_s += 1;
    assert_true(templates_merge(templates, &record, NOW_MS));
    ticket_of(templates, "acme", 1, 1, &ticket);
    struct templates_wish wish = { .template = mine, .key = ticket.key };
    /* One that is unlike keeps its own. */
    wish.key.bands[0] = wish.key.bands[1] = wish.key.bands[2] = 0;
    wish.key.skeleton++;
    assert_int_equal(templates_adopt(templates, &wish, theirs, NOW_MS), mine);
    wish.key = ticket.key;
    assert_int_equal(templates_adopt(templates, &wish, theirs, NOW_MS), theirs);
    assert_int_equal(templates_adopt(templates, &wish, theirs, NOW_MS), theirs);
    templates_count(templates, &counts);
    assert_int_equal(counts.states[TEMPLATE_NEW], 1);
    /* Its history is added, and what it took; old ids lead to it. */
    templates_hear(templates, mine, GUARD_HARD_BOUNCE, 3, NOW_MS);
    templates_each(templates, find_one, &record);
    assert_int_equal(record.template.id, theirs);
    assert_int_equal(record.template.delivered, 20);
    assert_int_equal(record.template.bounced, 3);
    uint32_t given = 0;
    for (uint32_t i = 100; i < 200; i++)
        given += send(templates, "acme", 1, i, &standing);
    assert_int_equal(given, 40);
    assert_int_equal(standing.id, theirs);
    assert_true(templates_teach(templates, mine, KIND_BULK, NOW_MS));
    (void)send(templates, "acme", 1, 1, &standing);
    assert_true(standing.is_taught);
    templates_free(&templates);
}

static void test_names_are_bounded(void **state)
{
    (void)state;
    struct aliases aliases;
    aliases_init(&aliases);
    for (uint64_t i = 1; i <= 3 * ALIASES_MAX / 2; i++) {
        const struct alias alias = { .before = i * UINT64_C(0x9E3779B97F4A7C15),
                                     .now = i,
                                     .since_utc_s = 1 };
        assert_true(aliases_put(&aliases, &alias));
        assert_false(aliases_put(&aliases, &alias));
    }
    assert_int_equal(aliases.count, ALIASES_MAX);
    for (uint64_t i = 1; i <= 3 * ALIASES_MAX / 2; i++) {
        const struct alias *found =
            aliases_find(&aliases, i * UINT64_C(0x9E3779B97F4A7C15));
        if (i <= ALIASES_MAX / 2)
            assert_null(found);
        else
            assert_int_equal(found->now, i);
    }
    aliases_release(&aliases);
    /* Names that lead round in a ring lead to no template, and end. */
    struct templates *templates = make(10);
    struct template_record record = { .template = { .id = 16 },
                                      .tenant = SLICE(""),
                                      .now = 32 };
    assert_true(templates_merge(templates, &record, NOW_MS));
    record.template.id = 32;
    record.now = 16;
    assert_true(templates_merge(templates, &record, NOW_MS));
    assert_false(templates_set(templates, 16, TEMPLATE_TRUSTED, NOW_MS));
    record.now = 17; /* of another shard */
    assert_false(templates_merge(templates, &record, NOW_MS));
    templates_free(&templates);
}

static void test_packed_is_read_back(void **state)
{
    (void)state;
    struct template_record record = {
        .template = { .id = UINT64_MAX,
                      .bands = { 1, UINT32_MAX, 3, 0x80000000 },
                      .first_utc_s = 4,
                      .last_utc_s = 5,
                      .since_utc_s = 6,
                      .recipients = 7,
                      .skeleton = UINT16_MAX,
                      .delivered = 9,
                      .bounced = 10,
                      .complained = 11,
                      .mean = -128,
                      .drift = -128,
                      .days = 3,
                      .peak = UINT8_MAX,
                      .recent = 12 },
        .tenant = SLICE("acme"),
        .taken = { .spans = { { .slice_ms = 600000,
                                .slice = UINT32_MAX,
                                .used = { 1, 0, 0, 2, 0, 0, 3 } },
                              { .slice_ms = 1, .used = { 7 } } } },
        .pot = { .spans = { { .slice_ms = 60000, .used = { 8 } } } },
    };
    struct template_record again;
    struct buf packed;
    restore(&record, TEMPLATE_TRIPPED, true, KIND_SYSTEM);
    buf_init(&packed, RECORD_PACKED_MAX);
    assert_true(template_record_pack(&record, &packed));
    assert_int_equal(template_record_unpack(buf_slice(&packed), &again), RC_OK);
    assert_memory_equal(&record.template, &again.template,
                        sizeof record.template);
    assert_true(slice_equal(record.tenant, again.tenant));
    assert_memory_equal(&record.taken, &again.taken, sizeof record.taken);
    assert_memory_equal(&record.pot, &again.pot, sizeof record.pot);
    for (size_t len = 0; len < packed.len; len++)
        if (template_record_unpack(slice_head(buf_slice(&packed), len), &again)
            == RC_OK)
            assert_int_equal(again.template.id, UINT64_MAX);
    buf_clear(&packed);
    record.template.id = 0; /* of the pot alone */
    assert_true(template_record_pack(&record, &packed));
    assert_int_equal(template_record_unpack(buf_slice(&packed), &again), RC_OK);
    assert_int_equal(again.template.id, 0);
    assert_memory_equal(&record.pot, &again.pot, sizeof record.pot);
    const struct template_record name = {
        .template = { .id = 1, .since_utc_s = 2 }, .now = UINT64_MAX
    };
    buf_clear(&packed);
    assert_true(template_record_pack(&name, &packed));
    assert_int_equal(template_record_unpack(buf_slice(&packed), &again), RC_OK);
    assert_int_equal(again.template.id, 1);
    assert_int_equal(again.template.since_utc_s, 2);
    assert_int_equal(again.now, UINT64_MAX);
    buf_release(&packed);
}

struct count {
    size_t states[TEMPLATE_TRIPPED + 1];
    size_t taught;
};

static void count_one(void *context, const struct template_record *record)
{
    struct count *count = context;
    enum judge_kind kind;
    count->states[guard_state(&record->template)]++;
    count->taught += guard_is_taught(&record->template, &kind);
}

static void count_all(struct templates *templates, struct count *count)
{
    *count = (struct count){ .taught = 0 };
    templates_each(templates, count_one, count);
}

static void empty_folder(const char *folder)
{
    static const char *const names[] = { "templates", "templates.0",
                                         "templates.1", "templates.damaged" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
}

static void remember(const char *folder, bool damage)
{
    char path[64];
    struct loop *loop = loop_new();
    struct fault fault;
    struct judge_standing standing;
    struct count count;
    struct templates *templates = make(1000);
    const struct keeper_options options = { .templates = templates,
                                            .folder = folder };
    struct keeper *keeper = keeper_new(loop, &options, &fault);
    assert_non_null(keeper);
    (void)send(templates, "acme", 1, 1, &standing);
    assert_true(
        templates_set(templates, standing.id, TEMPLATE_TRUSTED, NOW_MS));
    (void)send(templates, "acme", 2, 1, &standing);
    assert_true(
        templates_set(templates, standing.id, TEMPLATE_TRIPPED, NOW_MS));
    (void)send(templates, "zebra", 3, 1, &standing);
    assert_true(templates_teach(templates, standing.id, KIND_BULK, NOW_MS));
    for (uint32_t i = 0; i < 20; i++)
        (void)send(templates, "zebra", 4, i, &standing);
    (void)send(templates, "zebra", 5, 1, &standing);
    keeper_free(&keeper);
    templates_free(&templates);

    (void)snprintf(path, sizeof path, "%s/templates", folder);
    if (damage) {
        int fd = open(path, O_RDWR);
        assert_int_equal(pwrite(fd, "x", 1, 40), 1);
        (void)close(fd);
        for (int i = 0; i < 2; i++) { /* which would know it still */
            (void)snprintf(path, sizeof path, "%s/templates.%d", folder, i);
            (void)unlink(path);
        }
    }
    templates = make(1000);
    struct keeper_options again = options;
    again.templates = templates;
    keeper = keeper_new(loop, &again, &fault);
    count_all(templates, &count);
    const size_t sum =
        count.states[TEMPLATE_TRUSTED] + count.states[TEMPLATE_TRIPPED]
        + count.states[TEMPLATE_PROBATION] + count.states[TEMPLATE_NEW];
    assert_int_equal(sum, damage ? 3 : 4);
    if (!damage) {
        assert_int_equal(count.states[TEMPLATE_TRUSTED], 1);
        assert_int_equal(count.states[TEMPLATE_TRIPPED], 1);
        assert_int_equal(count.states[TEMPLATE_PROBATION], 1);
        assert_int_equal(count.taught, 1);
    }
    keeper_free(&keeper);
    templates_free(&templates);
    loop_free(&loop);
}

static void test_the_file_remembers(void **state)
{
    (void)state;
    char folder[] = "/tmp/templates-XXXXXX";
    char aside[64];
    assert_non_null(mkdtemp(folder));
    remember(folder, false);
    remember(folder, true);
    (void)snprintf(aside, sizeof aside, "%s/templates.damaged", folder);
    assert_int_equal(access(aside, F_OK), 0);
    empty_folder(folder);
    assert_int_equal(rmdir(folder), 0);
}

/* ---- a router that is killed ------------------------------------------- */

struct life {
    struct loop *loop;
    struct templates *templates;
    struct keeper *keeper;
};

static void begin_life(struct life *life, const char *folder)
{
    struct fault fault;
    life->loop = loop_new();
    life->templates = make(1000);
    const struct keeper_options options = { .templates = life->templates,
                                            .folder = folder };
    life->keeper = keeper_new(life->loop, &options, &fault);
    assert_non_null(life->keeper);
}

static void end_life(struct life *life)
{
    keeper_free(&life->keeper);
    templates_free(&life->templates);
    loop_free(&life->loop);
}

static void stop(void *context)
{
    loop_stop(context);
}

static void live(struct life *life, uint64_t ms)
{
    struct timer *timer = timer_new(life->loop, stop, life->loop);
    loop_turn(life->loop);
    timer_set(timer, time_now_ms() + ms);
    loop_run(life->loop);
    timer_free(&timer);
}

enum { LEAK = 'x', DONE = '.' };
#define ALL UINT32_MAX /* leaks: nothing is cut off */

/* What a message that is protected does, the last time before the kill. */
static void say(int fd, char byte)
{
    assert_int_equal(write(fd, &byte, 1), 1);
}

/* Says each leak, and when all is sent; it waits to be killed. */
static void campaign(const char *folder, uint32_t from, uint32_t count,
                     bool varies, int fd)
{
    struct life life;
    struct judge_standing standing;
    begin_life(&life, folder);
    for (uint32_t i = from; i < from + count; i++) {
        if (send_at(life.templates, "acme", varies ? i : 1, i, time_utc_ms(),
                    &standing))
            say(fd, LEAK);
        if (i % 100 == 0)
            live(&life, 1);
    }
    say(fd, DONE);
    for (;;)
        live(&life, 100);
}

/* Runs it, and kills it after so many leaks, or when all is sent. */
static uint32_t cut_campaign(const char *folder, uint32_t from, uint32_t sends,
                             bool varies, uint32_t leaks)
{
    int pipe_fds[2];
    uint32_t count = 0;
    char byte = LEAK;
    assert_int_equal(pipe(pipe_fds), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(pipe_fds[0]);
        campaign(folder, from, sends, varies, pipe_fds[1]);
    }
    (void)close(pipe_fds[1]);
    while (byte != DONE && count < leaks && read(pipe_fds[0], &byte, 1) == 1)
        count += byte == LEAK;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    while (read(pipe_fds[0], &byte, 1) == 1)
        count += byte == LEAK;
    (void)close(pipe_fds[0]);
    return count;
}

static void test_a_kill_forgets_no_budget(void **state)
{
    (void)state;
    static const uint32_t leaks[] = { 1, 7, ALL, 1, 3, 20, 1, ALL, ALL };
    for (int varies = 0; varies < 2; varies++) {
        const uint32_t most = varies ? 150 : 50;
        char folder[] = "/tmp/templates-XXXXXX";
        uint32_t sum = 0;
        assert_non_null(mkdtemp(folder));
        for (uint32_t i = 0; i < ARRAY_LEN(leaks) && sum < most; i++)
            sum += cut_campaign(folder, i * 1000, 400, varies, leaks[i]);
        sum += cut_campaign(folder, 99000, 400, varies, ALL);
        print_message("%u leaked, with kills\n", sum);
        assert_in_range(sum, most - ARRAY_LEN(leaks), most);
        empty_folder(folder);
        assert_int_equal(rmdir(folder), 0);
    }
}

static void find_peak(void *context, const struct template_record *record)
{
    uint8_t *peak = context;
    if (record->template.peak > *peak)
        *peak = record->template.peak;
}

/* Templates come and go; what their tenant had does not. */
static void test_a_restart_forgets_no_pot_and_no_peak(void **state)
{
    (void)state;
    char folder[] = "/tmp/templates-XXXXXX";
    struct life life;
    struct judge_standing standing;
    const uint64_t now_ms = time_utc_ms();
    uint8_t peaks[2] = { 0, 0 };
    assert_non_null(mkdtemp(folder));
    begin_life(&life, folder);
    for (uint32_t i = 0; i < 21; i++)
        (void)send_at(life.templates, "third", 1, i,
                      now_ms - (i < 20 ? MINUTES_MS(20) : 0), &standing);
    templates_each(life.templates, find_peak, &peaks[0]);
    assert_true(peaks[0] > 0);
    for (uint32_t i = 0; i < 3000; i++)
        (void)send_at(life.templates, "acme", i, i, now_ms, &standing);
    end_life(&life);
    begin_life(&life, folder);
    templates_each(life.templates, find_peak, &peaks[1]);
    assert_int_equal(peaks[1], peaks[0]);
    assert_false(send_at(life.templates, "acme", 9999, 1, now_ms, &standing));
    assert_true(send_at(life.templates, "other", 1, 1, now_ms, &standing));
    assert_true(
        templates_set(life.templates, standing.id, TEMPLATE_TRUSTED, now_ms));
    assert_true(
        templates_set(life.templates, standing.id, TEMPLATE_NEW, now_ms));
    /* Of what was forgotten by the operator's word nothing comes back. */
    end_life(&life);
    begin_life(&life, folder);
    for (uint32_t i = 0; i < 50; i++)
        assert_true(
            send_at(life.templates, "other", 1, 100 + i, now_ms, &standing));
    assert_false(send_at(life.templates, "other", 1, 99, now_ms, &standing));
    end_life(&life);
    empty_folder(folder);
    assert_int_equal(rmdir(folder), 0);
}

/* The disk takes half a record, and then nothing, and then all again. */
static void test_a_full_disk_is_survived(void **state)
{
    (void)state;
    char folder[] = "/tmp/templates-XXXXXX";
    struct life life;
    struct judge_standing standing;
    struct rlimit before;
    const uint64_t now_ms = time_utc_ms();
    assert_non_null(mkdtemp(folder));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    begin_life(&life, folder);
    const struct rlimit small = { 700, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (uint32_t i = 0; i < 20; i++)
        assert_true(send_at(life.templates, "acme", 1, i, now_ms, &standing));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    for (uint32_t i = 20; i < 40; i++)
        assert_true(send_at(life.templates, "acme", 1, i, now_ms, &standing));
    end_life(&life);
    begin_life(&life, folder);
    for (uint32_t i = 40; i < 50; i++)
        assert_true(send_at(life.templates, "acme", 1, i, now_ms, &standing));
    assert_false(send_at(life.templates, "acme", 1, 50, now_ms, &standing));
    end_life(&life);
    (void)signal(SIGXFSZ, SIG_DFL);
    empty_folder(folder);
    assert_int_equal(rmdir(folder), 0);
}

static struct timespec tried_at(const char *folder)
{
    struct stat about;
    char path[64];
    (void)snprintf(path, sizeof path, "%s/templates.new", folder);
    assert_int_equal(stat(path, &about), 0);
    return about.st_mtim;
}

/* More than a file of all that is due. */
static void take_much(struct life *life)
{
    struct judge_standing standing;
    char tenant[16];
    for (uint32_t i = 0; i < 16000; i++) {
        (void)snprintf(tenant, sizeof tenant, "t%u", i);
        (void)send_at(life->templates, tenant, i, i, time_utc_ms(), &standing);
    }
}

/* However much is taken meanwhile: a file that cannot be written is not tried
 * each second. */
static void test_a_file_that_fails_is_let_be(void **state)
{
    (void)state;
    char folder[] = "/tmp/templates-XXXXXX";
    char path[64];
    struct life life;
    assert_non_null(mkdtemp(folder));
    begin_life(&life, folder);
    (void)snprintf(path, sizeof path, "%s/templates", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    take_much(&life);
    live(&life, 1500);
    take_much(&life);
    const struct timespec first = tried_at(folder);
    live(&life, 2000);
    const struct timespec later = tried_at(folder);
    assert_int_equal(first.tv_sec, later.tv_sec);
    assert_int_equal(first.tv_nsec, later.tv_nsec);
    end_life(&life);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof path, "%s/templates.new", folder);
    assert_int_equal(unlink(path), 0);
    empty_folder(folder);
    assert_int_equal(rmdir(folder), 0);
}

static bool syncs_fail;

/* The linker puts it in front of the system's: see CMakeLists.txt. */
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
    if (!syncs_fail)
        return __real_fdatasync(fd);
    errno = EIO;
    return -1;
}

/* What the kernel gave up once is not in the file, whatever it says later. */
static void test_takings_that_were_not_synced_begin_anew(void **state)
{
    (void)state;
    char folder[] = "/tmp/templates-XXXXXX";
    struct fault fault;
    const struct template_record record = { .template.id = 5,
                                            .tenant = SLICE("acme") };
    assert_non_null(mkdtemp(folder));
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct takings *takings = takings_new(fd);
    assert_int_equal(takings_turn(takings, &fault), RC_OK);
    takings_add(takings, &record);
    syncs_fail = true;
    assert_int_equal(takings_sync(takings, &fault), RC_IO);
    syncs_fail = false;
    assert_false(takings_is_whole(takings));
    assert_int_equal(takings_turn(takings, &fault), RC_OK);
    assert_true(takings_is_whole(takings));
    takings_free(&takings);
    (void)close(fd);
    empty_folder(folder);
    assert_int_equal(rmdir(folder), 0);
}

/* A machine that lost its power leaves half a record, or other bytes. */
static void test_cut_takings_are_read_as_far_as_they_go(void **state)
{
    (void)state;
    for (unsigned cut = 1; cut < 3; cut++) {
        char folder[] = "/tmp/templates-XXXXXX";
        char path[64];
        struct judge_standing standing;
        struct life life;
        uint32_t left = 0;
        const uint64_t now_ms = time_utc_ms();
        assert_non_null(mkdtemp(folder));
        assert_int_equal(cut_campaign(folder, 0, 30, false, 30), 30);
        for (int i = 0; i < 2; i++) {
            (void)snprintf(path, sizeof path, "%s/templates.%d", folder, i);
            const int fd = open(path, O_RDWR);
            const off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
            if (end > 100 && cut == 1)
                assert_int_equal(ftruncate(fd, end - 20), 0);
            else if (end > 100)
                assert_int_equal(pwrite(fd, "damaged", 7, end - 90), 7);
            if (fd >= 0)
                (void)close(fd);
        }
        begin_life(&life, folder);
        for (uint32_t i = 0; i < 50; i++)
            left +=
                send_at(life.templates, "acme", 1, 1000 + i, now_ms, &standing);
        assert_int_equal(left, 50 - 29);
        end_life(&life);
        empty_folder(folder);
        assert_int_equal(rmdir(folder), 0);
    }
}

/* ---- what trips -------------------------------------------------------- */

struct alert {
    unsigned count;
    enum guard_change why;
    struct template_record record;
};

static void hear_alert(void *context, const struct template_record *record,
                       enum guard_change why)
{
    struct alert *alert = context;
    if (guard_state(&record->template) != TEMPLATE_TRIPPED)
        return;
    alert->count++;
    alert->why = why;
    alert->record = *record;
}

/* As in life: a message is judged, and is seen when it is on disk. */
static void test_an_alert_has_witnesses(void **state)
{
    (void)state;
    struct alert alert = { .count = 0 };
    const struct templates_hooks hooks = { .changed = hear_alert,
                                           .context = &alert };
    struct templates *templates = make(1000);
    struct guard_rules loose = rules;
    struct judge_standing standing;
    loose.recipients = loose.tenant = 1000;
    templates_reconf(templates, &loose, 1000);
    templates_tell(templates, &hooks);
    for (uint32_t i = 0; i < 700 && alert.count == 0; i++) {
        (void)send(templates, "acme", 2, i, &standing);
        templates_saw(templates, standing.id, 1000 + i);
        (void)send(templates, "acme", 3 + i % 20, i, &standing);
        templates_saw(templates, standing.id, 5000 + i);
    }
    assert_int_equal(alert.count, 1);
    assert_int_equal(alert.why, GUARD_BURST);
    assert_in_range(alert.record.witnesses[0], 1400, 1700);
    assert_int_equal(alert.record.witnesses[1], alert.record.witnesses[0] + 1);
    assert_int_equal(alert.record.witnesses[2], alert.record.witnesses[0] + 2);
    /* Of complaints they are those that were complained of. */
    (void)send(templates, "other", 1, 1, &standing);
    for (uint32_t i = 0; i < 3; i++) {
        templates_saw(templates, standing.id, 7000 + i);
        templates_saw_blamed(templates, standing.id, 8000 + i);
        templates_hear(templates, standing.id, GUARD_COMPLAINT, 1, NOW_MS);
    }
    assert_int_equal(alert.count, 2);
    assert_int_equal(alert.why, GUARD_BLAMED);
    assert_true(guard_is_blamed(&alert.record.template));
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(alert.record.witnesses[i], 8000 + i);
    templates_tell(templates, NULL);
    templates_free(&templates);
}

static void test_witnesses_are_few(void **state)
{
    (void)state;
    struct witnesses witnesses = { .count = 0 };
    uint64_t messages[WITNESSES_EACH];
    for (uint64_t i = 1; i <= 1000; i++) {
        witnesses_add(&witnesses, i % 10, i);
        assert_true(witnesses.count <= 10 * WITNESSES_EACH);
    }
    for (uint64_t i = 0; i < 10; i++) {
        witnesses_of(&witnesses, i, messages);
        assert_int_equal(messages[2] % 10, i);
        assert_int_equal(messages[2] - messages[0], 20);
    }
    for (uint64_t i = 100; i < 200; i++)
        witnesses_add(&witnesses, i, i);
    assert_int_equal(witnesses.count, WITNESSES_MAX);
    witnesses_of(&witnesses, 1, messages);
    assert_int_equal(messages[0], 0);
    witnesses_of(&witnesses, 199, messages);
    assert_int_equal(messages[0], 199);
    assert_int_equal(messages[1], 0);
}

/* ---- threads ----------------------------------------------------------- */

struct gang {
    struct templates *templates;
    atomic_uint given;
    atomic_uint changes;
    atomic_uint wishes;
};

static void hear_changed(void *context, const struct template_record *record,
                         enum guard_change why)
{
    struct gang *gang = context;
    (void)record;
    (void)why;
    atomic_fetch_add(&gang->changes, 1);
}

static void *work(void *context)
{
    struct gang *gang = context;
    struct judge_standing standing;
    struct templates_ticket ticket;
    for (uint32_t i = 0; i < 3000; i++) {
        const uint32_t seed = i % 7;
        char tenant[16];
        (void)snprintf(tenant, sizeof tenant, "t%u", i % 3);
        ticket_of(gang->templates, tenant, seed, i, &ticket);
        templates_look(gang->templates, &ticket, NOW_MS, &standing);
        /* No two threads have the same recipients. */
        if (send(gang->templates, tenant, seed,
                 i + (uint32_t)(uintptr_t)&standing, &standing))
            atomic_fetch_add(&gang->given, 1);
        templates_hear(gang->templates, standing.id, GUARD_DELIVERED, 1,
                       NOW_MS);
        if (i % 500 == 499)
            assert_true(templates_teach(gang->templates, standing.id, KIND_BULK,
                                        NOW_MS));
    }
    return NULL;
}

static void test_threads_share_a_budget(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct templates_counts counts;
    struct gang gang = { .templates = make(20) };
    const struct templates_hooks hooks = { .changed = hear_changed,
                                           .context = &gang };
    templates_reconf(gang.templates, &rules, 1000);
    templates_tell(gang.templates, &hooks);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &gang), 0);
    for (unsigned i = 0; i < 50; i++) {
        templates_count(gang.templates, &counts);
        templates_set_alone(gang.templates, i % 2 == 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    /* Three tenants with seven templates each. */
    assert_int_equal(atomic_load(&gang.given), 3 * 150);
    assert_true(atomic_load(&gang.changes) > 0);
    templates_tell(gang.templates, NULL);
    templates_free(&gang.templates);
}

static void test_what_it_costs(void **state)
{
    (void)state;
    enum { ROUNDS = 400000, TEMPLATES = 500 };
    struct templates *templates = make(100000);
    struct templates_ticket *tickets = calloc(TEMPLATES, sizeof *tickets);
    struct judge_standing standing;
    const struct templates_finding finding = { .points = 300,
                                               .is_candidate = true,
                                               .needs_budget = true };
    for (uint32_t i = 0; i < TEMPLATES; i++)
        ticket_of(templates, i % 2 ? "a" : "b", i, i, &tickets[i]);
    const uint64_t start_us = time_now_us();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        const uint32_t at = i * 7919 % TEMPLATES;
        templates_look(templates, &tickets[at], NOW_MS, &standing);
        (void)templates_take(templates, &tickets[at], &finding, NOW_MS,
                             &standing);
    }
    print_message("%.3f us to look and take\n",
                  (double)(time_now_us() - start_us) / ROUNDS);
    free(tickets);
    templates_free(&templates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_template_is_found_again),
        cmocka_unit_test(test_looking_keeps_nothing),
        cmocka_unit_test(test_words_that_vary_buy_nothing),
        cmocka_unit_test(test_the_unproven_go_first),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_a_footer_of_all_mail_costs_no_time),
        cmocka_unit_test(test_copies_meet),
        cmocka_unit_test(test_two_that_meet_are_one),
        cmocka_unit_test(test_ids_of_before_restore_nothing),
        cmocka_unit_test(test_blame_of_another_router_lasts),
        cmocka_unit_test(test_names_are_bounded),
        cmocka_unit_test(test_packed_is_read_back),
        cmocka_unit_test(test_the_file_remembers),
        cmocka_unit_test(test_a_kill_forgets_no_budget),
        cmocka_unit_test(test_a_restart_forgets_no_pot_and_no_peak),
        cmocka_unit_test(test_a_full_disk_is_survived),
        cmocka_unit_test(test_a_file_that_fails_is_let_be),
        cmocka_unit_test(test_takings_that_were_not_synced_begin_anew),
        cmocka_unit_test(test_cut_takings_are_read_as_far_as_they_go),
        cmocka_unit_test(test_an_alert_has_witnesses),
        cmocka_unit_test(test_witnesses_are_few),
        cmocka_unit_test(test_threads_share_a_budget),
        cmocka_unit_test(test_what_it_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
