/*
 * loop.h - one thread's event loop: fds, timers, signals, mail from other
 * threads. The only file that knows libuv.
 *
 * A turn: timers that are due, hooks, deferred work; the sleep; ready fds and
 * mail, hooks and deferred work again; then what was freed dies.
 *
 * The clock is read twice per turn, before the timers and after the sleep, and
 * never in between: loop_now_ms() is the same for all handlers of either half.
 * Handlers do bounded work and return. Objects may be freed in any handler,
 * their own included: they die at the end of the turn and their handler is not
 * called again.
 *
 * One loop belongs to one thread. mailbox_post() alone may be called from
 * others.
 */
#ifndef COMMON_EDGE_LOOP_H
#define COMMON_EDGE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct loop;
struct timer;
struct watch;
struct mailbox;
struct hook;
struct defer;
struct ending;

/* The process ignores SIGPIPE from here on: a peer that went away is an errno,
 * never a signal. Whoever starts a program from it sets the default again. */
struct loop *loop_new(void) must_check;

/* Runs the endings; all other objects of the loop must have been freed. */
void loop_free(struct loop **loop);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);

/* One turn that does not sleep; for tests and for draining at the end. */
void loop_turn(struct loop *loop);

void loop_stop(struct loop *loop);

/* The clock of time_now_ms(), as of this half of the turn. */
uint64_t loop_now_ms(const struct loop *loop);

/* Timers: one-shot; fn runs once loop_now_ms() >= at_ms. A timer set from a
 * timer's handler waits for the next millisecond at least, so that one that
 * sets itself to now cannot hold the turn. */
typedef void timer_fn(void *context);
struct timer *timer_new(struct loop *loop, timer_fn *fn,
                        void *context) must_check;
void timer_set(struct timer *timer, uint64_t at_ms); /* moves it when set */
void timer_clear(struct timer *timer);
void timer_free(struct timer **timer);

/* File descriptors, level triggered; one watch per fd. The watch does not own
 * the fd; close it after watch_free(). An error or hang-up comes as everything
 * that was asked for: the read or write then says what it is. */
#define WATCH_READ  0x1u
#define WATCH_WRITE 0x2u
typedef void watch_fn(void *context, unsigned ready);
struct watch *watch_new(struct loop *loop, int fd, watch_fn *fn,
                        void *context) must_check;
void watch_set(struct watch *watch, unsigned events); /* 0: none */
void watch_free(struct watch **watch);

/* Mail between threads: a bounded queue of pointers, drained by fn in the
 * loop's thread in the order posted. */
typedef void mailbox_fn(void *context, void *item);
struct mailbox *mailbox_new(struct loop *loop, size_t capacity, mailbox_fn *fn,
                            void *context) must_check;

/* From any thread. False when it is full: the item stays the caller's, who
 * pushes back on whoever sent it. */
bool mailbox_post(struct mailbox *mailbox, void *item) must_check;

/* Items still inside go to fn first. Nobody may post any more. */
void mailbox_free(struct mailbox **mailbox);

/* A hook runs before each sleep of the loop and after it. It returns true while
 * it has more to do at once; then the loop does not sleep. For sources of
 * events that have no level-triggered fd (ZeroMQ). */
typedef bool hook_fn(void *context);
struct hook *hook_new(struct loop *loop, hook_fn *fn, void *context) must_check;
void hook_free(struct hook **hook);

/* Work put off to the end of this half of the turn, behind the handlers and
 * hooks that run now and before the loop sleeps. defer_set() may be called
 * often; fn then runs once. Set again by deferred work it runs in the next
 * turn, which comes without a sleep. */
typedef void defer_fn(void *context);
struct defer *defer_new(struct loop *loop, defer_fn *fn,
                        void *context) must_check;
void defer_set(struct defer *defer);
void defer_clear(struct defer *defer);
void defer_free(struct defer **defer);

/* For objects that free themselves when they are done: fn(context) is called
 * when the loop is freed before that, and frees them, this one included. */
typedef void ending_fn(void *context);
struct ending *ending_new(struct loop *loop, ending_fn *fn,
                          void *context) must_check;
void ending_free(struct ending **ending);

/* Work that may block: run(context) in a thread of a small pool, then
 * end(context) in the loop, always and once. loop_free() waits for it. */
typedef void work_fn(void *context);
void loop_work(struct loop *loop, work_fn *run, work_fn *end, void *context);

/* fn(context) in the loop when the process gets the signal. At most one
 * handler per signal and process; lives as long as the loop. */
void loop_on_signal(struct loop *loop, int signo, timer_fn *fn, void *context);

#endif
