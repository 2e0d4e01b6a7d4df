/* link.c - the worker's end of the job protocol with one router. */
#include "workers/lanes/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/edge/bus.h"
#include "common/edge/log.h"
#include "workers/results/kept.h"

#define FRAME_MAX (8u << 20) /* a job of WIRE_RECIPIENTS_MAX recipients */
#define ID_SIZE   (BUS_ID_MAX + 1)
#define HELD_MAX  WIRE_LEASES_MAX

#define GREETING_WAIT_MS 100u /* between HELLOs to a router not there yet */

enum link_state { LINK_GREETING, LINK_JOINED };

struct link {
    struct link_options options;
    enum link_state state;
    struct bus *bus;
    struct kept *kept;
    struct timer *beat;
    struct buf frame;   /* being encoded */
    struct arena arena; /* of the frame being decoded */
    uint64_t router_boot;
    uint64_t digest_seen; /* of the router's config, when it differs */
    uint64_t beat_ms;
    uint64_t lease_ms;
    uint64_t heard_ms; /* the router's last frame */
};

/* The lease outlives a frame that is lost: nothing is done about a failed send
 * but to say so, the router's clock does the rest. */
static void push(struct link *link, enum wire_kind kind, struct slice bytes)
{
    enum rc rc = bus_send(link->bus, NULL, bytes, slice_text(NULL), NULL, NULL);
    /* Before the link stands a HELLO cannot go out: nothing to report. */
    if (rc != RC_OK && link->state == LINK_JOINED)
        log_line(LOG_WARNING, "frame_not_sent", "frame=%s router=%s rc=%s",
                 wire_kind_name(kind), link->options.router->name, rc_name(rc));
}

static void send(struct link *link, const struct wire_frame *frame)
{
    /* FRAME_MAX holds every frame that the limits of wire.h allow. */
    enum rc rc = wire_encode(frame, &link->frame);
    CHECK(rc == RC_OK);
    push(link, frame->kind, buf_slice(&link->frame));
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

static void say_hello(struct link *link)
{
    const struct link_options *options = &link->options;
    struct held_list *held = NEW(struct held_list);
    kept_each(link->kept, add_kept, held);
    options->handlers->add_held(options->context, link, held->leases,
                                held->messages, &held->count, HELD_MAX);
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    send(link, &(struct wire_frame){
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
                   } });
    mem_free(held);
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
    push(context, WIRE_RESULT, frame);
}

static void hear_welcome(struct link *link, const struct wire_welcome *welcome)
{
    if (link->state == LINK_JOINED)
        link->options.handlers->on_lost(link->options.context, link);
    link->state = LINK_JOINED;
    link->router_boot = welcome->boot;
    if (welcome->beat_ms > 0)
        link->beat_ms = welcome->beat_ms;
    if (welcome->lease_ms > 0)
        link->lease_ms = welcome->lease_ms;
    log_line(LOG_INFO, "joined", "router=%s rank=%" PRIu32 " workers=%" PRIu32,
             link->options.router->name, welcome->rank, welcome->workers);
    link->options.handlers->on_share(link->options.context, welcome->rank,
                                     welcome->workers);
    kept_each(link->kept, send_again, link);
    /* The last thing: a reload greets the router anew. */
    if (welcome->config_digest != link->options.conf->digest
        && welcome->config_digest != link->digest_seen) {
        link->digest_seen = welcome->config_digest;
        log_line(LOG_INFO, "config_differs", "router=%s",
                 link->options.router->name);
        link->options.handlers->on_new_config(link->options.context);
    }
}

static void hear_beat(struct link *link, const struct wire_beat *beat)
{
    if (link->state == LINK_JOINED && beat->boot == link->router_boot) {
        link->options.handlers->on_share(link->options.context, beat->rank,
                                         beat->workers);
        return;
    }
    if (link->state == LINK_JOINED)
        lose(link, "restarted");
    say_hello(link);
}

static void hear_ack(struct link *link, const struct wire_ack *ack)
{
    for (size_t i = 0; i < ack->leases.count; i++)
        (void)kept_drop(link->kept, ack->leases.items[i]);
}

static void hear(struct link *link, const struct wire_frame *frame,
                 struct slice head, struct slice body)
{
    const struct link_options *options = &link->options;
    bool is_joined = link->state == LINK_JOINED;
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
        if (is_joined)
            options->handlers->on_offer(options->context, link,
                                        &frame->as.offer);
        return;
    case WIRE_JOB:
        if (is_joined)
            options->handlers->on_job(options->context, link, &frame->as.job,
                                      head, body);
        return;
    case WIRE_DRAIN: /* the router leaves: its silence says the same */
        return;
    case WIRE_HELLO:
    case WIRE_PULL:
    case WIRE_HANDBACK:
    case WIRE_RESULT:
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

static void beat(void *context)
{
    struct link *link = context;
    uint64_t now_ms = loop_now_ms(link->options.loop);
    if (link->state == LINK_JOINED && now_ms - link->heard_ms >= link->lease_ms)
        lose(link, "silent");
    if (link->state == LINK_GREETING)
        say_hello(link);
    else
        send(link, &(struct wire_frame){
                       .kind = WIRE_BEAT,
                       .as.beat.boot = link->options.boot,
                   });
    timer_set(link->beat, now_ms
                              + (link->state == LINK_GREETING ? GREETING_WAIT_MS
                                                              : link->beat_ms));
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
    link->bus =
        bus_connect(options->loop, options->router->bus,
                    slice_of(id, (size_t)len), &keys, on_frame, link, fault);
    if (!link->bus) {
        link_free(&link);
        return NULL;
    }
    link->beat = timer_new(options->loop, beat, link);
    timer_set(link->beat, loop_now_ms(options->loop));
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
    buf_release(&held->frame);
    arena_release(&held->arena);
    mem_free(held);
}

void link_greet(struct link *link)
{
    if (link->state == LINK_JOINED)
        say_hello(link);
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
    send(link, &(struct wire_frame){
                   .kind = WIRE_PULL,
                   .as.pull = { lane, source, total },
               });
}

void link_handback(struct link *link, uint64_t lease, const char *reason)
{
    send(link, &(struct wire_frame){
                   .kind = WIRE_HANDBACK,
                   .as.handback = { { &lease, 1 }, slice_text(reason) },
               });
}

void link_result(struct link *link, const struct wire_result *result)
{
    send(link, &(struct wire_frame){
                   .kind = WIRE_RESULT,
                   .as.result = *result,
               });
    kept_add(link->kept, result->lease, result->message,
             buf_slice(&link->frame));
}

void link_drain(struct link *link)
{
    send(link, &(struct wire_frame){ .kind = WIRE_DRAIN });
}

size_t link_kept(const struct link *link)
{
    return kept_count(link->kept);
}
