/* link.c - the worker's end of the job protocol with one router. */
#include "workers/lanes/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/bus.h"
#include "common/edge/log.h"
#include "workers/results/journal.h"
#include "workers/results/kept.h"

#define FRAME_MAX (8u << 20) /* a result of WIRE_RECIPIENTS_MAX recipients */
#define ID_SIZE   (BUS_ID_MAX + 1)

#define JOURNAL_PATH_MAX 512u

/* What a HELLO can name. Credit is not given up to the last one: jobs may be on
 * their way. */
#define HELD_MAX  WIRE_LEASES_MAX
#define HELD_BUSY (HELD_MAX / 2)

/* What a router may make of our clock. */
#define BEAT_MIN_MS  10u
#define BEAT_MAX_MS  MINUTES_MS(1)
#define LEASE_MAX_MS MINUTES_MS(10)

/* Between HELLOs to a router that is not there yet; and at least between those
 * to one that answers every frame by saying that it does not know us. */
#define HELLO_WAIT_MS 100u

enum link_state { LINK_GREETING, LINK_JOINED, LINK_RENEWING };

struct link {
    struct link_options options;
    enum link_state state;
    struct bus *bus;
    struct kept *kept;
    struct journal *journal; /* NULL: there could be none */
    struct timer *beat;
    struct buf frame;   /* being encoded */
    struct arena arena; /* of the frame being decoded */
    uint64_t router_boot;
    uint64_t digest_seen; /* of the router's config, when it differs */
    uint64_t beat_ms;
    uint64_t lease_ms;
    uint64_t heard_ms; /* the router's last frame */
    uint64_t hello_ms; /* our last HELLO */
    uint64_t awake_ms; /* the timer ran */
    size_t jobs;       /* under way: neither result nor handed back */
    bool is_draining;
};

static uint64_t now_of(const struct link *link)
{
    return loop_now_ms(link->options.loop);
}

/* A frame that is lost is no loss: the next HELLO says how things are. */
static bool push(struct link *link, enum wire_kind kind, struct slice bytes)
{
    enum rc rc = bus_send(link->bus, NULL, bytes, slice_text(NULL), NULL, NULL);
    if (rc == RC_OK)
        return true;
    if (link->state == LINK_JOINED) {
        log_line(LOG_WARNING, "frame_not_sent", "frame=%s router=%s rc=%s",
                 wire_kind_name(kind), link->options.router->name, rc_name(rc));
        link->state = LINK_RENEWING;
    }
    return false;
}

/* Into link->frame. */
static struct slice encode(struct link *link, const struct wire_frame *frame)
{
    /* FRAME_MAX holds every frame that the limits of wire.h allow. */
    enum rc rc = wire_encode(frame, &link->frame);
    CHECK(rc == RC_OK);
    return buf_slice(&link->frame);
}

static bool send(struct link *link, const struct wire_frame *frame)
{
    return push(link, frame->kind, encode(link, frame));
}

struct held_list {
    uint64_t leases[HELD_MAX];
    uint64_t messages[HELD_MAX];
    size_t count;
};

static void add_kept(void *context, uint64_t lease, uint64_t message,
                     struct slice frame)
{
    (void)frame;
    struct held_list *held = context;
    if (held->count == HELD_MAX)
        return;
    held->leases[held->count] = lease;
    held->messages[held->count++] = message;
}

/* False: it could not leave. */
static bool say_hello(struct link *link)
{
    const struct link_options *options = &link->options;
    struct held_list *held = NEW(struct held_list);
    struct wire_ids former = { NULL, 0 };
    if (link->journal)
        former.items = journal_former(link->journal, &former.count);
    kept_each(link->kept, add_kept, held);
    options->handlers->add_held(options->context, link, held->leases,
                                held->messages, &held->count, HELD_MAX);
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    link->hello_ms = now_of(link);
    bool is_sent = send(
        link, &(struct wire_frame){
                  .kind = WIRE_HELLO,
                  .as.hello = {
                      .worker = slice_text(options->worker),
                      .boot = options->boot,
                      .host = slice_text(host),
                      .pid = (uint64_t)getpid(),
                      .config_digest = options->conf->digest,
                      .sources = options->handlers->sources(options->context),
                      .held_leases = { held->leases, held->count },
                      .held_messages = { held->messages, held->count },
                      .former_boots = former,
                  } });
    mem_free(held);
    return is_sent;
}

static void lose(struct link *link, const char *why)
{
    log_line(LOG_WARNING, "router_lost", "router=%s why=%s",
             link->options.router->name, why);
    link->state = LINK_GREETING;
    link->options.handlers->on_lost(link->options.context, link);
}

static void send_again(void *context, uint64_t lease, uint64_t message,
                       struct slice frame)
{
    (void)lease;
    (void)message;
    (void)push(context, WIRE_RESULT, frame);
}

static uint64_t clamp(uint64_t value, uint64_t min, uint64_t max)
{
    if (value < min)
        return min;
    return value < max ? value : max;
}

/* The router is another than before, or has lost us. */
static void join(struct link *link, const struct wire_welcome *welcome)
{
    const struct link_options *options = &link->options;
    if (link->router_boot != welcome->boot)
        options->handlers->on_lost(options->context, link);
    link->router_boot = welcome->boot;
    log_line(LOG_INFO, "joined", "router=%s rank=%" PRIu32 " workers=%" PRIu32,
             options->router->name, welcome->rank, welcome->workers);
    kept_each_due(link->kept, UINT64_MAX, now_of(link), send_again, link);
}

/* The last thing that a WELCOME does: a reload greets the router anew. */
static void compare_config(struct link *link, uint64_t digest)
{
    if (digest == link->options.conf->digest || digest == link->digest_seen)
        return;
    link->digest_seen = digest;
    log_line(LOG_INFO, "config_differs", "router=%s",
             link->options.router->name);
    link->options.handlers->on_new_config(link->options.context);
}

static void hear_welcome(struct link *link, const struct wire_welcome *welcome)
{
    const struct link_options *options = &link->options;
    enum link_state before = link->state;
    link->state = LINK_JOINED;
    if (welcome->beat_ms > 0)
        link->beat_ms = clamp(welcome->beat_ms, BEAT_MIN_MS, BEAT_MAX_MS);
    if (welcome->lease_ms > 0)
        link->lease_ms = welcome->lease_ms;
    link->lease_ms = clamp(link->lease_ms, 2 * link->beat_ms, LEASE_MAX_MS);
    if (before == LINK_GREETING || welcome->boot != link->router_boot)
        join(link, welcome);
    if (link->is_draining)
        (void)send(link, &(struct wire_frame){ .kind = WIRE_DRAIN });
    options->handlers->on_share(options->context, welcome->rank,
                                welcome->workers);
    options->handlers->on_renewed(options->context, link);
    compare_config(link, welcome->config_digest);
}

static void hear_beat(struct link *link, const struct wire_beat *beat)
{
    if (link->state != LINK_GREETING && beat->boot == link->router_boot) {
        link->options.handlers->on_share(link->options.context, beat->rank,
                                         beat->workers);
        return;
    }
    if (link->state != LINK_GREETING)
        lose(link, "restarted");
    if (now_of(link) >= link->hello_ms + HELLO_WAIT_MS)
        (void)say_hello(link);
}

static void hear_job(struct link *link, const struct wire_job *job,
                     struct slice head, struct slice body)
{
    link->jobs++;
    if (link->state == LINK_GREETING)
        link_handback(link, job->lease, "greeting");
    else
        link->options.handlers->on_job(link->options.context, link, job, head,
                                       body);
}

static void hear_ack(struct link *link, const struct wire_ack *ack)
{
    for (size_t i = 0; i < ack->leases.count; i++) {
        (void)kept_drop(link->kept, ack->leases.items[i]);
        if (link->journal)
            journal_clear(link->journal, ack->leases.items[i]);
    }
}

static void hear(struct link *link, const struct wire_frame *frame,
                 struct slice head, struct slice body)
{
    const struct link_options *options = &link->options;
    switch (frame->kind) {
    case WIRE_WELCOME:
        hear_welcome(link, &frame->as.welcome);
        return;
    case WIRE_BEAT:
        hear_beat(link, &frame->as.beat);
        return;
    case WIRE_ACK:
        hear_ack(link, &frame->as.ack);
        return;
    case WIRE_OFFER:
        if (link->state != LINK_GREETING)
            options->handlers->on_offer(options->context, link,
                                        &frame->as.offer);
        return;
    case WIRE_JOB:
        hear_job(link, &frame->as.job, head, body);
        return;
    case WIRE_TRACE:
        options->handlers->on_trace(options->context, link, &frame->as.trace);
        return;
    case WIRE_DRAIN:
        options->handlers->on_drain(options->context, frame->as.drain.is_over);
        return;
    case WIRE_HELLO:
    case WIRE_PULL:
    case WIRE_HANDBACK:
    case WIRE_RESULT:
    case WIRE_LINES:
        break; /* ours to say */
    }
    log_line(LOG_WARNING, "frame_unexpected", "frame=%s router=%s",
             wire_kind_name(frame->kind), options->router->name);
}

static void on_frame(void *context, const struct bus_peer *peer,
                     struct slice head, struct slice body)
{
    (void)peer;
    struct link *link = context;
    struct wire_frame frame;
    arena_clear(&link->arena);
    enum rc rc = wire_decode(head, &link->arena, &frame);
    if (rc != RC_OK) {
        log_line(LOG_WARNING, "frame_refused", "router=%s rc=%s bytes=%zu",
                 link->options.router->name, rc_name(rc), head.len);
        return;
    }
    link->heard_ms = loop_now_ms(link->options.loop);
    hear(link, &frame, head, body);
}

/* One beat earlier than the router gives our jobs to others: what is not begun
 * by then is not begun any more. */
static bool is_silent(const struct link *link, uint64_t now_ms)
{
    return now_ms - link->heard_ms >= link->lease_ms - link->beat_ms;
}

static void beat(void *context)
{
    struct link *link = context;
    uint64_t now_ms = now_of(link);
    if (now_ms - link->awake_ms >= link->lease_ms)
        link->options.handlers->on_stalled(link->options.context, link);
    link->awake_ms = now_ms;
    if (link->state != LINK_GREETING && is_silent(link, now_ms))
        lose(link, "silent");
    if (link->state == LINK_JOINED && now_ms >= link->hello_ms + LINK_RENEW_MS)
        link->state = LINK_RENEWING;
    bool is_sent = true;
    if (link->state == LINK_JOINED)
        (void)send(link, &(struct wire_frame){
                             .kind = WIRE_BEAT,
                             .as.beat.boot = link->options.boot,
                         });
    else
        is_sent = say_hello(link);
    if (link->state != LINK_GREETING && now_ms > LINK_RESULT_MS)
        kept_each_due(link->kept, now_ms - LINK_RESULT_MS, now_ms, send_again,
                      link);
    timer_set(link->beat, now_ms + (is_sent ? link->beat_ms : HELLO_WAIT_MS));
}

/* What a former life left, as if it were ours. */
static bool inherit(void *context, struct slice frame)
{
    struct link *link = context;
    struct wire_frame left;
    arena_clear(&link->arena);
    return wire_decode(frame, &link->arena, &left) == RC_OK
           && left.kind == WIRE_RESULT
           && kept_add(link->kept, left.as.result.lease, left.as.result.message,
                       frame, 0);
}

/* Without one all that we have is in doubt when we die: no reason not to send. */
static void open_journal(struct link *link)
{
    const struct link_options *options = &link->options;
    char path[JOURNAL_PATH_MAX];
    struct fault fault;
    const int len =
        snprintf(path, sizeof path, "%s/%s.%s.journal", options->conf->run_dir,
                 options->worker, options->router->name);
    if (len < 0 || (size_t)len >= sizeof path || strchr(options->worker, '/'))
        (void)fault_set(&fault, RC_SYNTAX, 0, "no file can be named %s",
                        options->worker);
    else
        link->journal = journal_open(path, options->boot, &fault);
    if (!link->journal) {
        log_fault(LOG_WARNING, "journal_unavailable", &fault);
        return;
    }
    journal_each(link->journal, inherit, link);
    if (kept_count(link->kept) > 0)
        log_line(LOG_INFO, "journal_read", "router=%s results=%zu",
                 options->router->name, kept_count(link->kept));
}

struct link *link_new(const struct link_options *options, struct fault *fault)
{
    const struct conf_bus *conf = &options->conf->bus;
    const struct bus_keys keys = {
        .secret_file = conf->key_file,
        .router_key = conf->router_key,
    };
    char id[ID_SIZE];
    int len = snprintf(id, sizeof id, "%.31s-%016" PRIx64, options->worker,
                       options->boot);
    struct link *link = NEW(struct link);
    link->options = *options;
    link->beat_ms = conf->beat_ms;
    link->lease_ms = conf->lease_ms;
    buf_init(&link->frame, FRAME_MAX);
    arena_init(&link->arena, FRAME_MAX);
    link->kept = kept_new();
    open_journal(link);
    link->bus =
        bus_connect(options->loop, options->router->bus,
                    slice_of(id, (size_t)len), &keys, on_frame, link, fault);
    if (!link->bus) {
        link_free(&link);
        return NULL;
    }
    link->awake_ms = now_of(link);
    link->beat = timer_new(options->loop, beat, link);
    timer_set(link->beat, now_of(link));
    return link;
}

void link_free(struct link **link)
{
    struct link *held = steal(*link);
    if (!held)
        return;
    timer_free(&held->beat);
    bus_free(&held->bus);
    kept_free(&held->kept);
    journal_close(&held->journal);
    buf_release(&held->frame);
    arena_release(&held->arena);
    mem_free(held);
}

void link_greet(struct link *link)
{
    if (link->state != LINK_JOINED)
        return; /* it is being said anyway */
    link->state = LINK_RENEWING;
    (void)say_hello(link);
}

bool link_is_open(const struct link *link)
{
    return link->state == LINK_JOINED;
}

static size_t held_count(const struct link *link)
{
    return link->jobs + kept_count(link->kept);
}

bool link_is_busy(const struct link *link)
{
    return held_count(link) >= HELD_BUSY;
}

bool link_is_full(const struct link *link)
{
    return held_count(link) > HELD_MAX; /* the job in question is counted */
}

void link_reconf(struct link *link, const struct conf *conf,
                 const struct conf_router *router)
{
    link->options.conf = conf;
    link->options.router = router;
}

void link_pull(struct link *link, uint32_t lane, struct slice source,
               uint64_t total)
{
    CHECK(link_is_open(link));
    (void)send(link, &(struct wire_frame){
                         .kind = WIRE_PULL,
                         .as.pull = { lane, source, total },
                     });
}

void link_handback(struct link *link, uint64_t lease, const char *reason)
{
    CHECK(link->jobs > 0);
    link->jobs--;
    if (link->journal)
        journal_clear(link->journal, lease);
    (void)send(link, &(struct wire_frame){
                         .kind = WIRE_HANDBACK,
                         .as.handback = { { &lease, 1 }, slice_text(reason) },
                     });
}

void link_doubt(struct link *link, const struct wire_result *result)
{
    if (!link->journal)
        return;
    const struct wire_frame frame = { .kind = WIRE_RESULT,
                                      .as.result = *result };
    journal_note(link->journal, result->lease, JOURNAL_DOUBT,
                 encode(link, &frame));
}

void link_result(struct link *link, const struct wire_result *result)
{
    CHECK(link->jobs > 0);
    link->jobs--;
    const struct slice frame =
        encode(link, &(struct wire_frame){ .kind = WIRE_RESULT,
                                           .as.result = *result });
    /* First: whoever hears of it may find us dead, and the journal in doubt. */
    if (link->journal)
        journal_note(link->journal, result->lease, JOURNAL_RESULT, frame);
    const bool is_sent = push(link, WIRE_RESULT, frame);
    if (!kept_add(link->kept, result->lease, result->message, frame,
                  is_sent ? now_of(link) : 0))
        log_line(LOG_ERROR, "lease_seen_twice", "lease=%" PRIu64,
                 result->lease);
}

bool link_lines(struct link *link, const struct wire_lines *lines)
{
    const struct wire_frame frame = { .kind = WIRE_LINES, .as.lines = *lines };
    return bus_send(link->bus, NULL, encode(link, &frame), slice_text(NULL),
                    NULL, NULL)
           == RC_OK;
}

void link_drain(struct link *link)
{
    link->is_draining = true;
    (void)send(link, &(struct wire_frame){ .kind = WIRE_DRAIN });
}

void link_resume(struct link *link)
{
    link->is_draining = false;
    link_greet(link);
}

size_t link_kept(const struct link *link)
{
    return kept_count(link->kept);
}
