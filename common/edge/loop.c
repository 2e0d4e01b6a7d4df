/* loop.c - one thread's event loop over libuv. */
#include "common/edge/loop.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

#include "common/base/check.h"
#include "common/base/list.h"
#include "common/base/mem.h"

/* Mail handed over in one turn; the rest waits for the next, so that a busy
 * sender cannot keep the fds of this thread from being served. */
#define MAIL_PER_TURN 256

struct loop {
    uv_loop_t uv;
    uv_prepare_t before_sleep;
    uv_check_t after_sleep;
    uv_idle_t no_sleep; /* runs while the next sleep must not block */
    struct list hooks;
    struct list deferred;
    struct list dead; /* defers that were freed in this turn */
    struct list endings;
    struct list signals;
    size_t works; /* given to loop_work, and not ended */
    bool in_timer;
};

struct timer {
    uv_timer_t uv;
    struct loop *loop;
    timer_fn *fn;
    void *context;
};

struct watch {
    uv_poll_t uv;
    watch_fn *fn;
    void *context;
    unsigned events;
};

struct mailbox {
    uv_async_t uv;
    mailbox_fn *fn;
    void *context;
    size_t capacity;
    pthread_mutex_t lock; /* guards what follows */
    size_t first;
    size_t count;
    bool awake; /* a wake-up is on its way, or items are being taken */
    void *items[];
};

struct hook {
    struct list link;
    hook_fn *fn; /* NULL once freed */
    void *context;
};

struct defer {
    struct list link;
    struct loop *loop;
    defer_fn *fn;
    void *context;
};

struct ending {
    struct list link;
    ending_fn *fn;
    void *context;
};

struct signal_handler {
    struct list link;
    uv_signal_t uv;
    timer_fn *fn;
    void *context;
};

/* The end of an object that is its own handle's memory. */
static void bury(uv_handle_t *handle)
{
    mem_free(handle->data);
}

static bool run_hooks(struct loop *loop)
{
    bool busy = false;
    list_each (at, &loop->hooks) {
        const struct hook *hook = container_of(at, struct hook, link);
        if (hook->fn && hook->fn(hook->context))
            busy = true;
    }
    list_each (at, &loop->hooks) {
        struct hook *hook = container_of(at, struct hook, link);
        if (hook->fn)
            continue;
        list_remove(&hook->link);
        mem_free(hook);
    }
    return busy;
}

/* Takes the list as it is now: what is set meanwhile waits for the next turn,
 * so that work which sets itself again cannot hold this one. */
static bool run_deferred(struct loop *loop)
{
    struct list now;
    list_init(&now);
    for (struct list *at; (at = list_take(&loop->deferred));)
        list_push_back(&now, at);
    for (struct list *at; (at = list_take(&now));) {
        const struct defer *defer = container_of(at, struct defer, link);
        defer->fn(defer->context);
    }
    return !list_is_empty(&loop->deferred);
}

static void free_dead(struct loop *loop)
{
    for (struct list *at; (at = list_take(&loop->dead));)
        mem_free(container_of(at, struct defer, link));
}

/* An idle handle has no work of its own: being active is what it is for. */
static void on_idle(uv_idle_t *handle)
{
    (void)handle;
}

static void end_half(struct loop *loop)
{
    bool busy = run_hooks(loop);
    busy |= run_deferred(loop);
    free_dead(loop);
    if (busy)
        (void)uv_idle_start(&loop->no_sleep, on_idle);
    else
        (void)uv_idle_stop(&loop->no_sleep);
}

static void on_prepare(uv_prepare_t *handle)
{
    end_half(handle->data);
}

static void on_check(uv_check_t *handle)
{
    end_half(handle->data);
}

static void ignore_sigpipe(void)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    CHECK(sigaction(SIGPIPE, &ignore, NULL) == 0);
}

struct loop *loop_new(void)
{
    ignore_sigpipe();
    struct loop *loop = NEW(struct loop);
    CHECK(uv_loop_init(&loop->uv) == 0);
    list_init(&loop->hooks);
    list_init(&loop->deferred);
    list_init(&loop->dead);
    list_init(&loop->endings);
    list_init(&loop->signals);

    (void)uv_prepare_init(&loop->uv, &loop->before_sleep);
    (void)uv_check_init(&loop->uv, &loop->after_sleep);
    (void)uv_idle_init(&loop->uv, &loop->no_sleep);
    loop->before_sleep.data = loop;
    loop->after_sleep.data = loop;
    (void)uv_prepare_start(&loop->before_sleep, on_prepare);
    (void)uv_check_start(&loop->after_sleep, on_check);
    return loop;
}

void loop_free(struct loop **loop)
{
    struct loop *l = steal(*loop);
    if (!l)
        return;
    while (!list_is_empty(&l->endings)) {
        struct list *first = l->endings.next;
        const struct ending *e = container_of(first, struct ending, link);
        e->fn(e->context);
        CHECK(l->endings.next != first);
    }
    while (l->works > 0)
        (void)uv_run(&l->uv, UV_RUN_ONCE);
    (void)run_hooks(l); /* sweeps the freed ones */
    CHECK(list_is_empty(&l->hooks) && list_is_empty(&l->deferred));
    free_dead(l);
    uv_close((uv_handle_t *)&l->before_sleep, NULL);
    uv_close((uv_handle_t *)&l->after_sleep, NULL);
    uv_close((uv_handle_t *)&l->no_sleep, NULL);
    for (struct list *at; (at = list_take(&l->signals));) {
        struct signal_handler *s =
            container_of(at, struct signal_handler, link);
        uv_close((uv_handle_t *)&s->uv, bury);
    }
    /* One turn closes them; a stop that was asked for eats another. */
    (void)uv_run(&l->uv, UV_RUN_NOWAIT);
    (void)uv_run(&l->uv, UV_RUN_NOWAIT);
    CHECK(uv_loop_close(&l->uv) == 0);
    mem_free(l);
}

void loop_run(struct loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_turn(struct loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

uint64_t loop_now_ms(const struct loop *loop)
{
    return uv_now(&loop->uv);
}

struct timer *timer_new(struct loop *loop, timer_fn *fn, void *context)
{
    struct timer *timer = NEW(struct timer);
    timer->loop = loop;
    timer->fn = fn;
    timer->context = context;
    timer->uv.data = timer;
    (void)uv_timer_init(&loop->uv, &timer->uv);
    return timer;
}

static void on_timer(uv_timer_t *handle)
{
    const struct timer *timer = handle->data;
    struct loop *loop = timer->loop;
    loop->in_timer = true;
    timer->fn(timer->context);
    loop->in_timer = false;
}

void timer_set(struct timer *timer, uint64_t at_ms)
{
    uint64_t now_ms = loop_now_ms(timer->loop);
    uint64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    if (wait_ms == 0 && timer->loop->in_timer)
        wait_ms = 1;
    (void)uv_timer_start(&timer->uv, on_timer, wait_ms, 0);
}

void timer_clear(struct timer *timer)
{
    (void)uv_timer_stop(&timer->uv);
}

void timer_free(struct timer **timer)
{
    struct timer *t = steal(*timer);
    if (t)
        uv_close((uv_handle_t *)&t->uv, bury);
}

struct watch *watch_new(struct loop *loop, int fd, watch_fn *fn, void *context)
{
    struct watch *watch = NEW(struct watch);
    watch->fn = fn;
    watch->context = context;
    watch->uv.data = watch;
    CHECK(uv_poll_init(&loop->uv, &watch->uv, fd) == 0);
    return watch;
}

static void on_poll(uv_poll_t *handle, int status, int events);

static void arm(struct watch *watch)
{
    if (watch->events == 0) {
        (void)uv_poll_stop(&watch->uv);
        return;
    }
    int events = 0;
    if (watch->events & WATCH_READ)
        events |= UV_READABLE;
    if (watch->events & WATCH_WRITE)
        events |= UV_WRITABLE;
    CHECK(uv_poll_start(&watch->uv, events, on_poll) == 0);
}

/* On an error of the fd libuv stops the watch and reports no event. Callers
 * find errors by reading or writing, so they get what they asked for, and the
 * watch goes on unless they freed it. */
static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = handle->data;
    unsigned ready = 0;
    if (status < 0)
        ready = watch->events;
    if (events & UV_READABLE)
        ready |= WATCH_READ;
    if (events & UV_WRITABLE)
        ready |= WATCH_WRITE;
    watch->fn(watch->context, ready);
    if (status < 0 && !uv_is_closing((uv_handle_t *)handle))
        arm(watch);
}

void watch_set(struct watch *watch, unsigned events)
{
    if (events == watch->events)
        return;
    watch->events = events;
    arm(watch);
}

void watch_free(struct watch **watch)
{
    struct watch *w = steal(*watch);
    if (w)
        uv_close((uv_handle_t *)&w->uv, bury);
}

static bool mailbox_take(struct mailbox *mailbox, void **item)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    bool some = mailbox->count > 0;
    if (some) {
        *item = mailbox->items[mailbox->first];
        mailbox->first = (mailbox->first + 1) % mailbox->capacity;
        mailbox->count--;
    } else {
        mailbox->awake = false;
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return some;
}

static void on_mail(uv_async_t *handle)
{
    struct mailbox *mailbox = handle->data;
    void *item = NULL;
    for (size_t n = 0; n < MAIL_PER_TURN; n++) {
        if (!mailbox_take(mailbox, &item))
            return;
        mailbox->fn(mailbox->context, item);
    }
    if (!uv_is_closing((uv_handle_t *)handle))
        (void)uv_async_send(handle);
}

struct mailbox *mailbox_new(struct loop *loop, size_t capacity, mailbox_fn *fn,
                            void *context)
{
    CHECK(capacity > 0);
    struct mailbox *mailbox =
        mem_new(1, sizeof *mailbox + capacity * sizeof mailbox->items[0]);
    mailbox->fn = fn;
    mailbox->context = context;
    mailbox->capacity = capacity;
    mailbox->uv.data = mailbox;
    (void)pthread_mutex_init(&mailbox->lock, NULL);
    CHECK(uv_async_init(&loop->uv, &mailbox->uv, on_mail) == 0);
    return mailbox;
}

bool mailbox_post(struct mailbox *mailbox, void *item)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    bool fits = mailbox->count < mailbox->capacity;
    if (fits) {
        size_t last = (mailbox->first + mailbox->count) % mailbox->capacity;
        mailbox->items[last] = item;
        mailbox->count++;
    }
    bool wake = fits && !mailbox->awake;
    if (wake)
        mailbox->awake = true;
    (void)pthread_mutex_unlock(&mailbox->lock);
    if (wake)
        (void)uv_async_send(&mailbox->uv);
    return fits;
}

static void bury_mailbox(uv_handle_t *handle)
{
    struct mailbox *mailbox = handle->data;
    (void)pthread_mutex_destroy(&mailbox->lock);
    mem_free(mailbox);
}

void mailbox_free(struct mailbox **mailbox)
{
    struct mailbox *m = steal(*mailbox);
    if (!m)
        return;
    for (void *item = NULL; mailbox_take(m, &item);)
        m->fn(m->context, item);
    uv_close((uv_handle_t *)&m->uv, bury_mailbox);
}

struct hook *hook_new(struct loop *loop, hook_fn *fn, void *context)
{
    struct hook *hook = NEW(struct hook);
    hook->fn = fn;
    hook->context = context;
    list_push_back(&loop->hooks, &hook->link);
    return hook;
}

/* It stays in the list until that is walked through: the walk may be under
 * way, at this very hook. */
void hook_free(struct hook **hook)
{
    struct hook *h = steal(*hook);
    if (h)
        h->fn = NULL;
}

struct defer *defer_new(struct loop *loop, defer_fn *fn, void *context)
{
    struct defer *defer = NEW(struct defer);
    list_init(&defer->link);
    defer->loop = loop;
    defer->fn = fn;
    defer->context = context;
    return defer;
}

/* Outside of its handlers the loop does not run, and runs what is deferred
 * before it sleeps: no wake-up is needed. */
void defer_set(struct defer *defer)
{
    if (list_is_empty(&defer->link))
        list_push_back(&defer->loop->deferred, &defer->link);
}

void defer_clear(struct defer *defer)
{
    list_remove(&defer->link);
}

void defer_free(struct defer **defer)
{
    struct defer *d = steal(*defer);
    if (!d)
        return;
    list_remove(&d->link);
    list_push_back(&d->loop->dead, &d->link);
}

struct ending *ending_new(struct loop *loop, ending_fn *fn, void *context)
{
    struct ending *ending = NEW(struct ending);
    ending->fn = fn;
    ending->context = context;
    list_push_back(&loop->endings, &ending->link);
    return ending;
}

void ending_free(struct ending **ending)
{
    struct ending *e = steal(*ending);
    if (!e)
        return;
    list_remove(&e->link);
    mem_free(e);
}

static void on_signal(uv_signal_t *handle, int signo)
{
    (void)signo;
    const struct signal_handler *s = handle->data;
    s->fn(s->context);
}

void loop_on_signal(struct loop *loop, int signo, timer_fn *fn, void *context)
{
    struct signal_handler *s = NEW(struct signal_handler);
    s->fn = fn;
    s->context = context;
    s->uv.data = s;
    CHECK(uv_signal_init(&loop->uv, &s->uv) == 0);
    CHECK(uv_signal_start(&s->uv, on_signal, signo) == 0);
    list_push_back(&loop->signals, &s->link);
}

struct work {
    uv_work_t uv;
    struct loop *loop;
    work_fn *run;
    work_fn *end;
    void *context;
};

static void on_work(uv_work_t *request)
{
    struct work *work = request->data;
    work->run(work->context);
}

static void on_work_done(uv_work_t *request, int status)
{
    (void)status; /* nothing is ever cancelled */
    struct work *work = request->data;
    work->loop->works--;
    work->end(work->context);
    mem_free(work);
}

void loop_work(struct loop *loop, work_fn *run, work_fn *end, void *context)
{
    struct work *work = NEW(struct work);
    work->uv.data = work;
    work->loop = loop;
    work->run = run;
    work->end = end;
    work->context = context;
    loop->works++;
    CHECK(uv_queue_work(&loop->uv, &work->uv, on_work, on_work_done) == 0);
}
