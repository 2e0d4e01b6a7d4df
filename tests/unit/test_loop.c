/* test_loop - the loop keeps its contracts about time, order and death. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/time.h"
#include "common/edge/loop.h"

struct log {
    struct loop *loop;
    int calls[8];
    size_t count;
};

struct mark {
    struct log *log;
    int id;
};

static void note(struct log *log, int id)
{
    if (log->count < 8)
        log->calls[log->count] = id;
    log->count++;
}

static void mark_and_stop_at_3(void *context)
{
    struct mark *mark = context;
    note(mark->log, mark->id);
    if (mark->id == 3)
        loop_stop(mark->log->loop);
}

static void timers_run_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct log log = { .loop = loop };
    struct mark marks[] = {
        { &log, 1 }, { &log, 2 }, { &log, 3 }, { &log, 4 }
    };
    struct timer *timers[4];
    uint64_t now_ms = loop_now_ms(loop);
    for (size_t i = 0; i < 4; i++)
        timers[i] = timer_new(loop, mark_and_stop_at_3, &marks[i]);
    timer_set(timers[2], now_ms + 20);
    timer_set(timers[1], now_ms + 10);
    timer_set(timers[3], now_ms + 5);
    timer_set(timers[0], now_ms + 30);
    timer_set(timers[0], now_ms); /* moved */
    timer_clear(timers[3]);
    loop_run(loop);
    assert_int_equal(log.count, 3);
    assert_int_equal(log.calls[0], 1);
    assert_int_equal(log.calls[1], 2);
    assert_int_equal(log.calls[2], 3);
    assert_true(loop_now_ms(loop) >= now_ms + 20);
    for (size_t i = 0; i < 4; i++)
        timer_free(&timers[i]);
    loop_free(&loop);
}

static void the_loop_has_the_clock_of_time_now_ms(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    loop_turn(loop);
    uint64_t after_ms = time_now_ms();
    /* It may lag by a tick of the kernel's coarse clock, and by this test being
     * kept from running; other clocks are off by days. */
    assert_true(loop_now_ms(loop) <= after_ms);
    assert_true(loop_now_ms(loop) + 1000 > after_ms);
    loop_free(&loop);
}

struct again {
    struct loop *loop;
    struct timer *timer;
    int calls;
};

static void set_again_for_now(void *context)
{
    struct again *again = context;
    again->calls++;
    timer_set(again->timer, loop_now_ms(again->loop));
}

static void a_timer_that_sets_itself_to_now_does_not_hold_the_turn(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct again again = { .loop = loop };
    again.timer = timer_new(loop, set_again_for_now, &again);
    timer_set(again.timer, 0);
    loop_turn(loop);
    assert_int_equal(again.calls, 1);
    timer_free(&again.timer);
    loop_free(&loop);
}

struct pair {
    struct loop *loop;
    struct watch *watch;
    int fds[2];
    unsigned ready;
    int calls;
};

static void open_pair(struct pair *pair, struct loop *loop, watch_fn *fn)
{
    *pair = (struct pair){ .loop = loop };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair->fds), 0);
    pair->watch = watch_new(loop, pair->fds[0], fn, pair);
}

static void close_pair(struct pair *pair)
{
    watch_free(&pair->watch);
    (void)close(pair->fds[0]);
    (void)close(pair->fds[1]);
}

static void on_ready(void *context, unsigned ready)
{
    struct pair *pair = context;
    pair->ready = ready;
    pair->calls++;
}

static void a_watch_tells_what_was_asked_as_long_as_it_holds(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct pair pair;
    open_pair(&pair, loop, on_ready);
    assert_int_equal(write(pair.fds[1], "x", 1), 1);
    loop_turn(loop);
    assert_int_equal(pair.calls, 0); /* nothing was asked */

    watch_set(pair.watch, WATCH_READ);
    loop_turn(loop);
    loop_turn(loop);
    assert_int_equal(pair.calls, 2); /* level triggered */
    assert_int_equal(pair.ready, WATCH_READ);
    watch_set(pair.watch, WATCH_READ | WATCH_WRITE);
    loop_turn(loop);
    assert_int_equal(pair.ready, WATCH_READ | WATCH_WRITE);
    watch_set(pair.watch, 0);
    pair.calls = 0;
    loop_turn(loop);
    assert_int_equal(pair.calls, 0);
    close_pair(&pair);
    loop_free(&loop);
}

static void a_hang_up_comes_as_what_was_asked(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct pair pair;
    open_pair(&pair, loop, on_ready);
    assert_int_equal(write(pair.fds[0], "unread", 6), 6);
    watch_set(pair.watch, WATCH_READ);
    (void)close(pair.fds[1]); /* with unread bytes: a reset */
    pair.fds[1] = -1;
    loop_turn(loop);
    assert_true(pair.ready & WATCH_READ);
    int before = pair.calls;
    loop_turn(loop);
    assert_int_equal(pair.calls, before + 1); /* the watch went on */
    close_pair(&pair);
    loop_free(&loop);
}

struct two {
    struct pair pairs[2];
    int calls;
};

static void on_first_or_second(void *context, unsigned ready)
{
    (void)ready;
    struct two *two = context;
    two->calls++;
    watch_free(&two->pairs[0].watch);
    watch_free(&two->pairs[1].watch);
}

static void a_freed_watch_is_not_called_in_the_same_turn(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct two two = { 0 };
    for (size_t i = 0; i < 2; i++) {
        struct pair *pair = &two.pairs[i];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair->fds), 0);
        pair->watch = watch_new(loop, pair->fds[0], on_first_or_second, &two);
        watch_set(pair->watch, WATCH_WRITE);
    }
    loop_turn(loop);
    loop_turn(loop);
    assert_int_equal(two.calls, 1);
    close_pair(&two.pairs[0]);
    close_pair(&two.pairs[1]);
    loop_free(&loop);
}

struct work {
    struct loop *loop;
    struct defer *defer;
    struct hook *hook;
    int deferred;
    int hooked;
    int busy_turns;
    bool again;
};

static void on_deferred(void *context)
{
    struct work *work = context;
    work->deferred++;
    if (work->again)
        defer_set(work->defer);
}

static bool on_hook(void *context)
{
    struct work *work = context;
    work->hooked++;
    if (work->hooked == 1)
        defer_set(work->defer);
    return work->hooked < work->busy_turns;
}

static void hooks_run_before_deferred_work_and_both_before_a_sleep(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct work work = { .loop = loop };
    work.defer = defer_new(loop, on_deferred, &work);
    work.hook = hook_new(loop, on_hook, &work);
    loop_turn(loop);
    assert_int_equal(work.hooked, 2); /* before the sleep and after it */
    assert_int_equal(work.deferred, 1);

    defer_set(work.defer);
    defer_set(work.defer);
    loop_turn(loop);
    assert_int_equal(work.deferred, 2); /* set twice, run once */
    defer_set(work.defer);
    defer_clear(work.defer);
    loop_turn(loop);
    assert_int_equal(work.deferred, 2);

    work.again = true; /* sets itself: once per half of a turn */
    defer_set(work.defer);
    loop_turn(loop);
    assert_int_equal(work.deferred, 4);
    defer_free(&work.defer);
    hook_free(&work.hook);
    loop_turn(loop);
    assert_int_equal(work.deferred, 4);
    loop_free(&loop);
}

static bool stop_when_not_busy(void *context)
{
    struct work *work = context;
    if (++work->hooked >= work->busy_turns)
        loop_stop(work->loop);
    return true;
}

static void a_busy_hook_keeps_the_loop_from_sleeping(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct work work = { .loop = loop, .busy_turns = 1000 };
    work.hook = hook_new(loop, stop_when_not_busy, &work);
    loop_run(loop); /* would sleep for ever */
    assert_true(work.hooked >= 1000);
    hook_free(&work.hook);
    loop_free(&loop);
}

static bool free_itself(void *context)
{
    struct work *work = context;
    work->hooked++;
    hook_free(&work->hook);
    return false;
}

static void a_hook_may_free_itself(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct work work = { .loop = loop };
    work.hook = hook_new(loop, free_itself, &work);
    loop_turn(loop);
    assert_int_equal(work.hooked, 1);
    loop_free(&loop);
}

#define POSTERS    4
#define PER_POSTER 20000

struct mail {
    struct loop *loop;
    struct mailbox *box;
    uintptr_t last[POSTERS];
    size_t taken;
    bool ordered;
};

struct poster {
    pthread_t thread;
    struct mailbox *box;
    uintptr_t id;
};

static void *post_all(void *context)
{
    const struct poster *poster = context;
    for (uintptr_t n = 1; n <= PER_POSTER; n++)
        while (!mailbox_post(poster->box,
                             (void *)(poster->id << 32 | n))) /* NOLINT */
            (void)sched_yield();
    return NULL;
}

static void on_mail(void *context, void *item)
{
    struct mail *mail = context;
    uintptr_t id = (uintptr_t)item >> 32;
    uintptr_t n = (uintptr_t)item & 0xffffffffu;
    if (mail->last[id] + 1 != n)
        mail->ordered = false;
    mail->last[id] = n;
    if (++mail->taken == (size_t)POSTERS * PER_POSTER)
        loop_stop(mail->loop);
}

static void mail_of_many_threads_arrives_whole_and_in_order(void **state)
{
    (void)state;
    struct mail mail = { .ordered = true };
    mail.loop = loop_new();
    mail.box = mailbox_new(mail.loop, 64, on_mail, &mail);
    struct poster posters[POSTERS];
    for (uintptr_t i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){ .box = mail.box, .id = i };
        assert_int_equal(
            pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    loop_run(mail.loop);
    for (size_t i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
    assert_true(mail.ordered);
    assert_int_equal(mail.taken, POSTERS * PER_POSTER);
    mailbox_free(&mail.box);
    loop_free(&mail.loop);
}

static void count_mail(void *context, void *item)
{
    (void)item;
    (*(int *)context)++;
}

static void a_full_mailbox_refuses_and_gives_all_when_freed(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    int got = 0;
    int item = 0;
    struct mailbox *box = mailbox_new(loop, 3, count_mail, &got);
    for (int i = 0; i < 3; i++)
        assert_true(mailbox_post(box, &item));
    assert_false(mailbox_post(box, &item));
    loop_turn(loop);
    assert_int_equal(got, 3);
    assert_true(mailbox_post(box, &item));
    mailbox_free(&box);
    assert_int_equal(got, 4);
    loop_free(&loop);
}

static void a_signal_is_a_handler_of_the_loop(void **state)
{
    (void)state;
    struct log log = { .loop = loop_new() };
    struct mark mark = { &log, 3 };
    loop_on_signal(log.loop, SIGUSR1, mark_and_stop_at_3, &mark);
    assert_int_equal(raise(SIGUSR1), 0);
    loop_run(log.loop);
    assert_int_equal(log.count, 1);
    loop_free(&log.loop);
}

struct orphan {
    struct ending *ending;
    int ended;
};

static void on_end(void *context)
{
    struct orphan *orphan = context;
    orphan->ended++;
    ending_free(&orphan->ending);
}

static void endings_run_when_the_loop_is_freed(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct orphan left = { 0 };
    struct orphan done = { 0 };
    left.ending = ending_new(loop, on_end, &left);
    done.ending = ending_new(loop, on_end, &done);
    ending_free(&done.ending);
    loop_free(&loop);
    assert_int_equal(left.ended, 1);
    assert_int_equal(done.ended, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_run_in_the_order_of_their_times),
        cmocka_unit_test(the_loop_has_the_clock_of_time_now_ms),
        cmocka_unit_test(
            a_timer_that_sets_itself_to_now_does_not_hold_the_turn),
        cmocka_unit_test(a_watch_tells_what_was_asked_as_long_as_it_holds),
        cmocka_unit_test(a_hang_up_comes_as_what_was_asked),
        cmocka_unit_test(a_freed_watch_is_not_called_in_the_same_turn),
        cmocka_unit_test(
            hooks_run_before_deferred_work_and_both_before_a_sleep),
        cmocka_unit_test(a_busy_hook_keeps_the_loop_from_sleeping),
        cmocka_unit_test(a_hook_may_free_itself),
        cmocka_unit_test(mail_of_many_threads_arrives_whole_and_in_order),
        cmocka_unit_test(a_full_mailbox_refuses_and_gives_all_when_freed),
        cmocka_unit_test(a_signal_is_a_handler_of_the_loop),
        cmocka_unit_test(endings_run_when_the_loop_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
