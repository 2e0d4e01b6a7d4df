/* test_dispatch_operate.c - what operators do with queued mail. */
#include "tests/scenario/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "router/actions/book.h"

#define MANY 3000u

static const char *const only_a[] = { "a", NULL };
static const char *const a_and_r[] = { "a", "r", NULL };

static uint64_t action_ids = 1;

/* Gives the action to the lane thread; its id. */
static uint64_t act_with(struct fixture *fixture, enum action_kind kind,
                         const char *filter, const char *route)
{
    const struct action action = {
        .id = action_ids++,
        .kind = kind,
        .created_utc_ms = time_utc_ms(),
        .filter = slice_text(filter),
        .actor = SLICE("op"),
        .why = SLICE("because"),
        .route = slice_text(route),
        .ended_by = SLICE(""),
    };
    assert_true(dispatch_act(fixture->dispatch, &action));
    /* Calls are heard in their order. */
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"router\"");
    return action.id;
}

static uint64_t act(struct fixture *fixture, enum action_kind kind,
                    const char *filter)
{
    return act_with(fixture, kind, filter, "");
}

static void end_action(struct fixture *fixture, enum action_kind kind,
                       uint64_t id)
{
    const struct action action = {
        .id = id,
        .kind = kind,
        .ended_utc_ms = time_utc_ms(),
        .filter = SLICE("all"),
        .actor = SLICE("op"),
        .why = SLICE(""),
        .route = SLICE(""),
        .ended_by = SLICE("op"),
    };
    assert_true(dispatch_act(fixture->dispatch, &action));
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"router\"");
}

static void await_done(struct fixture *fixture)
{
    fixture_await_logged(fixture, "\"event\":\"action_done\"");
}

static uint64_t submit_to(struct fixture *fixture, const char *stream,
                          const char *recipient)
{
    return fixture_submit_to(fixture, stream, &recipient, 1);
}

static const char *text_of(uint64_t id, char text[ID_TEXT_SIZE])
{
    return id_format(id, text);
}

static void deliver(struct scripted *worker, uint64_t message)
{
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, message);
    scripted_result(worker, job, 250, "ok");
}

static void a_pause_of_a_stream_keeps_its_mail_and_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t before = fixture_submit(fixture, "held");
    const uint64_t pause = act(fixture, ACTION_PAUSE, "stream=held");
    const uint64_t after = fixture_submit(fixture, "held");
    const uint64_t other = fixture_submit(fixture, "main");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    deliver(worker, other);
    fixture_pass(fixture, 300);
    assert_null(scripted_look(worker, WIRE_JOB));
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"paused\":2");
    fixture_await_answer(fixture, DISPATCH_QUEUE, "", "\"paused\":2");
    fixture_await_answer(fixture, DISPATCH_QUEUE, "", "\"state\":\"paused\"");
    assert_false(fixture_logged(fixture, "\"event\":\"deferred\""));

    end_action(fixture, ACTION_PAUSE, pause);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, before);
    assert_int_equal(job->attempt, 1); /* nothing was charged */
    scripted_result(worker, job, 250, "ok");
    deliver(worker, after);
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_pause_of_a_recipient_sets_him_alone_aside(void **state)
{
    struct fixture *fixture = *state;
    static const char *const two[] = { "u@[127.0.0.1]", "v@[127.0.0.1]" };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t pause = act(fixture, ACTION_PAUSE, "recipient=v@*");
    const uint64_t first = submit_to(fixture, "main", two[1]);
    const uint64_t both = fixture_submit_to(fixture, "main", two, 2);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, both);
    assert_int_equal(job->recipient_count, 1);
    assert_int_equal(job->recipients[0].index, 0);
    scripted_result(worker, job, 250, "ok");
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"paused\":2");
    fixture_pass(fixture, 200);
    assert_null(scripted_look(worker, WIRE_JOB));

    end_action(fixture, ACTION_PAUSE, pause);
    deliver(worker, first);
    job = scripted_await_job(worker);
    assert_int_equal(job->message, both);
    assert_int_equal(job->recipients[0].index, 1);
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

/* By share and job by job: whatever stands before it, the other mail leaves. */
static void paused_mail_at_the_head_costs_the_other_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const char *const filters[] = { "stream=held", "route=held" };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        const uint64_t pause = act(fixture, ACTION_PAUSE, filters[i]);
        fixture_submit_many(fixture, "held", MANY);
        const uint64_t other = fixture_submit(fixture, "main");
        scripted_pull(worker, scripted_await_lane(worker, "main"), "a", i + 1);
        deliver(worker, other);
        (void)scripted_await(worker, WIRE_ACK);
        assert_int_equal(fixture_number(fixture, "\"jobs_sent\":"), i + 1);
        (void)act(fixture, ACTION_DELETE, "all");
        fixture_await_empty(fixture);
        end_action(fixture, ACTION_PAUSE, pause);
        scripted_forget(worker, WIRE_OFFER);
    }
    scripted_free(&worker);
}

static void paused_mail_comes_back_in_its_order(void **state)
{
    struct fixture *fixture = *state;
    uint64_t ids[20];
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t pause = act(fixture, ACTION_PAUSE, "sender=s@*");
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        ids[i] = fixture_submit(fixture, "main");
    const uint32_t lane = scripted_await_lane(worker, "main");
    scripted_pull(worker, lane, "a", 1);
    fixture_await_answer(fixture, DISPATCH_QUEUE, "", "\"paused\":20");
    end_action(fixture, ACTION_PAUSE, pause);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        deliver(worker, ids[i]);
        scripted_pull(worker, lane, "a", i + 2);
    }
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void paused_mail_expires_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    const struct mail mail = {
        .stream = "quiet",
        .recipients = { { .address = "u@[127.0.0.1]", .route = "held" } },
        .expires_ms = 1000,
    };
    (void)act(fixture, ACTION_PAUSE, "stream=quiet");
    (void)fixture_submit_mail(fixture, &mail);
    fixture_await_logged(fixture, "\"event\":\"expired\"");
    fixture_await_empty(fixture);
}

static void paused_mail_is_late_like_any(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap warn = { "retry = \"1s\"",
                                      "retry = \"1s\"; dsn = \"event\"; "
                                      "warn_after = \"1s\"; "
                                      "warn_unasked = true" };
    fixture_reload(fixture, &warn, 1);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)act(fixture, ACTION_PAUSE, "recipient=u@*");
    (void)fixture_submit(fixture, "main");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"paused\":1");
    fixture_await_logged(fixture, "\"event\":\"dsn_delayed\"");
    scripted_free(&worker);
}

static void a_pause_ends_when_its_time_is_over(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const struct action action = {
        .id = action_ids++,
        .kind = ACTION_PAUSE,
        .created_utc_ms = time_utc_ms(),
        .until_utc_ms = time_utc_ms() + 800,
        .filter = SLICE("all"),
        .actor = SLICE("op"),
        .why = SLICE(""),
        .route = SLICE(""),
        .ended_by = SLICE(""),
    };
    assert_true(dispatch_act(fixture->dispatch, &action));
    const uint64_t id = fixture_submit(fixture, "main");
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"paused\":1");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    deliver(worker, id);
    assert_true(time_utc_ms() >= action.until_utc_ms);
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_pause_outlives_a_reload(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap swap = { "weight = 3;", "weight = 2;" };
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t pause = act(fixture, ACTION_PAUSE, "stream=main");
    const uint64_t id = fixture_submit(fixture, "main");
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"paused\":1");
    fixture_reload(fixture, &swap, 1);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"paused\":1");
    end_action(fixture, ACTION_PAUSE, pause);
    scripted_forget(worker, WIRE_OFFER);
    scripted_hello(worker);
    scripted_pull(worker, 1, "a", 9);
    deliver(worker, id);
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void a_delete_tells_each_recipient_and_reports_to_nobody(void **state)
{
    struct fixture *fixture = *state;
    static const char *const two[] = { "u@[127.0.0.1]", "v@[127.0.0.1]" };
    (void)fixture_submit_to(fixture, "main", two, 2);
    const uint64_t other = fixture_submit(fixture, "held");
    (void)act(fixture, ACTION_DELETE, "stream=main");
    await_done(fixture);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"deleted\""), 2);
    assert_int_equal(fixture_number(fixture, "\"messages\":"), 1);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    char text[ID_TEXT_SIZE];
    fixture_await_answer(fixture, DISPATCH_MESSAGE, text_of(other, text),
                         "\"held\"");
    assert_int_equal(fixture_number(fixture, "\"messages\":"), 1);
}

static void a_delete_of_one_recipient_leaves_the_other(void **state)
{
    struct fixture *fixture = *state;
    static const char *const two[] = { "u@[127.0.0.1]", "v@[127.0.0.1]" };
    const uint64_t id = fixture_submit_to(fixture, "main", two, 2);
    (void)act(fixture, ACTION_DELETE, "recipient=u@*");
    await_done(fixture);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 9);
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, id);
    assert_int_equal(job->recipient_count, 1);
    assert_int_equal(job->recipients[0].index, 1);
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

static void what_a_worker_has_is_let_finish_and_then_deleted(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)fixture_submit(fixture, "main");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 2);
    const struct wire_job *first = scripted_await_job(worker);
    (void)fixture_submit(fixture, "main");
    const struct wire_job *second = scripted_await_job(worker);
    (void)act(fixture, ACTION_DELETE, "all");
    fixture_pass(fixture, 800);
    assert_false(fixture_logged(fixture, "\"event\":\"action_done\""));
    scripted_result(worker, first, 250, "ok");
    scripted_result(worker, second, 451, "later");
    await_done(fixture);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"delivered\""),
                     1);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"deleted\""), 1);
    fixture_await_empty(fixture);
    scripted_free(&worker);
}

/* In the retry schedule: the main stream waits a second, held mail an hour. */
static uint64_t defer_one(struct fixture *fixture, struct scripted *worker,
                          uint64_t total)
{
    char text[ID_TEXT_SIZE];
    const uint64_t id = fixture_submit(fixture, "held");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", total);
    scripted_result(worker, scripted_await_job(worker), 451, "come back");
    (void)scripted_await(worker, WIRE_ACK);
    fixture_await_answer(fixture, DISPATCH_MESSAGE, text_of(id, text),
                         "\"state\":\"waiting\"");
    return id;
}

static void what_waits_can_be_tried_now(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t id = defer_one(fixture, worker, 2);
    fixture_pass(fixture, 200);
    assert_null(scripted_look(worker, WIRE_JOB));
    (void)act(fixture, ACTION_REQUEUE, "code=451 reply=*back");
    const struct wire_job *job = scripted_await_job(worker);
    assert_int_equal(job->message, id);
    assert_int_equal(job->attempt, 2);
    scripted_result(worker, job, 250, "ok");
    fixture_await_empty(fixture);
    assert_true(fixture_logged(fixture, "\"event\":\"requeued\""));
    scripted_free(&worker);
}

static void what_is_expired_by_hand_is_reported(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    (void)defer_one(fixture, worker, 1);
    (void)act(fixture, ACTION_EXPIRE, "state=waiting");
    await_done(fixture);
    assert_true(fixture_logged(fixture, "\"event\":\"expired\""));
    /* What is left is the report, on its way to the sender. */
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"messages\":1");
    assert_true(fixture_logged(fixture, "\"recipient\":\"s@a.example\""));
    scripted_free(&worker);
}

static void what_is_bounced_by_hand_says_why(void **state)
{
    struct fixture *fixture = *state;
    (void)fixture_submit(fixture, "quiet");
    (void)act(fixture, ACTION_BOUNCE, "stream=quiet");
    await_done(fixture);
    fixture_await_empty(fixture);
    assert_true(fixture_logged(fixture, "\"reply\":\"because\""));
    assert_true(fixture_logged(fixture, "\"event\":\"bounced\""));
}

static void a_new_route_outlives_a_restart_and_a_reload(void **state)
{
    struct fixture *fixture = *state;
    static const struct swap swap = { "weight = 3;", "weight = 2;" };
    char text[ID_TEXT_SIZE];
    const uint64_t id = fixture_submit(fixture, "held");
    (void)act_with(fixture, ACTION_REROUTE, "route=held", "reserve");
    await_done(fixture);
    fixture_await_answer(fixture, DISPATCH_MESSAGE, text_of(id, text),
                         "\"route\":\"reserve\"");
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    fixture_reload(fixture, &swap, 1);
    struct scripted *worker = scripted_new(fixture, "w1", 1, a_and_r);
    const uint32_t lane = scripted_await_lane(worker, "reserve");
    fixture_await_answer(fixture, DISPATCH_MESSAGE, text_of(id, text),
                         "\"route\":\"reserve\"");
    scripted_pull(worker, lane, "r", 1);
    deliver(worker, id);
    fixture_await_empty(fixture);
    assert_true(fixture_logged(fixture, "\"route\":\"reserve\",\"pool\""));
    scripted_free(&worker);
}

static void held_mail_is_released(void **state)
{
    struct fixture *fixture = *state;
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint64_t id = fixture_submit(fixture, "held");
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    (void)scripted_await_job(worker);
    worker->silent = true;
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"held\":1");
    worker->silent = false;
    scripted_free(&worker);

    struct scripted *other = scripted_new(fixture, "w2", 2, only_a);
    (void)act(fixture, ACTION_REQUEUE, "all"); /* is not meant for it */
    await_done(fixture);
    fixture_await_answer(fixture, DISPATCH_STATUS, "", "\"held\":1");
    (void)act(fixture, ACTION_RELEASE, "state=held");
    scripted_pull(other, scripted_await_lane(other, "main"), "a", 1);
    deliver(other, id);
    fixture_await_empty(fixture);
    scripted_free(&other);
}

static void mail_accepted_later_is_not_meant(void **state)
{
    struct fixture *fixture = *state;
    (void)fixture_submit(fixture, "main");
    fixture_pass(fixture, 5);
    (void)act(fixture, ACTION_DELETE, "all");
    fixture_pass(fixture, 5);
    (void)fixture_submit(fixture, "main");
    await_done(fixture);
    fixture_pass(fixture, 200);
    assert_int_equal(fixture_number(fixture, "\"messages\":"), 1);
}

/* The book gives it to the lanes again after a restart, until it was done. */
static void what_was_half_done_goes_on_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct action action = {
        .id = action_ids++,
        .kind = ACTION_DELETE,
        .filter = SLICE("all"),
        .actor = SLICE("op"),
        .why = SLICE(""),
        .route = SLICE(""),
        .ended_by = SLICE(""),
    };
    fixture_submit_many(fixture, "main", MANY);
    action.created_utc_ms = time_utc_ms();
    assert_true(dispatch_act(fixture->dispatch, &action));
    fixture_await_logged(fixture, "\"event\":\"deleted\"");
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    assert_true(dispatch_act(fixture->dispatch, &action));
    fixture_await_empty(fixture);
    await_done(fixture);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"deleted\""),
                     MANY);
}

struct heard {
    struct progress last;
    size_t ends;
};

static void hear_note(void *context, void *item)
{
    struct heard *heard = context;
    struct book_note *note = item;
    heard->last = note->progress;
    heard->ends += note->progress.state == PROGRESS_DONE
                   || note->progress.state == PROGRESS_CANCELLED;
    mem_free(note);
}

static void await_end(struct fixture *fixture, const struct heard *heard,
                      size_t ends)
{
    for (uint64_t end = time_now_ms() + WAIT_MAX_MS;
         heard->ends < ends && time_now_ms() < end;)
        fixture_pass(fixture, 10);
    assert_int_equal(heard->ends, ends);
}

static void progress_is_told_to_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct heard heard = { .ends = 0 };
    struct mailbox *notes = mailbox_new(fixture->loop, 64, hear_note, &heard);
    fixture_stop_router(fixture);
    fixture_start_router(fixture);
    dispatch_report_to(fixture->dispatch, notes);
    fixture_submit_many(fixture, "main", 10);
    (void)fixture_submit(fixture, "held");
    (void)act(fixture, ACTION_DELETE, "stream=main");
    await_end(fixture, &heard, 1);
    assert_int_equal(heard.last.state, PROGRESS_DONE);
    assert_int_equal(heard.last.total, 11);
    assert_int_equal(heard.last.seen, 11);
    assert_int_equal(heard.last.matched, 10);
    assert_int_equal(heard.last.done, 10);

    /* A worker has what is meant: it waits for that, until it is cancelled. */
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    scripted_pull(worker, scripted_await_lane(worker, "main"), "a", 1);
    (void)scripted_await_job(worker);
    const uint64_t id = act(fixture, ACTION_DELETE, "all");
    for (unsigned i = 0; i < 200 && heard.last.busy == 0; i++)
        fixture_pass(fixture, 10);
    assert_int_equal(heard.last.busy, 1);
    end_action(fixture, ACTION_DELETE, id);
    await_end(fixture, &heard, 2);
    assert_int_equal(heard.last.state, PROGRESS_CANCELLED);
    assert_int_equal(fixture_number(fixture, "\"messages\":"), 1);
    fixture_stop_router(fixture);
    mailbox_free(&notes);
    fixture_start_router(fixture);
    scripted_free(&worker);
}

static void a_search_pages_and_counts(void **state)
{
    struct fixture *fixture = *state;
    char after[ID_TEXT_SIZE];
    char arg[80];
    uint64_t ids[5];
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        ids[i] = fixture_submit(fixture, i == 3 ? "held" : "main");
    (void)snprintf(arg, sizeof arg, "2 - stream=main");
    fixture_await_answer(fixture, DISPATCH_SEARCH, arg,
                         "\"matched\":4,\"recipients\":4,\"next\":");
    fixture_await_answer(fixture, DISPATCH_SEARCH, arg, text_of(ids[0], after));
    fixture_await_answer(fixture, DISPATCH_SEARCH, arg, text_of(ids[1], after));
    (void)snprintf(arg, sizeof arg, "2 %s stream=main", after);
    fixture_await_answer(fixture, DISPATCH_SEARCH, arg, text_of(ids[4], after));
    fixture_await_answer(fixture, DISPATCH_SEARCH, "0 - all",
                         "\"matched\":5,\"recipients\":5,\"messages\":[]");
}

/* Behind so many others it is on disk alone. */
static void cold_mail_is_seen_and_acted_upon_like_any(void **state)
{
    struct fixture *fixture = *state;
    char text[ID_TEXT_SIZE];
    fixture_submit_many(fixture, "main", MANY);
    const uint64_t id = submit_to(fixture, "main", "v@[127.0.0.1]");
    (void)text_of(id, text);
    for (unsigned i = 0;
         i < 500 && fixture_number(fixture, "\"cold\":") < MANY / 2; i++)
        fixture_pass(fixture, 10);
    assert_true(fixture_number(fixture, "\"cold\":") >= MANY / 2);
    fixture_await_answer(fixture, DISPATCH_SEARCH, "9 - recipient=v@*",
                         "\"matched\":1,\"recipients\":1");
    fixture_await_answer(fixture, DISPATCH_SEARCH, "9 - recipient=v@*", text);
    fixture_await_answer(fixture, DISPATCH_MESSAGE, text, "v@[127.0.0.1]");
    fixture_await_answer(fixture, DISPATCH_WHY, text, "\"cause\":\"unserved\"");
    const uint64_t pause = act(fixture, ACTION_PAUSE, "stream=main");
    fixture_await_answer(fixture, DISPATCH_WHY, text, "\"cause\":\"paused\"");
    fixture_await_answer(fixture, DISPATCH_SEARCH, "0 - state=paused",
                         "\"matched\":3001");
    end_action(fixture, ACTION_PAUSE, pause);
    (void)act_with(fixture, ACTION_REROUTE, "recipient=v@*", "reserve");
    await_done(fixture);
    fixture_await_answer(fixture, DISPATCH_MESSAGE, text,
                         "\"route\":\"reserve\"");
    (void)act(fixture, ACTION_DELETE, "all");
    fixture_await_empty(fixture);
    assert_int_equal(fixture_count_logged(fixture, "\"event\":\"deleted\""),
                     MANY + 1);
}

static void why_tells_what_holds_it(void **state)
{
    struct fixture *fixture = *state;
    char text[ID_TEXT_SIZE];
    const uint64_t id = fixture_submit(fixture, "held");
    (void)text_of(id, text);
    fixture_await_answer(fixture, DISPATCH_WHY, text, "\"cause\":\"unserved\"");
    struct scripted *worker = scripted_new(fixture, "w1", 1, only_a);
    const uint32_t lane = scripted_await_lane(worker, "main");
    fixture_await_answer(fixture, DISPATCH_WHY, text,
                         "\"cause\":\"not asked for\"");
    const uint64_t pause = act(fixture, ACTION_PAUSE, "recipient=u@*");
    fixture_await_answer(fixture, DISPATCH_WHY, text, "\"cause\":\"paused\"");
    fixture_await_answer(fixture, DISPATCH_WHY, text, "because");
    end_action(fixture, ACTION_PAUSE, pause);
    scripted_pull(worker, lane, "a", 1);
    const struct wire_job *job = scripted_await_job(worker);
    fixture_await_answer(fixture, DISPATCH_WHY, text,
                         "by worker w1 from source a");
    scripted_result(worker, job, 451, "not now");
    fixture_await_answer(fixture, DISPATCH_WHY, text, "\"cause\":\"waiting\"");
    fixture_await_answer(fixture, DISPATCH_WHY, text, "not now");
    fixture_await_answer(fixture, DISPATCH_WHY, text, "wait 1 of ");
    scripted_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(a_pause_of_a_stream_keeps_its_mail_and_no_other),
        SCENARIO(a_pause_of_a_recipient_sets_him_alone_aside),
        SCENARIO(paused_mail_at_the_head_costs_the_other_nothing),
        SCENARIO(paused_mail_comes_back_in_its_order),
        SCENARIO(paused_mail_expires_all_the_same),
        SCENARIO(paused_mail_is_late_like_any),
        SCENARIO(a_pause_ends_when_its_time_is_over),
        SCENARIO(a_pause_outlives_a_reload),
        SCENARIO(a_delete_tells_each_recipient_and_reports_to_nobody),
        SCENARIO(a_delete_of_one_recipient_leaves_the_other),
        SCENARIO(what_a_worker_has_is_let_finish_and_then_deleted),
        SCENARIO(what_waits_can_be_tried_now),
        SCENARIO(what_is_expired_by_hand_is_reported),
        SCENARIO(what_is_bounced_by_hand_says_why),
        SCENARIO(a_new_route_outlives_a_restart_and_a_reload),
        SCENARIO(held_mail_is_released),
        SCENARIO(mail_accepted_later_is_not_meant),
        SCENARIO(what_was_half_done_goes_on_after_a_restart),
        SCENARIO(progress_is_told_to_the_end),
        SCENARIO(a_search_pages_and_counts),
        SCENARIO(cold_mail_is_seen_and_acted_upon_like_any),
        SCENARIO(why_tells_what_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
