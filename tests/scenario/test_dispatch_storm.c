/*
 * test_dispatch_storm.c - everything at once, and every recipient ends once.
 *
 * Two workers answer at random: deliver, defer, refuse, hand back, say nothing,
 * fall silent and come back; meanwhile operators pause, reroute, requeue and
 * delete, the config is loaded anew and the router restarts. Few jobs of a share
 * are kept in memory, so that most mail is cold. As real workers do, these keep
 * a result until its ACK and name what they hold in each HELLO.
 *
 * At the end each recipient has one final event, and none was delivered twice
 * unless its message is logged as a possible duplicate. Seeds are fixed.
 */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/actions/action.h"

#define MESSAGES   400u
#define RECIPIENTS 3u
#define HOT_SHARE  4u
#define NOWHERE    "b.example"
#define LANES      256u
#define OPEN_MAX   4096u
#define PER_JOB    8u
#define RESEND_MS  300u
#define CALM_MS    40000u

/* A job that a worker has, or has answered and knows no ACK for. */
struct open_job {
    uint64_t lease;
    uint64_t message;
    uint32_t lane;
    char source[2];
    size_t count;
    struct scripted_outcome outcomes[PER_JOB];
    bool is_answered;
    uint64_t sent_ms;
};

/* What was asked for, and came, of one lane and source. */
struct window {
    uint64_t asked;
    uint64_t came;
};

struct stormy {
    struct storm *storm;
    struct scripted *worker;
    struct open_job open[OPEN_MAX];
    size_t open_count;
    struct window windows[LANES][2];
    bool known[LANES];
    uint64_t router_boot;
    uint64_t wakes_ms; /* from its silence; 0: it is not silent */
};

struct sent {
    uint64_t id;
    size_t recipients;
    unsigned delivered[RECIPIENTS]; /* by workers */
    unsigned ended[RECIPIENTS];     /* by the event log */
    bool in_doubt;
};

struct storm {
    struct fixture *fixture;
    uint64_t random;
    bool is_calm;
    struct stormy *workers[2];
    struct sent sent[MESSAGES];
    size_t sent_count;
    uint64_t action_last;
    uint64_t pauses[8];
    size_t pause_count;
};

static uint32_t draw(struct storm *storm, uint32_t below)
{
    storm->random ^= storm->random << 13;
    storm->random ^= storm->random >> 7;
    storm->random ^= storm->random << 17;
    return (uint32_t)((storm->random >> 16) % below);
}

static struct sent *sent_of(struct storm *storm, uint64_t id)
{
    for (size_t i = 0; i < storm->sent_count; i++)
        if (storm->sent[i].id == id)
            return &storm->sent[i];
    return NULL; /* a report */
}

/* Workers */

static struct scripted_outcome decide(struct storm *storm, uint32_t index)
{
    const uint32_t die = storm->is_calm ? 0 : draw(storm, 100);
    if (die < 60)
        return (struct scripted_outcome){ index, 250, "ok" };
    if (die < 75)
        return (struct scripted_outcome){ index, 451, "later" };
    if (die < 85)
        return (struct scripted_outcome){ index, 451,
                                          "Greylisted for 1 seconds" };
    if (die < 92)
        return (struct scripted_outcome){ index, 451,
                                          "Greylisted for 20 seconds" };
    return (struct scripted_outcome){ index, 550, "no" };
}

static void send_result(struct stormy *stormy, struct open_job *job)
{
    const struct wire_job named = { .lease = job->lease,
                                    .message = job->message,
                                    .lane = job->lane,
                                    .source = slice_text(job->source) };
    job->sent_ms = time_now_ms();
    scripted_results(stormy->worker, &named, job->outcomes, job->count);
}

static void answer(struct stormy *stormy, struct open_job *job)
{
    struct sent *sent = sent_of(stormy->storm, job->message);
    for (size_t i = 0; i < job->count; i++) {
        const uint32_t index = job->outcomes[i].index;
        job->outcomes[i] = decide(stormy->storm, index);
        if (sent && job->outcomes[i].code == 250)
            sent->delivered[index]++;
    }
    job->is_answered = true;
    send_result(stormy, job);
}

static void hear_job(struct stormy *stormy, const struct wire_job *job)
{
    struct storm *storm = stormy->storm;
    const bool is_b = slice_equal(job->source, SLICE("b"));
    assert_true(job->lane < LANES && job->recipient_count <= PER_JOB);
    stormy->windows[job->lane][is_b].came++;
    const bool is_silent = stormy->wakes_ms > 0;
    const uint32_t die = storm->is_calm ? 99 : draw(storm, 100);
    if (die < 8 && !is_silent) {
        scripted_handback(stormy->worker, job->lease);
        return;
    }
    assert_true(stormy->open_count < OPEN_MAX);
    struct open_job *open = &stormy->open[stormy->open_count++];
    *open = (struct open_job){ .lease = job->lease,
                               .message = job->message,
                               .lane = job->lane,
                               .source = { is_b ? 'b' : 'a', '\0' },
                               .count = job->recipient_count };
    for (size_t i = 0; i < open->count; i++)
        open->outcomes[i].index = job->recipients[i].index;
    if (die >= 16 && !is_silent) /* else it is being delivered */
        answer(stormy, open);
}

static void hear_ack(struct stormy *stormy, const struct wire_ids *leases)
{
    size_t kept = 0;
    for (size_t i = 0; i < stormy->open_count; i++) {
        bool is_done = false;
        for (size_t j = 0; j < leases->count; j++)
            is_done = is_done || leases->items[j] == stormy->open[i].lease;
        if (!is_done)
            stormy->open[kept++] = stormy->open[i];
    }
    stormy->open_count = kept;
}

static void forget_lanes(struct stormy *stormy)
{
    memset(stormy->known, 0, sizeof stormy->known);
    memset(stormy->windows, 0, sizeof stormy->windows);
}

static bool hears(struct scripted *worker, const struct wire_frame *frame)
{
    struct stormy *stormy = worker->context;
    if (frame->kind == WIRE_JOB) {
        hear_job(stormy, &frame->as.job);
        return true;
    }
    if (frame->kind == WIRE_ACK) {
        hear_ack(stormy, &frame->as.ack.leases);
        return true;
    }
    if (frame->kind == WIRE_OFFER) {
        assert_true(frame->as.offer.lane < LANES);
        stormy->known[frame->as.offer.lane] = true;
        return true;
    }
    if (frame->kind == WIRE_WELCOME) {
        forget_lanes(stormy);
        stormy->router_boot = frame->as.welcome.boot;
    }
    return false;
}

/* Names all that it holds, as a real one does. */
static void say_hello(struct stormy *stormy)
{
    uint64_t *ids = mem_new(2 * OPEN_MAX, sizeof *ids);
    for (size_t i = 0; i < stormy->open_count; i++) {
        ids[i] = stormy->open[i].lease;
        ids[OPEN_MAX + i] = stormy->open[i].message;
    }
    stormy->worker->silent = false;
    stormy->wakes_ms = 0;
    stormy->worker->held_leases = (struct wire_ids){ ids, stormy->open_count };
    stormy->worker->held_messages =
        (struct wire_ids){ ids + OPEN_MAX, stormy->open_count };
    scripted_hello(stormy->worker);
    mem_free(ids);
}

static struct stormy *new_stormy(struct storm *storm, const char *name,
                                 const char *const *sources)
{
    struct stormy *stormy = NEW(struct stormy);
    stormy->storm = storm;
    stormy->worker = scripted_new(storm->fixture, name, 1, sources);
    stormy->worker->context = stormy;
    stormy->worker->hears = hears;
    say_hello(stormy);
    return stormy;
}

static void pull(struct stormy *stormy, uint32_t lane)
{
    static const char *const names[] = { "a", "b" };
    for (size_t i = 0; stormy->worker->sources[i]; i++) {
        const bool is_b = stormy->worker->sources[i][0] == 'b';
        struct window *window = &stormy->windows[lane][is_b];
        if (window->asked > window->came)
            continue;
        window->asked = window->came + 1 + draw(stormy->storm, 12);
        scripted_pull(stormy->worker, lane, names[is_b], window->asked);
    }
}

/* What a worker does by itself, now and then. */
static void tend(struct stormy *stormy)
{
    const uint64_t now_ms = time_now_ms();
    if (stormy->wakes_ms > now_ms)
        return;
    if (stormy->wakes_ms > 0
        || (stormy->worker->router_boot != stormy->router_boot
            && stormy->worker->router_boot != 0)
        || stormy->worker->router_boot == 0)
        say_hello(stormy);
    for (uint32_t lane = 0; lane < LANES; lane++)
        if (stormy->known[lane])
            pull(stormy, lane);
    for (size_t i = 0; i < stormy->open_count; i++) {
        struct open_job *job = &stormy->open[i];
        if (!job->is_answered
            && (stormy->storm->is_calm || draw(stormy->storm, 100) < 2))
            answer(stormy, job);
        else if (job->is_answered && now_ms >= job->sent_ms + RESEND_MS)
            send_result(stormy, job);
    }
}

static void pass(struct storm *storm, uint64_t ms)
{
    for (uint64_t end = time_now_ms() + ms; time_now_ms() < end;) {
        fixture_pass(storm->fixture, 10);
        for (size_t i = 0; i < ARRAY_LEN(storm->workers); i++)
            tend(storm->workers[i]);
    }
}

/* Operators */

static uint64_t act(struct storm *storm, enum action_kind kind,
                    const char *filter, const char *route)
{
    const struct action action = {
        .id = ++storm->action_last,
        .kind = kind,
        .created_utc_ms = time_utc_ms(),
        .filter = slice_text(filter),
        .actor = SLICE("op"),
        .why = SLICE("because"),
        .route = slice_text(route),
        .ended_by = SLICE(""),
    };
    assert_true(dispatch_act(storm->fixture->dispatch, &action));
    return action.id;
}

static void resume(struct storm *storm)
{
    const struct action action = {
        .id = storm->pauses[--storm->pause_count],
        .kind = ACTION_PAUSE,
        .ended_utc_ms = time_utc_ms(),
        .filter = SLICE("all"),
        .actor = SLICE("op"),
        .why = SLICE(""),
        .route = SLICE(""),
        .ended_by = SLICE("op"),
    };
    assert_true(dispatch_act(storm->fixture->dispatch, &action));
}

static void pause_some(struct storm *storm)
{
    static const char *const filters[] = {
        "stream=main",    "stream=quiet",         "route=held",
        "recipient=u1@*", "pool=main tenant=app", "site=*2*",
    };
    if (storm->pause_count < ARRAY_LEN(storm->pauses))
        storm->pauses[storm->pause_count++] = act(
            storm, ACTION_PAUSE, filters[draw(storm, ARRAY_LEN(filters))], "");
}

static void reload(struct storm *storm)
{
    static const struct swap swaps[] = {
        { "weight = 3", "weight = 2" },
        { "name = \"quiet\"; class = \"bulk\"", /* streams change places */
          "name = \"first\"; class = \"bulk\"; route = \"held\"; },\n"
          "  { name = \"quiet\"; class = \"bulk\"" },
        { "min_free = \"1MB\"", "min_free = \"1MB\"; body_cache = \"0\"" },
    };
    fixture_reload(storm->fixture, &swaps[draw(storm, ARRAY_LEN(swaps))], 1);
}

/* Pauses of before are told anew by the book, which is not here. */
static void restart(struct storm *storm)
{
    fixture_stop_router(storm->fixture);
    fixture_start_router(storm->fixture);
    storm->pause_count = 0;
    for (size_t i = 0; i < ARRAY_LEN(storm->workers); i++)
        say_hello(storm->workers[i]);
}

static void do_something(struct storm *storm)
{
    static const char *const some[] = { "recipient=u2@*", "stream=quiet",
                                        "code=451", "recipient=u0@*3*" };
    const char *filter = some[draw(storm, ARRAY_LEN(some))];
    struct stormy *stormy = storm->workers[draw(storm, 2)];
    switch (draw(storm, 16)) {
    case 0:
        pause_some(storm);
        break;
    case 1:
    case 2:
        if (storm->pause_count > 0)
            resume(storm);
        break;
    case 3:
        (void)act(storm, ACTION_REROUTE, filter,
                  draw(storm, 2) ? "held" : "main");
        break;
    case 4:
        (void)act(storm, ACTION_REQUEUE, "all", "");
        break;
    case 5:
        (void)act(storm, ACTION_DELETE, "attempts=2 recipient=u1@*", "");
        break;
    case 6:
        (void)act(storm, ACTION_BOUNCE, "attempts=3", "");
        break;
    case 7:
        (void)act(storm, ACTION_RELEASE, "all", "");
        break;
    case 8:
        reload(storm);
        break;
    case 9:
    case 13:
    case 14:
        stormy->worker->silent = true;
        stormy->wakes_ms = time_now_ms() + LEASE_MS + 300;
        break;
    case 10:
    case 11:
        pause_some(storm);
        break;
    case 12:
        scripted_drain(stormy->worker);
        pass(storm, 50);
        say_hello(stormy);
        break;
    default:
        restart(storm);
        break;
    }
}

/* Mail */

static void submit(struct storm *storm)
{
    static const char *const streams[] = { "main", "main", "held", "quiet" };
    /* Nobody answers for the last one. */
    static const char *const domains[] = { "[127.0.0.1]", "[127.0.0.1]",
                                           "[127.0.0.1]", "[127.0.0.2]",
                                           "[127.0.0.3]", NOWHERE };
    char addresses[RECIPIENTS][32];
    const char *stream = streams[draw(storm, ARRAY_LEN(streams))];
    struct mail mail = {
        .stream = stream,
        .sender = draw(storm, 8) == 0 ? "s@[127.0.0.1]" : "",
        .expires_ms = draw(storm, 10) == 0 ? 1000 + draw(storm, 4000) : 0,
    };
    struct sent *sent = &storm->sent[storm->sent_count];
    sent->recipients = 1 + (draw(storm, 3) == 0 ? draw(storm, RECIPIENTS) : 0);
    for (size_t i = 0; i < sent->recipients; i++) {
        (void)snprintf(addresses[i], sizeof addresses[i], "u%zu@%s", i,
                       domains[draw(storm, ARRAY_LEN(domains))]);
        mail.recipients[i] = (struct mail_recipient){
            .address = addresses[i],
            .route = strcmp(stream, "main") == 0 ? "main" : "held",
        };
    }
    sent->id = fixture_submit_mail(storm->fixture, &mail);
    storm->sent_count++;
}

/* The account */

static bool is_final(const char *line)
{
    static const char *const events[] = { "\"event\":\"delivered\"",
                                          "\"event\":\"bounced\"",
                                          "\"event\":\"expired\"",
                                          "\"event\":\"deleted\"" };
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (strstr(line, events[i]))
            return true;
    return false;
}

static struct sent *sent_in(struct storm *storm, const char *line)
{
    uint64_t id = 0;
    const char *at = strstr(line, "\"id\":\"");
    return at && id_parse(slice_of(at + 6, ID_TEXT_LEN), &id)
               ? sent_of(storm, id)
               : NULL;
}

static void read_events(struct storm *storm)
{
    FILE *file = fixture_open_log(storm->fixture);
    char line[4096];
    while (fgets(line, sizeof line, file)) {
        struct sent *sent = sent_in(storm, line);
        const char *who = strstr(line, "\"recipient\":\"u");
        if (sent && strstr(line, "\"event\":\"possible_duplicate\""))
            sent->in_doubt = true;
        if (sent && who && is_final(line))
            sent->ended[who[14] - '0']++;
    }
    (void)fclose(file);
}

static unsigned account(struct storm *storm)
{
    unsigned wrong = 0;
    read_events(storm);
    for (size_t i = 0; i < storm->sent_count; i++) {
        const struct sent *sent = &storm->sent[i];
        for (size_t j = 0; j < sent->recipients; j++) {
            if (sent->ended[j] == 1
                && (sent->delivered[j] <= 1 || sent->in_doubt))
                continue;
            char id[ID_TEXT_SIZE];
            print_message("%s u%zu: ended %u, delivered %u%s\n",
                          id_format(sent->id, id), j, sent->ended[j],
                          sent->delivered[j],
                          sent->in_doubt ? ", in doubt" : "");
            wrong++;
        }
    }
    return wrong;
}

static void become_calm(struct storm *storm)
{
    storm->is_calm = true;
    while (storm->pause_count > 0)
        resume(storm);
    for (size_t i = 0; i < ARRAY_LEN(storm->workers); i++)
        if (storm->workers[i]->wakes_ms > 0)
            storm->workers[i]->wakes_ms = time_now_ms();
    for (uint64_t end = time_now_ms() + CALM_MS;
         fixture_number(storm->fixture, "\"messages\":") > 0
         && time_now_ms() < end;) {
        (void)act(storm, ACTION_DELETE, "domain=" NOWHERE, "");
        (void)act(storm, ACTION_RELEASE, "all", "");
        (void)act(storm, ACTION_REQUEUE, "all", "");
        pass(storm, 500);
    }
}

static void free_storm(struct storm *storm)
{
    for (size_t i = 0; i < ARRAY_LEN(storm->workers); i++) {
        scripted_free(&storm->workers[i]->worker);
        mem_free(storm->workers[i]);
    }
    mem_free(storm);
}

static void run(struct fixture *fixture, uint64_t seed)
{
    static const char *const a_and_b[] = { "a", "b", NULL };
    static const char *const only_a[] = { "a", NULL };
    struct storm *storm = NEW(struct storm);
    storm->fixture = fixture;
    storm->random = seed;
    fixture->hot_share = HOT_SHARE;
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    storm->workers[0] = new_stormy(storm, "w1", a_and_b);
    storm->workers[1] = new_stormy(storm, "w2", only_a);
    while (storm->sent_count < MESSAGES) {
        submit(storm);
        if (storm->sent_count % 8 == 0) {
            do_something(storm);
            pass(storm, 60);
        }
    }
    become_calm(storm);
    const unsigned wrong = account(storm);
    fixture_await_empty(fixture);
    assert_int_equal(fixture_number(fixture, "\"cold\":"), 0);
    fixture_await_answer(fixture, DISPATCH_QUEUE, "", "\"lanes\":[]");
    assert_int_equal(wrong, 0);
    free_storm(storm);
}

static void each_recipient_ends_once_in_a_storm(void **state)
{
    run(*state, 0x9e3779b97f4a7c15);
}

static void each_recipient_ends_once_in_another(void **state)
{
    run(*state, 0xd1b54a32d192ed03);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(each_recipient_ends_once_in_a_storm),
        SCENARIO(each_recipient_ends_once_in_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
