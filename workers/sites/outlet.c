/* outlet.c - one lane's mail leaving by one source. */
#include "workers/sites/outlet.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "workers/sites/berths.h"
#include "workers/sites/line.h"
#include "workers/sites/manners.h"
#include "workers/sites/report.h"
#include "workers/sites/rests.h"

#define SITE_TEXT_SIZE 256

#define CREDIT_MAX    256u /* jobs asked for ahead, whatever else permits */
#define QUEUE_LOOK    64u  /* queued jobs looked at for a free connection */
#define QUEUE_WAIT_MS SECONDS_MS(5)
#define PULL_AGAIN_MS SECONDS_MS(5) /* nothing came though the lane has jobs */
#define TURN_WAIT_MS  100u

struct outlet {
    struct outlet_options options;
    struct manners manners;
    struct dialog_options dialog;
    struct addr source_addr;
    struct gate *gate;
    struct berths *berths;
    struct berth berth;  /* lines: all that hold a slot; want: see below */
    struct list waiting; /* in the ground's list */
    struct timer *again; /* when a rate, a pause or a slot lets us go on */
    uint64_t again_ms;   /* when that is; 0: not set */
    struct list connecting;
    struct list ready; /* the one used last first */
    struct list busy;
    struct list leaving;
    struct list queue; /* deliveries that wait for a line */
    uint32_t connecting_count;
    uint32_t leaving_count;
    uint32_t queued;
    uint64_t depth;        /* jobs at the router, as it last said */
    uint64_t credit_total; /* see wire.h */
    uint64_t received;
    uint64_t asked_ms; /* the last PULL or JOB */
    bool is_unsure;    /* the router may know a total that is void */
    struct rests rests;
    uint64_t pause_ms; /* the last pause; 0: the site answers */
    uint64_t paused_until_ms;
    uint64_t quiet_since_ms;
    bool is_retired;
    char site[SITE_TEXT_SIZE];
    char domain[SITE_TEXT_SIZE];
    char provider[SITE_TEXT_SIZE];
};

static struct line *line_of(struct list *link)
{
    return container_of(link, struct line, link);
}

static struct delivery *delivery_of(struct list *link)
{
    return container_of(link, struct delivery, link);
}

static uint64_t now_of(const struct outlet *outlet)
{
    return loop_now_ms(outlet->options.ground->loop);
}

static bool is_paused(const struct outlet *outlet)
{
    return now_of(outlet) < outlet->paused_until_ms;
}

static bool takes_nothing(const struct outlet *outlet)
{
    return outlet->is_retired || outlet->options.ground->is_draining;
}

/* The earliest of those asked for counts. */
static void run_later(struct outlet *outlet, uint64_t wait_ms)
{
    uint64_t at_ms = now_of(outlet) + wait_ms;
    if (wait_ms == 0 || (outlet->again_ms != 0 && outlet->again_ms <= at_ms))
        return;
    outlet->again_ms = at_ms;
    timer_set(outlet->again, at_ms);
}

static void put_away(struct outlet *outlet, struct delivery *delivery)
{
    list_remove(&delivery->held);
    delivery_put(outlet->options.ground->deliveries, delivery);
}

/* A delivery's last step: its outcomes go to the router. */
static void report(struct outlet *outlet, struct delivery *delivery,
                   const struct line *line)
{
    const struct report_place place = {
        .source = outlet->options.source,
        .host = line ? channel_host(line->channel) : "",
        .host_ip = line ? channel_host_ip(line->channel) : "",
        .tls = line ? channel_tls(line->channel) : "",
    };
    report_result(delivery, &place);
    put_away(outlet, delivery);
}

static void hand_back(struct outlet *outlet, struct delivery *delivery,
                      const char *reason)
{
    link_handback(delivery->router, delivery->job.lease, reason);
    put_away(outlet, delivery);
}

static void unqueue(struct outlet *outlet, struct delivery *delivery)
{
    list_remove(&delivery->link);
    outlet->queued--;
}

/* The slot is free: for us, or for another lane of the site. */
static void drop_line(struct line *line)
{
    struct outlet *outlet = line->outlet;
    if (line->state == LINE_CONNECTING)
        outlet->connecting_count--;
    if (line->state == LINE_LEAVING)
        outlet->leaving_count--;
    if (--outlet->berth.lines == 0)
        outlet->berth.since_ms = now_of(outlet);
    line_free(&line);
    gate_close_connection(outlet->gate);
    defer_set(outlet->options.ground->wake);
}

static bool has_line(const struct list *lines, uint64_t route_key)
{
    for (struct list *at = lines->next; at != lines; at = at->next)
        if (line_of(at)->route_key == route_key)
            return true;
    return false;
}

static bool is_served(const struct outlet *outlet, uint64_t route_key)
{
    return has_line(&outlet->busy, route_key)
           || has_line(&outlet->ready, route_key)
           || has_line(&outlet->connecting, route_key);
}

/* What was found out about the route is the result of its jobs. */
static void defer_route(struct outlet *outlet, uint64_t route_key,
                        const struct verdict *why)
{
    list_each (at, &outlet->queue) {
        struct delivery *delivery = delivery_of(at);
        if (delivery->route_key != route_key)
            continue;
        unqueue(outlet, delivery);
        report_unreached(delivery, why);
        report(outlet, delivery, NULL);
    }
}

/* Nothing of the site answers. */
static void pause(struct outlet *outlet)
{
    uint64_t pause_ms =
        outlet->pause_ms > 0 ? 2 * outlet->pause_ms : REST_MIN_MS;
    outlet->pause_ms = pause_ms < REST_MAX_MS ? pause_ms : REST_MAX_MS;
    outlet->paused_until_ms = now_of(outlet) + outlet->pause_ms;
    run_later(outlet, outlet->pause_ms);
}

/* No host of the route let us in. While other connections to them work it is
 * news of the one more. A finding of the DNS that is final is news of the
 * domain alone. */
static void route_failed(struct outlet *outlet, uint64_t route_key,
                         const struct verdict *why)
{
    if (report_is_final(why)) {
        if (!is_served(outlet, route_key))
            defer_route(outlet, route_key, why);
        return;
    }
    rests_add(&outlet->rests, route_key, why, now_of(outlet));
    if (is_served(outlet, route_key))
        return;
    if (outlet->berth.lines == outlet->leaving_count)
        pause(outlet);
    defer_route(outlet, route_key, why);
}

static void line_is_ready(struct line *line)
{
    struct outlet *outlet = line->outlet;
    if (line->state == LINE_CONNECTING) {
        outlet->connecting_count--;
        outlet->pause_ms = 0;
        outlet->paused_until_ms = 0;
        rests_forget(&outlet->rests, line->route_key);
    }
    line->state = LINE_READY;
    list_remove(&line->link);
    list_push_front(&outlet->ready, &line->link);
}

static void line_is_gone(struct line *line, const struct verdict *why)
{
    struct outlet *outlet = line->outlet;
    uint64_t route_key = line->route_key;
    bool was_ready = line->state != LINE_CONNECTING;
    drop_line(line);
    if (!was_ready)
        route_failed(outlet, route_key, why);
}

/* A job that found its connection closed by the server was not tried: another
 * connection tells whether anything is wrong. */
static void job_is_done(struct line *line)
{
    struct outlet *outlet = line->outlet;
    if (!line->delivery->dialog.is_started) {
        list_push_front(&outlet->queue, &line->delivery->link);
        outlet->queued++;
    } else {
        report(outlet, line->delivery, line);
    }
    line->delivery = NULL;
}

static void on_change(void *context)
{
    struct line *line = context;
    struct outlet *outlet = line->outlet;
    struct verdict why;
    if (channel_take_done(line->channel))
        job_is_done(line);
    if (channel_is_gone(line->channel, &why))
        line_is_gone(line, &why);
    else if (channel_is_ready(line->channel))
        line_is_ready(line);
    outlet_run(outlet);
}

static void open_line(struct outlet *outlet, const struct delivery *first)
{
    const struct outlet_ground *ground = outlet->options.ground;
    const struct channel_options options = {
        .loop = ground->loop,
        .source = outlet->source_addr,
        .hosts = {
            .dns = ground->dns,
            .family = outlet->source_addr.storage.ss_family,
            .port = outlet->manners.port,
            .own = ground->own,
            .own_count = ground->own_count,
        },
        .dialog = outlet->dialog,
        .tls = outlet->dialog.tls == DIALOG_TLS_REQUIRED
                   ? ground->verified
                   : ground->opportunistic,
        .connect_ms = outlet->manners.connect_ms,
    };
    struct line *line =
        line_new(outlet, outlet->options.conf, &options, first, on_change);
    list_push_back(&outlet->connecting, &line->link);
    outlet->connecting_count++;
    if (outlet->berth.lines++ == 0)
        outlet->berth.since_ms = now_of(outlet);
}

static bool is_worn(const struct line *line)
{
    uint32_t max = line->outlet->manners.max_per_connection;
    return max > 0 && line->sent >= max;
}

static struct line *free_line(struct outlet *outlet, uint64_t route_key)
{
    list_each (at, &outlet->ready)
        if (line_of(at)->route_key == route_key)
            return line_of(at);
    return NULL;
}

static void quit_line(struct line *line)
{
    struct outlet *outlet = line->outlet;
    line_quit(line);
    list_remove(&line->link);
    list_push_back(&outlet->leaving, &line->link);
    outlet->leaving_count++;
}

/* Slots that we may use, the other lanes of the site considered. */
static uint32_t allowance(const struct outlet *outlet)
{
    return berths_allow(outlet->berths, &outlet->berth,
                        gate_slots(outlet->gate), now_of(outlet));
}

/* Connections that carried their share; those that we may not have any more. */
static void close_spent(struct outlet *outlet)
{
    uint32_t allowed = takes_nothing(outlet) ? 0 : allowance(outlet);
    for (struct list *at = outlet->ready.prev; at != &outlet->ready;) {
        struct line *line = line_of(at);
        at = at->prev; /* the one idle for longest goes first */
        uint32_t staying = outlet->berth.lines - outlet->leaving_count;
        if (staying > allowed || is_worn(line))
            quit_line(line);
    }
}

static void close_idle(struct outlet *outlet)
{
    uint64_t now_ms = now_of(outlet);
    list_each (at, &outlet->ready) {
        struct line *line = line_of(at);
        uint64_t since_ms = channel_idle_since_ms(line->channel);
        if (now_ms - since_ms >= outlet->manners.idle_ms)
            quit_line(line);
    }
}

/* Gives the job to the line. False: no token for it now. */
static bool send_on(struct line *line, struct delivery *delivery)
{
    struct outlet *outlet = line->outlet;
    uint64_t wait_ms = 0;
    if (!gate_take_message(outlet->gate, now_of(outlet), &wait_ms)) {
        run_later(outlet, wait_ms);
        return false;
    }
    unqueue(outlet, delivery);
    delivery->started_utc_ms = time_utc_ms();
    line->sent++;
    channel_send(line->channel, &delivery->dialog);
    if (channel_take_done(line->channel)) { /* the server can never take it */
        report(outlet, delivery, line);
        return true;
    }
    line->delivery = delivery;
    line->state = LINE_BUSY;
    list_remove(&line->link);
    list_push_back(&outlet->busy, &line->link);
    return true;
}

/* One more connection for the job. False: not now. */
static bool make_line(struct outlet *outlet, const struct delivery *delivery)
{
    uint64_t wait_ms = 0;
    if (outlet->berth.lines >= allowance(outlet)
        || gate_connections(outlet->gate) >= gate_slots(outlet->gate)) {
        /* An idle line to other hosts makes room. */
        if (!list_is_empty(&outlet->ready) && outlet->leaving_count == 0)
            quit_line(line_of(outlet->ready.prev));
        return false;
    }
    if (!gate_open_connection(outlet->gate, now_of(outlet), &wait_ms)) {
        run_later(outlet, wait_ms);
        return false;
    }
    open_line(outlet, delivery);
    return true;
}

/* True when the route rests and no line of it is left: then the job was dealt
 * with. While everything pauses it is the router's to keep. */
static bool turn_away(struct outlet *outlet, struct delivery *delivery)
{
    const struct verdict *why =
        rests_find(&outlet->rests, delivery->route_key, now_of(outlet));
    if (!why || is_served(outlet, delivery->route_key))
        return false;
    unqueue(outlet, delivery);
    if (is_paused(outlet)) {
        hand_back(outlet, delivery, "connect");
        return true;
    }
    report_unreached(delivery, why);
    report(outlet, delivery, NULL);
    return true;
}

static bool may_open(const struct outlet *outlet, uint64_t route_key)
{
    return !takes_nothing(outlet)
           && !rests_find(&outlet->rests, route_key, now_of(outlet));
}

static void send_queued(struct outlet *outlet)
{
    uint32_t looked = 0;
    uint32_t waiting = 0; /* jobs without a line so far */
    bool can_open = true;
    list_each (at, &outlet->queue) {
        struct delivery *delivery = delivery_of(at);
        bool has_ready = !list_is_empty(&outlet->ready);
        if (++looked > QUEUE_LOOK || (!has_ready && !can_open))
            break;
        struct line *line =
            has_ready ? free_line(outlet, delivery->route_key) : NULL;
        if (line && !send_on(line, delivery))
            break;
        if (line || turn_away(outlet, delivery) || !can_open
            || !may_open(outlet, delivery->route_key)
            || outlet->connecting_count > waiting++)
            continue;
        can_open = make_line(outlet, delivery);
    }
}

/* Who cannot send them soon gives them to who can. A job that waits for a token
 * would wait for it anywhere, and one whose connection is being made shall know
 * what comes of it. */
static void give_up_old(struct outlet *outlet)
{
    if (gate_messages(outlet->gate, now_of(outlet)) == 0)
        return;
    list_each (at, &outlet->queue) {
        struct delivery *delivery = delivery_of(at);
        if (now_of(outlet) - delivery->queued_ms < QUEUE_WAIT_MS)
            break;
        if (has_line(&outlet->connecting, delivery->route_key))
            continue;
        unqueue(outlet, delivery);
        hand_back(outlet, delivery, "limit");
    }
}

/* Jobs that we could begin at once, those queued here already counted off. */
static uint64_t capacity(struct outlet *outlet)
{
    if (takes_nothing(outlet) || is_paused(outlet)
        || link_is_busy(outlet->options.router))
        return 0;
    uint32_t slots = gate_slots(outlet->gate);
    uint32_t open = gate_connections(outlet->gate);
    uint32_t allowed = allowance(outlet);
    uint32_t lines = outlet->berth.lines;
    uint64_t openable = slots > open ? slots - open : 0;
    uint64_t room = allowed > lines ? allowed - lines : 0;
    if (openable > room)
        openable = room;
    /* A busy line counts, too: its next job is here when it ends. */
    uint64_t jobs = openable + lines - outlet->leaving_count;
    if (jobs > allowed)
        jobs = allowed;
    if (outlet->pause_ms > 0 && jobs > 1)
        jobs = 1; /* one to see whether the site is back */
    uint32_t tokens = gate_messages(outlet->gate, now_of(outlet));
    if (tokens != GATE_UNLIMITED && jobs > (uint64_t)tokens + 1)
        jobs = (uint64_t)tokens + 1;
    if (jobs > CREDIT_MAX)
        jobs = CREDIT_MAX;
    return jobs > outlet->queued ? jobs - outlet->queued : 0;
}

static uint64_t standing_credit(const struct outlet *outlet)
{
    return outlet->credit_total > outlet->received
               ? outlet->credit_total - outlet->received
               : 0;
}

/* Whether the router should hear what it may send: when that has fallen, or has
 * risen enough to be worth a frame, or when it may not know. */
static bool is_worth_asking(const struct outlet *outlet, uint64_t able)
{
    uint64_t standing = standing_credit(outlet);
    if (outlet->is_unsure || able < standing)
        return true;
    if (able > standing)
        return standing <= able / 2;
    return able > 0 && outlet->depth > 0
           && now_of(outlet) >= outlet->asked_ms + PULL_AGAIN_MS;
}

static void ask_for_jobs(struct outlet *outlet)
{
    uint64_t able = capacity(outlet);
    if (!link_is_open(outlet->options.router) || !is_worth_asking(outlet, able))
        return;
    outlet->credit_total = outlet->received + able;
    outlet->asked_ms = now_of(outlet);
    outlet->is_unsure = false;
    link_pull(outlet->options.router, outlet->options.lane,
              slice_text(outlet->options.source->name), outlet->credit_total);
}

/* As many connections as there is mail for, on top of those that are open. */
static void want_connections(struct outlet *outlet)
{
    uint64_t want = outlet->berth.lines + outlet->queued;
    if (!takes_nothing(outlet) && !is_paused(outlet))
        want += outlet->depth;
    uint32_t max = outlet->manners.limits.max_connections;
    if (max > CREDIT_MAX)
        max = CREDIT_MAX;
    if (want > max)
        want = max;
    if (want == outlet->berth.want)
        return;
    if (outlet->berth.want == 0 && outlet->berth.lines == 0)
        outlet->berth.since_ms = now_of(outlet);
    gate_want(outlet->gate, (uint32_t)want, outlet->berth.want);
    outlet->berth.want = (uint32_t)want;
}

/* The router had a while to send a job for the slot that is free for us: now
 * others may have it. */
static void pass_turn(struct outlet *outlet)
{
    struct berth *berth = &outlet->berth;
    if (berth->lines > 0 || outlet->queued > 0 || standing_credit(outlet) == 0
        || !berths_are_shared(outlet->berths, berth))
        return;
    uint64_t from_ms =
        outlet->asked_ms > berth->since_ms ? outlet->asked_ms : berth->since_ms;
    uint64_t now_ms = now_of(outlet);
    if (now_ms < from_ms + TURN_WAIT_MS) {
        run_later(outlet, from_ms + TURN_WAIT_MS - now_ms);
        return;
    }
    berth->since_ms = now_ms;
    defer_set(outlet->options.ground->wake);
}

/* Whether a slot or a token more would let us go on. */
static void note_waiting(struct outlet *outlet)
{
    list_remove(&outlet->waiting);
    if (outlet->queued > 0 || outlet->berth.want > outlet->berth.lines)
        list_push_back(&outlet->options.ground->waiting, &outlet->waiting);
    if (!outlet_is_empty(outlet) || outlet->depth > 0)
        outlet->quiet_since_ms = 0;
    else if (outlet->quiet_since_ms == 0)
        outlet->quiet_since_ms = now_of(outlet);
}

void outlet_run(struct outlet *outlet)
{
    close_spent(outlet);
    give_up_old(outlet);
    send_queued(outlet);
    close_idle(outlet);
    want_connections(outlet);
    ask_for_jobs(outlet);
    pass_turn(outlet);
    note_waiting(outlet);
}

static void run_again(void *context)
{
    struct outlet *outlet = context;
    outlet->again_ms = 0;
    outlet_run(outlet);
}

static void copy(struct slice from, char to[SITE_TEXT_SIZE])
{
    from = slice_head(from, SITE_TEXT_SIZE - 1);
    if (from.len > 0)
        memcpy(to, from.ptr, from.len);
    to[from.len] = '\0';
}

static void take_manners(struct outlet *outlet)
{
    manners_read(outlet->options.conf, slice_text(outlet->domain),
                 slice_text(outlet->provider), &outlet->manners);
    outlet->dialog = (struct dialog_options){
        .ehlo_name = slice_text(outlet->options.source->ehlo),
        .tls = outlet->manners.tls,
        .waits = outlet->manners.waits,
    };
}

static struct gate *open_gate(const struct outlet *outlet)
{
    return gate_open(outlet->options.ground->gates,
                     slice_text(outlet->options.source->name),
                     slice_text(outlet->site), &outlet->manners.limits);
}

struct outlet *outlet_new(const struct outlet_options *options)
{
    struct outlet *outlet = NEW(struct outlet);
    outlet->options = *options;
    outlet->options.conf = conf_hold(options->conf);
    list_init(&outlet->connecting);
    list_init(&outlet->ready);
    list_init(&outlet->busy);
    list_init(&outlet->leaving);
    list_init(&outlet->queue);
    list_init(&outlet->waiting);
    rests_init(&outlet->rests);
    copy(options->site, outlet->site);
    copy(options->domain, outlet->domain);
    copy(options->provider, outlet->provider);
    take_manners(outlet);
    bool is_ip = addr_of_ip(slice_text(options->source->address), 0,
                            &outlet->source_addr);
    CHECK(is_ip); /* the config was checked */
    outlet->gate = open_gate(outlet);
    outlet->berths =
        berths_join(&options->ground->berths, outlet->gate, &outlet->berth);
    outlet->again = timer_new(options->ground->loop, run_again, outlet);
    return outlet;
}

static void close_lines(struct outlet *outlet, struct list *lines)
{
    list_each (at, lines) {
        struct line *line = line_of(at);
        if (line->delivery)
            put_away(outlet, steal(line->delivery));
        drop_line(line);
    }
}

void outlet_free(struct outlet **outlet)
{
    struct outlet *held = steal(*outlet);
    if (!held)
        return;
    struct outlet_ground *ground = held->options.ground;
    list_each (at, &held->queue)
        put_away(held, delivery_of(at));
    close_lines(held, &held->connecting);
    close_lines(held, &held->ready);
    close_lines(held, &held->busy);
    close_lines(held, &held->leaving);
    rests_release(&held->rests);
    list_remove(&held->waiting);
    berths_leave(&ground->berths, &held->berths, &held->berth);
    gate_want(held->gate, 0, held->berth.want);
    gate_close(&held->gate);
    timer_free(&held->again);
    conf_release(&held->options.conf);
    mem_free(held);
}

void outlet_offer(struct outlet *outlet, uint64_t depth)
{
    outlet->depth = depth;
    outlet_run(outlet);
}

/* The lane is open until the router says that it is not. */
static void count_received(struct outlet *outlet)
{
    outlet->received++;
    outlet->asked_ms = now_of(outlet);
    if (outlet->depth > 1)
        outlet->depth--;
}

void outlet_job(struct outlet *outlet, struct delivery *delivery)
{
    count_received(outlet);
    if (takes_nothing(outlet)) {
        hand_back(outlet, delivery, "drain");
    } else if (outlet->queued >= CREDIT_MAX) {
        hand_back(outlet, delivery, "limit");
    } else {
        delivery->queued_ms = now_of(outlet);
        list_push_back(&outlet->queue, &delivery->link);
        outlet->queued++;
    }
    outlet_run(outlet);
}

void outlet_refused(struct outlet *outlet)
{
    count_received(outlet);
    outlet_run(outlet);
}

void outlet_void_credit(struct outlet *outlet)
{
    outlet->is_unsure |= outlet->credit_total > 0;
    outlet->credit_total = 0;
    outlet->received = 0;
    outlet_run(outlet);
}

void outlet_retire(struct outlet *outlet)
{
    outlet->is_retired = true;
    outlet->depth = 0;
    list_each (at, &outlet->queue) {
        unqueue(outlet, delivery_of(at));
        hand_back(outlet, delivery_of(at), "drain");
    }
    close_lines(outlet, &outlet->connecting);
    outlet_run(outlet);
}

bool outlet_is_empty(const struct outlet *outlet)
{
    return outlet->queued == 0 && outlet->berth.lines == 0;
}

uint64_t outlet_quiet_since_ms(const struct outlet *outlet)
{
    return outlet->quiet_since_ms;
}

bool outlet_reconf(struct outlet *outlet, struct conf *conf)
{
    const struct conf_source *old = outlet->options.source;
    const struct conf_source *now = conf_source(conf, slice_text(old->name));
    if (!now
        || !slice_equal(slice_text(now->address), slice_text(old->address)))
        return false;
    outlet->options.source = now;
    conf_release(&outlet->options.conf);
    outlet->options.conf = conf_hold(conf);
    take_manners(outlet);
    /* The same gate, which takes the new limits over. */
    struct gate *before = outlet->gate;
    outlet->gate = open_gate(outlet);
    gate_close(&before);
    outlet_run(outlet);
    return true;
}

struct outlet *outlet_waiting(struct list *link)
{
    return container_of(link, struct outlet, waiting);
}

uint32_t outlet_lane(const struct outlet *outlet)
{
    return outlet->options.lane;
}

struct link *outlet_router(const struct outlet *outlet)
{
    return outlet->options.router;
}

const struct conf_source *outlet_source(const struct outlet *outlet)
{
    return outlet->options.source;
}
