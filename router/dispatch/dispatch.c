/* dispatch.c - the lane thread itself: its loop, its mailboxes, its tick. */
#include "router/dispatch/dispatch.h"

#include <signal.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "router/dispatch/call.h"
#include "router/dispatch/claims.h"
#include "router/dispatch/core.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/events.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/hear.h"
#include "router/dispatch/inquiry.h"
#include "router/dispatch/offers.h"
#include "router/dispatch/outcome.h"
#include "router/dispatch/peek.h"
#include "router/dispatch/place.h"
#include "router/dispatch/reload.h"
#include "router/dispatch/room.h"
#include "router/dispatch/search.h"
#include "router/dispatch/seeing.h"
#include "router/dispatch/serve.h"
#include "router/dispatch/settle.h"
#include "router/dispatch/warn.h"

#define BOOK_PATH_MAX 512 /* run_dir and the router's name, checked */

void dispatch_begin(struct dispatch *dispatch)
{
    CHECK(!dispatch->changed && list_is_empty(&dispatch->notices));
    arena_clear(&dispatch->scratch);
    dispatch->opened = NULL;
}

const struct envelope *dispatch_open(struct dispatch *dispatch,
                                     const struct queued *queued)
{
    if (dispatch->opened != queued) {
        const enum rc rc =
            queued_envelope(queued, &dispatch->scratch, &dispatch->envelope);
        CHECK(rc == RC_OK); /* it was read once already */
        dispatch->opened = queued;
    }
    return &dispatch->envelope;
}

void dispatch_wake(struct dispatch *dispatch, struct lane *lane)
{
    offers_open(dispatch, lane);
    if (!lane->credits || lane->ready == 0)
        return;
    if (list_is_empty(&lane->link))
        list_push_back(&dispatch->active, &lane->link);
    defer_set(dispatch->work);
}

enum rc dispatch_say(struct dispatch *dispatch, const struct bus_peer *peer,
                     const struct wire_frame *frame)
{
    enum rc rc = wire_encode(frame, &dispatch->frame);
    if (rc == RC_OK)
        rc = bus_send(dispatch->bus, peer, buf_slice(&dispatch->frame),
                      slice_of(NULL, 0), NULL, NULL);
    if (rc != RC_OK)
        log_line(LOG_DEBUG, "frame_not_sent", "kind=%s rc=%s",
                 wire_kind_name(frame->kind), rc_name(rc));
    return rc;
}

/* At the end of each half of a turn in which something happened. */
static void work(void *context)
{
    struct dispatch *dispatch = context;
    if (!dispatch->stopping && serve_lanes(dispatch))
        defer_set(dispatch->work);
    fetch_pump(dispatch);
    room_review(dispatch);
    settle_flush_acks(dispatch);
    eventlog_flush(dispatch->events);
}

/* A slice of what operators want; again in the next turn while there is more. */
static void operate(void *context)
{
    struct dispatch *dispatch = context;
    const uint64_t until_us = time_now_us() + DISPATCH_OPERATE_SLICE_US;
    if (dispatch->stopping)
        return;
    bool more = pauses_return(dispatch, until_us);
    more = operate_work(dispatch, until_us) || more;
    more = search_work(dispatch, until_us) || more;
    if (more)
        defer_set(dispatch->operate);
    defer_set(dispatch->work);
}

static void act(struct dispatch *dispatch, const struct action *action)
{
    if (action->kind == ACTION_PAUSE)
        pauses_hear(dispatch, action);
    else
        operate_hear(dispatch, action);
}

static void answer(struct dispatch *dispatch, struct call *call)
{
    if (!dispatch->stopping && inquiry_begin(dispatch, call))
        return;
    if (call_question(call) == DISPATCH_SEARCH && !dispatch->stopping) {
        search_begin(dispatch, call);
        return;
    }
    call_answer(call, seeing_answer(dispatch, call_question(call),
                                    call_arg(call), call_json(call)));
    call_leave(&call);
}

static void wake_all(void *context)
{
    struct dispatch *dispatch = context;
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));)
        dispatch_wake(dispatch, lane);
}

static void hear_message(void *context, void *item)
{
    struct dispatch *dispatch = context;
    struct message *message = item;
    if (dispatch->stopping) /* on disk: the next start finds it */
        message_free(&message);
    else
        entry_accept(dispatch, message);
    room_review(dispatch);
}

static void stop_when_settled(struct dispatch *dispatch)
{
    if (dispatch->stopping && dispatch->settling == 0)
        loop_stop(dispatch->loop);
}

static void hear_settled(void *context, void *item)
{
    struct dispatch *dispatch = context;
    settle_written(dispatch, item);
    if (!list_is_empty(&dispatch->operations.all))
        defer_set(dispatch->operate);
    stop_when_settled(dispatch);
}

static void hear_fetched(void *context, void *item)
{
    struct dispatch *dispatch = context;
    fetch_done(dispatch, item);
    if (!list_is_empty(&dispatch->operations.all))
        defer_set(dispatch->operate);
}

static void hear_peeked(void *context, void *item)
{
    peek_done(context, item);
}

static void hear_call(void *context, void *item)
{
    struct dispatch *dispatch = context;
    struct call *call = item;
    switch (call_kind(call)) {
    case CALL_ASK:
        answer(dispatch, call);
        return;
    case CALL_ACT:
        if (!dispatch->stopping)
            act(dispatch, call_action(call));
        break;
    case CALL_RECONF:
        reload(dispatch, call_take_conf(call));
        break;
    case CALL_REOPEN:
        eventlog_reopen(dispatch->events);
        break;
    case CALL_STOP:
        dispatch->stopping = true;
        stop_when_settled(dispatch);
        break;
    }
    call_leave(&call);
}

/* mx.h asks, dns.h answers; when the dns goes it calls nobody back, and what was
 * asked is forgotten (forget_queries). */
struct query {
    struct list link; /* in dispatch->queries */
    struct dispatch *dispatch;
    char domain[];
};

static void hear_mx(void *context, const struct dns_mx_answer *answer)
{
    struct query *query = context;
    struct dispatch *dispatch = query->dispatch;
    mx_hear(dispatch->mx, slice_text(query->domain), answer,
            dispatch_now_ms(dispatch));
    list_remove(&query->link);
    mem_free(query);
}

static void forget_queries(struct dispatch *dispatch)
{
    for (struct list *link; (link = list_take(&dispatch->queries));)
        mem_free(container_of(link, struct query, link));
}

static void ask_mx(void *context, const char *domain)
{
    const size_t len = strlen(domain);
    struct query *query = mem_new(1, sizeof *query + len + 1);
    query->dispatch = context;
    memcpy(query->domain, domain, len);
    list_init(&query->link);
    list_push_back(&query->dispatch->queries, &query->link);
    dns_query_mx(query->dispatch->dns, query->domain, hear_mx, query);
}

static void hear_destination(void *context, struct list *waiter,
                             const struct mx_answer *answer)
{
    struct dispatch *dispatch = context;
    struct job *job = container_of(waiter, struct job, link);
    struct queued *queued = job->queued;
    dispatch_begin(dispatch);
    place_answered(dispatch, job, answer);
    outcome_close(dispatch, queued, NULL);
}

static void ring(struct dispatch *dispatch, uint64_t now_ms)
{
    struct list due;
    list_init(&due);
    wheel_turn(&dispatch->wheel, now_ms, &due);
    while (!list_is_empty(&due)) {
        struct alarm *alarm = container_of(due.next, struct alarm, link);
        place_rang(dispatch, container_of(alarm, struct job, alarm));
    }
}

/* Pools came or went: what waits for a pool that was given up takes the
 * fallback, if there is one. */
static void reroute(struct dispatch *dispatch)
{
    dispatch->epoch_handled = dispatch->pools.epoch;
    struct list dead;
    list_init(&dead);
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));)
        if (lane->ready > 0 && lane->pool
            && dispatch->pools.items[lane->pool->index].given_up) {
            list_remove(&lane->link);
            list_push_back(&dead, &lane->link);
        }
    for (struct list *link; (link = list_take(&dead));) {
        struct lane *lane = container_of(link, struct lane, link);
        const uint32_t before = lane->ready;
        place_lane_again(dispatch, lane);
        if (lane->ready < before)
            events_rerouted(dispatch, lane, before - lane->ready);
    }
}

/* Lanes that stood empty for long; domains that nobody asks for. */
static void sweep(struct dispatch *dispatch, uint64_t now_ms)
{
    struct list idle;
    list_init(&idle);
    mx_sweep(dispatch->mx, now_ms);
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));)
        if (lane_is_empty(lane) && list_is_empty(&lane->link)
            && !lane->offer.is_open && list_is_empty(&lane->thirst)
            && now_ms >= lane->idle_ms + DISPATCH_LANE_IDLE_MS)
            list_push_back(&idle, &lane->link);
    for (struct list *link; (link = list_take(&idle));) {
        struct lane *lane = container_of(link, struct lane, link);
        credits_free(&lane->credits);
        lanes_drop(&dispatch->lanes, &lane);
    }
}

static void tick(void *context)
{
    struct dispatch *dispatch = context;
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    const uint64_t lease_ms = dispatch->conf->bus.lease_ms;
    timer_set(dispatch->tick, now_ms + DISPATCH_TICK_MS);
    if (dispatch->stopping)
        return;
    hear_tick(dispatch);
    if (dispatch->gathering && now_ms >= dispatch->start_ms + lease_ms) {
        claims_give_up(dispatch);
        dispatch->gathering = false;
    }
    ring(dispatch, now_ms);
    warn_turn(dispatch, now_ms);
    if (dispatch->epoch_handled != dispatch->pools.epoch)
        reroute(dispatch);
    offers_tick(dispatch);
    pauses_tick(dispatch);
    operate_tick(dispatch);
    tracing_tick(dispatch);
    if (now_ms >= dispatch->beat_ms + dispatch->conf->bus.beat_ms) {
        dispatch->beat_ms = now_ms;
        hear_beat_all(dispatch);
    }
    if (now_ms >= dispatch->sweep_ms + DISPATCH_SWEEP_EACH_MS) {
        dispatch->sweep_ms = now_ms;
        settle_retry(dispatch);
        hear_sweep(dispatch);
        fetch_sweep(dispatch);
        sweep(dispatch, now_ms);
    }
    defer_set(dispatch->work);
}

static void init_memory(struct dispatch *dispatch)
{
    list_init(&dispatch->active);
    list_init(&dispatch->thirsty);
    list_init(&dispatch->thawed);
    list_init(&dispatch->claimed);
    list_init(&dispatch->homeless);
    list_init(&dispatch->troubled);
    list_init(&dispatch->notices);
    list_init(&dispatch->searches);
    list_init(&dispatch->inquiries);
    list_init(&dispatch->queries);
    pauses_init(&dispatch->pauses);
    operations_init(&dispatch->operations);
    tracing_init(&dispatch->tracing);
    table_init(&dispatch->unsettled);
    table_init(&dispatch->fetches);
    table_init(&dispatch->warnings);
    arena_init(&dispatch->scratch, DISPATCH_SCRATCH_MAX);
    arena_init(&dispatch->frames, DISPATCH_SCRATCH_MAX);
    buf_init(&dispatch->frame, DISPATCH_FRAME_MAX);
}

static void open_cold(struct dispatch *dispatch)
{
    struct cold *cold = dispatch->lanes.warmth.cold;
    cold_open(cold, &dispatch->found_urgent, COLD_FOUND);
    cold_open(cold, &dispatch->found, COLD_FOUND);
    cold_open(cold, &dispatch->cold_homeless, COLD_WAITING);
    cold_open(cold, &dispatch->fetching, COLD_FETCHING);
}

static void init_parts(struct dispatch *dispatch)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    const struct mx_hooks hooks = { ask_mx, hear_destination, dispatch };
    /* Larger at each start, and by far more than leases were made. */
    dispatch->boot = time_utc_ms() << 20;
    dispatch->start_ms = now_ms;
    lanes_init(&dispatch->lanes, dispatch->conf, now_ms);
    if (dispatch->options.hot_share > 0)
        lanes_keep_hot(&dispatch->lanes, dispatch->options.hot_share);
    open_cold(dispatch);
    wheel_init(&dispatch->wheel, now_ms);
    wheel_init(&dispatch->warn_wheel, now_ms);
    workers_init(&dispatch->workers);
    leases_init(&dispatch->leases, dispatch->boot);
    pools_init(&dispatch->pools);
    streams_init(&dispatch->streams);
    streams_reconf(&dispatch->streams, dispatch->conf);
    pools_reconf(&dispatch->pools, dispatch->conf, &dispatch->workers, now_ms);
    dispatch->epoch_handled = dispatch->pools.epoch;
    dispatch->mx = mx_new(dispatch->conf, &hooks);
}

static void init_loop(struct dispatch *dispatch)
{
    struct loop *loop = loop_new();
    dispatch->loop = loop;
    dispatch->entries =
        mailbox_new(loop, DISPATCH_ENTRIES_MAX, hear_message, dispatch);
    dispatch->settled =
        mailbox_new(loop, DISPATCH_SETTLED_MAX, hear_settled, dispatch);
    dispatch->fetched =
        mailbox_new(loop, DISPATCH_FETCHED_MAX, hear_fetched, dispatch);
    dispatch->peeked =
        mailbox_new(loop, DISPATCH_FETCHED_MAX, hear_peeked, dispatch);
    dispatch->calls =
        mailbox_new(loop, DISPATCH_CALLS_MAX, hear_call, dispatch);
    dispatch->tick = timer_new(loop, tick, dispatch);
    dispatch->unmute = timer_new(loop, wake_all, dispatch);
    dispatch->work = defer_new(loop, work, dispatch);
    dispatch->operate = defer_new(loop, operate, dispatch);
}

/* Without one nobody knows what was out when we die: no reason not to send. */
static void open_book(struct dispatch *dispatch)
{
    char path[BOOK_PATH_MAX];
    struct fault fault;
    (void)snprintf(path, sizeof path, "%s/%s.leases", dispatch->conf->run_dir,
                   dispatch->router->name);
    struct leasebook *book = leasebook_open(path, &fault);
    if (!book)
        log_fault(LOG_WARNING, "leases_unrecorded", &fault);
    leases_keep_book(&dispatch->leases, book);
}

static enum rc open_edges(struct dispatch *dispatch, struct fault *fault)
{
    const struct conf *conf = dispatch->conf;
    const struct conf_resolver *resolver = &conf->resolver;
    struct addr addr;
    if (!addr_of_ip(slice_text(resolver->address.host), resolver->address.port,
                    &addr))
        return fault_set(fault, RC_SYNTAX, 0, "resolver %s is no IP address",
                         resolver->address.text);
    dispatch->dns = dns_new(dispatch->loop, &addr, resolver->timeout_ms,
                            resolver->tries, fault);
    if (!dispatch->dns)
        return RC_IO;
    dispatch->events = eventlog_open(conf->log.events, fault);
    if (!dispatch->events)
        return RC_IO;
    const struct bus_keys keys = {
        .secret_file = conf->bus.key_file,
        .workers = conf->bus.workers.items,
        .worker_count = conf->bus.workers.count,
    };
    dispatch->bus = bus_bind(dispatch->loop, dispatch->router->bus, &keys,
                             hear_frame, dispatch, fault);
    return dispatch->bus ? RC_OK : RC_IO;
}

struct dispatch *dispatch_new(const struct dispatch_options *options,
                              struct fault *fault)
{
    struct dispatch *dispatch = NEW(struct dispatch);
    dispatch->options = *options;
    dispatch->conf = conf_hold(options->conf);
    dispatch->router = options->router;
    dispatch->verdicts = verdicts_new();
    init_memory(dispatch);
    init_loop(dispatch);
    init_parts(dispatch);
    if (open_edges(dispatch, fault) != RC_OK)
        dispatch_free(&dispatch);
    else
        open_book(dispatch);
    return dispatch;
}

void dispatch_recover(void *context, const struct spool_live *live)
{
    struct dispatch *dispatch = context;
    dispatch->gathering = true;
    cold_push(dispatch->lanes.warmth.cold,
              live->urgent ? &dispatch->found_urgent : &dispatch->found,
              live->id, 0);
}

static void *run(void *context)
{
    struct dispatch *dispatch = context;
    loop_run(dispatch->loop);
    return NULL;
}

/* Signals are for the thread that waits for them. */
enum rc dispatch_start(struct dispatch *dispatch, struct spool *spool,
                       struct fault *fault)
{
    sigset_t all;
    sigset_t before;
    dispatch->spool = spool;
    dispatch->start_ms = time_now_ms();
    room_review(dispatch);
    claims_inherit(dispatch);
    timer_set(dispatch->tick, dispatch->start_ms);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&dispatch->thread, NULL, run, dispatch);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return fault_set(fault, RC_IO, failed, "start the lane thread");
    (void)pthread_setname_np(dispatch->thread, "lanes");
    dispatch->has_thread = true;
    return RC_OK;
}

static bool post_call(struct dispatch *dispatch, struct call *call)
{
    if (mailbox_post(dispatch->calls, call))
        return true;
    call_leave(&call);
    return false;
}

void dispatch_stop(struct dispatch *dispatch)
{
    if (!dispatch->has_thread)
        return;
    while (!post_call(dispatch, call_new(CALL_STOP, NULL)))
        (void)sched_yield();
    (void)pthread_join(dispatch->thread, NULL);
    dispatch->has_thread = false;
}

void dispatch_free(struct dispatch **dispatch)
{
    struct dispatch *freed = steal(*dispatch);
    if (!freed)
        return;
    freed->stopping = true;
    mailbox_free(&freed->entries);
    mailbox_free(&freed->settled);
    mailbox_free(&freed->fetched);
    mailbox_free(&freed->peeked);
    mailbox_free(&freed->calls);
    bus_free(&freed->bus);
    dns_free(&freed->dns);
    forget_queries(freed);
    settle_abandon(freed);
    inquiry_release(freed);
    search_release(freed);
    operations_release(&freed->operations);
    tracing_release(&freed->tracing);
    pauses_release(&freed->pauses);
    table_release(&freed->unsettled);
    table_release(&freed->fetches);
    offers_forget(freed);
    warn_release(freed);
    leases_release(&freed->leases);
    lanes_release(&freed->lanes);
    mx_free(&freed->mx);
    pools_release(&freed->pools);
    streams_release(&freed->streams);
    workers_release(&freed->workers);
    timer_free(&freed->tick);
    timer_free(&freed->unmute);
    defer_free(&freed->work);
    defer_free(&freed->operate);
    verdicts_free(&freed->verdicts);
    eventlog_close(&freed->events);
    loop_free(&freed->loop);
    arena_release(&freed->scratch);
    arena_release(&freed->frames);
    buf_release(&freed->frame);
    conf_release(&freed->conf);
    mem_free(freed);
}

struct mailbox *dispatch_mailbox(struct dispatch *dispatch)
{
    return dispatch->entries;
}

atomic_bool *dispatch_full(struct dispatch *dispatch)
{
    return &dispatch->full;
}

bool dispatch_reconf(struct dispatch *dispatch, struct conf *conf)
{
    return post_call(dispatch, call_new(CALL_RECONF, conf_hold(conf)));
}

bool dispatch_reopen_log(struct dispatch *dispatch)
{
    return post_call(dispatch, call_new(CALL_REOPEN, NULL));
}

void dispatch_report_to(struct dispatch *dispatch, struct mailbox *notes)
{
    dispatch->operations.notes = notes;
}

bool dispatch_act(struct dispatch *dispatch, const struct action *action)
{
    return post_call(dispatch, call_new_act(action));
}

/* NULL: too many ask. */
static struct call *post_question(struct dispatch *dispatch,
                                  enum dispatch_question question,
                                  struct slice arg)
{
    struct call *call = call_new_ask(question, arg);
    if (mailbox_post(dispatch->calls, call))
        return call;
    struct call *unsent = call;
    call_leave(&unsent);
    call_leave(&call);
    return NULL;
}

enum rc dispatch_ask(struct dispatch *dispatch, enum dispatch_question question,
                     struct slice arg, uint64_t timeout_ms, struct buf *json)
{
    struct call *call = post_question(dispatch, question, arg);
    if (!call)
        return RC_LIMIT;
    const enum rc rc = call_wait(call, timeout_ms, json);
    call_leave(&call);
    return rc;
}

bool dispatch_tell(struct dispatch *dispatch, enum dispatch_question question,
                   struct slice arg)
{
    struct call *call = post_question(dispatch, question, arg);
    const bool is_posted = call != NULL;
    call_leave(&call);
    return is_posted;
}
