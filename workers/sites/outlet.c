/* outlet.c - one lane's mail leaving by one source. */
#include "workers/sites/outlet.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "workers/sites/manners.h"
#include "workers/sites/report.h"
#include "workers/smtp/channel.h"

#define SITE_TEXT_SIZE 256

#define CREDIT_MAX   256u /* jobs asked for ahead, whatever else permits */
#define QUEUE_LOOK   64u  /* queued jobs looked at for a free connection */
#define PAUSE_MIN_MS SECONDS_MS(1)
#define PAUSE_MAX_MS MINUTES_MS(5)

/* One connection and the job on it. */
struct line {
    struct list link;
    struct outlet *outlet;
    struct channel *channel;
    struct delivery *delivery; /* NULL: idle, or still connecting */
    uint64_t route_key;
    uint32_t sent;
    uint64_t opened_ms;
    bool was_ready;
};

struct outlet {
    struct outlet_options options;
    struct manners manners;
    struct dialog_options dialog;
    struct addr source_addr;
    struct gate *gate;
    struct timer *again; /* when a rate or a pause lets us go on */
    struct list lines;
    struct list queue; /* deliveries that wait for a line */
    uint32_t line_count;
    uint32_t connecting;
    uint32_t queued;
    uint32_t wanted;       /* connections that the gate knows we want */
    uint64_t depth;        /* jobs at the router, as it last said */
    uint64_t credit_total; /* see wire.h */
    uint64_t received;
    uint64_t pause_ms;  /* the last pause; 0: the site answers */
    uint64_t paused_ms; /* when it began */
    uint64_t paused_until_ms;
    bool is_running; /* guards outlet_run() against itself */
    bool is_closing; /* retired, or its source is gone from the config */
    char site[SITE_TEXT_SIZE];
    char domain[SITE_TEXT_SIZE];
    char provider[SITE_TEXT_SIZE];
    char ehlo[SITE_TEXT_SIZE]; /* connections outlive a reloaded config */
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

static void run_later(struct outlet *outlet, uint64_t wait_ms)
{
    if (wait_ms > 0)
        timer_set(outlet->again, now_of(outlet) + wait_ms);
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
    list_remove(&delivery->held);
    delivery_put(outlet->options.ground->deliveries, delivery);
}

static void hand_back(struct outlet *outlet, struct delivery *delivery,
                      const char *reason)
{
    link_handback(delivery->router, delivery->job.lease, reason);
    list_remove(&delivery->held);
    delivery_put(outlet->options.ground->deliveries, delivery);
}

static void drop_line(struct line *line)
{
    struct outlet *outlet = line->outlet;
    if (!line->was_ready)
        outlet->connecting--;
    list_remove(&line->link);
    outlet->line_count--;
    channel_free(&line->channel);
    gate_close_connection(outlet->gate);
    mem_free(line);
}

static void pause_for_a_while(struct outlet *outlet)
{
    outlet->pause_ms =
        outlet->pause_ms == 0 ? PAUSE_MIN_MS : outlet->pause_ms * 2;
    if (outlet->pause_ms > PAUSE_MAX_MS)
        outlet->pause_ms = PAUSE_MAX_MS;
    outlet->paused_ms = now_of(outlet);
    outlet->paused_until_ms = outlet->paused_ms + outlet->pause_ms;
    run_later(outlet, outlet->pause_ms);
}

/* No host of the route answered a line opened at that time. While other
 * connections work it is news of one address; else the waiting jobs of that
 * route are deferred, and the outlet rests before it tries again. Lines that
 * were opened before the rest began fail for the reason that is known. */
static void route_failed(struct outlet *outlet, uint64_t route_key,
                         uint64_t opened_ms, const struct verdict *why)
{
    list_each (at, &outlet->lines)
        if (line_of(at)->route_key == route_key && line_of(at)->was_ready)
            return;
    if (outlet->paused_ms == 0 || opened_ms > outlet->paused_ms)
        pause_for_a_while(outlet);
    list_each (at, &outlet->queue) {
        struct delivery *delivery = delivery_of(at);
        if (delivery->route_key != route_key)
            continue;
        list_remove(at);
        outlet->queued--;
        report_unreached(delivery, why);
        report(outlet, delivery, NULL);
    }
}

static void on_change(void *context)
{
    struct line *line = context;
    struct outlet *outlet = line->outlet;
    struct dialog_job *done = channel_take_done(line->channel);
    if (done) {
        report(outlet, line->delivery, line);
        line->delivery = NULL;
    }
    if (channel_is_ready(line->channel) && !line->was_ready) {
        line->was_ready = true;
        outlet->connecting--;
        outlet->pause_ms = 0;
    }
    struct verdict why;
    if (channel_is_gone(line->channel, &why)) {
        uint64_t route_key = line->route_key;
        uint64_t opened_ms = line->opened_ms;
        bool was_ready = line->was_ready;
        drop_line(line);
        if (!was_ready)
            route_failed(outlet, route_key, opened_ms, &why);
    }
    outlet_run(outlet);
}

static void open_line(struct outlet *outlet, const struct delivery *first)
{
    const struct outlet_ground *ground = outlet->options.ground;
    struct line *line = NEW(struct line);
    line->outlet = outlet;
    line->route_key = first->route_key;
    line->opened_ms = now_of(outlet);
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
    line->channel =
        channel_new(&options, first->job.hosts, first->job.host_count,
                    first->job.lease, on_change, line);
    list_push_back(&outlet->lines, &line->link);
    outlet->line_count++;
    outlet->connecting++;
}

static bool is_worn(const struct line *line)
{
    uint32_t max = line->outlet->manners.max_per_connection;
    return max > 0 && line->sent >= max;
}

static struct line *free_line(struct outlet *outlet, uint64_t route_key)
{
    list_each (at, &outlet->lines) {
        struct line *line = line_of(at);
        if (line->route_key == route_key && !line->delivery && !is_worn(line)
            && channel_is_ready(line->channel))
            return line;
    }
    return NULL;
}

static void quit_line(struct line *line)
{
    channel_quit(&line->channel);
    drop_line(line);
}

/* Connections that carried their share, or have been idle for too long. */
static void close_spent(struct outlet *outlet)
{
    uint64_t now_ms = now_of(outlet);
    bool is_leaving = outlet->options.ground->is_draining || outlet->is_closing;
    list_each (at, &outlet->lines) {
        struct line *line = line_of(at);
        if (line->delivery || !channel_is_ready(line->channel))
            continue;
        uint64_t idle_ms = now_ms - channel_idle_since_ms(line->channel);
        if (is_leaving || is_worn(line) || idle_ms >= outlet->manners.idle_ms)
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
    list_remove(&delivery->link);
    outlet->queued--;
    delivery->started_utc_ms = time_utc_ms();
    line->delivery = delivery;
    line->sent++;
    channel_send(line->channel, &delivery->dialog);
    if (channel_take_done(line->channel)) { /* the server can never take it */
        report(outlet, delivery, line);
        line->delivery = NULL;
    }
    return true;
}

/* One more connection for the job, unless enough are on their way. False: the
 * gate says not now. */
static bool make_line(struct outlet *outlet, const struct delivery *delivery,
                      uint32_t waiting)
{
    if (outlet->connecting >= waiting || is_paused(outlet))
        return true;
    uint64_t wait_ms = 0;
    if (!gate_open_connection(outlet->gate, now_of(outlet), &wait_ms)) {
        run_later(outlet, wait_ms);
        return false;
    }
    open_line(outlet, delivery);
    return true;
}

static void send_queued(struct outlet *outlet)
{
    uint32_t looked = 0;
    uint32_t waiting = 0; /* jobs without a line so far */
    list_each (at, &outlet->queue) {
        if (++looked > QUEUE_LOOK)
            break;
        struct delivery *delivery = delivery_of(at);
        struct line *line = free_line(outlet, delivery->route_key);
        if (line ? !send_on(line, delivery)
                 : !make_line(outlet, delivery, ++waiting))
            break;
    }
}

/* Jobs that we could begin at once, those queued here already counted off. */
static uint64_t capacity(struct outlet *outlet)
{
    const struct outlet_ground *ground = outlet->options.ground;
    if (ground->is_draining || outlet->is_closing || is_paused(outlet)
        || link_kept(outlet->options.router) >= CREDIT_MAX * 8)
        return 0;
    uint32_t slots = gate_slots(outlet->gate);
    uint32_t open = gate_connections(outlet->gate);
    uint64_t openable = slots > open ? slots - open : 0;
    /* A busy line counts, too: its next job is here when it ends. */
    uint64_t jobs = openable + outlet->line_count;
    if (outlet->pause_ms > 0 && jobs > 1)
        jobs = 1; /* one to see whether the site is back */
    uint32_t tokens = gate_messages(outlet->gate, now_of(outlet));
    if (tokens != GATE_UNLIMITED && jobs > (uint64_t)tokens + 1)
        jobs = (uint64_t)tokens + 1;
    if (jobs > CREDIT_MAX)
        jobs = CREDIT_MAX;
    return jobs > outlet->queued ? jobs - outlet->queued : 0;
}

/* Tells the router when what it may send has fallen, or has risen enough to be
 * worth a frame. */
static void ask_for_jobs(struct outlet *outlet)
{
    uint64_t able = capacity(outlet);
    uint64_t standing = outlet->credit_total - outlet->received;
    if (able == standing || (able > standing && standing > able / 2))
        return;
    outlet->credit_total = outlet->received + able;
    link_pull(outlet->options.router, outlet->options.lane,
              slice_text(outlet->options.source->name), outlet->credit_total);
}

/* As many connections as there is mail for, on top of those that are open. */
static void want_connections(struct outlet *outlet)
{
    uint64_t want = outlet->line_count + outlet->queued;
    if (!outlet->options.ground->is_draining && !is_paused(outlet))
        want += outlet->depth;
    uint32_t max = outlet->manners.limits.max_connections;
    if (max == GATE_UNLIMITED)
        max = CREDIT_MAX;
    if (want > max)
        want = max;
    if (want == outlet->wanted)
        return;
    gate_want(outlet->gate, (uint32_t)want, outlet->wanted);
    outlet->wanted = (uint32_t)want;
}

void outlet_run(struct outlet *outlet)
{
    if (outlet->is_running)
        return;
    outlet->is_running = true;
    close_spent(outlet);
    send_queued(outlet);
    want_connections(outlet);
    ask_for_jobs(outlet);
    outlet->is_running = false;
}

static void run_again(void *context)
{
    outlet_run(context);
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
    copy(slice_text(outlet->options.source->ehlo), outlet->ehlo);
    outlet->dialog = (struct dialog_options){
        .ehlo_name = slice_text(outlet->ehlo),
        .tls = outlet->manners.tls,
        .waits = outlet->manners.waits,
    };
}

struct outlet *outlet_new(const struct outlet_options *options)
{
    struct outlet *outlet = NEW(struct outlet);
    outlet->options = *options;
    outlet->options.conf = conf_hold(options->conf);
    list_init(&outlet->lines);
    list_init(&outlet->queue);
    copy(options->site, outlet->site);
    copy(options->domain, outlet->domain);
    copy(options->provider, outlet->provider);
    take_manners(outlet);
    bool is_ip = addr_of_ip(slice_text(options->source->address), 0,
                            &outlet->source_addr);
    CHECK(is_ip); /* the config was checked */
    outlet->gate =
        gate_open(options->ground->gates, slice_text(options->source->name),
                  options->site, &outlet->manners.limits);
    outlet->again = timer_new(options->ground->loop, run_again, outlet);
    return outlet;
}

static void empty_queue(struct outlet *outlet, bool is_told)
{
    for (struct list *at; (at = list_take(&outlet->queue));) {
        struct delivery *delivery = delivery_of(at);
        outlet->queued--;
        if (is_told) {
            hand_back(outlet, delivery, "drain");
            continue;
        }
        list_remove(&delivery->held);
        delivery_put(outlet->options.ground->deliveries, delivery);
    }
}

void outlet_free(struct outlet **outlet, bool hand_back)
{
    struct outlet *held = steal(*outlet);
    if (!held)
        return;
    empty_queue(held, hand_back);
    list_each (at, &held->lines) {
        struct delivery *delivery = line_of(at)->delivery;
        drop_line(line_of(at));
        if (!delivery)
            continue;
        list_remove(&delivery->held);
        delivery_put(held->options.ground->deliveries, delivery);
    }
    gate_want(held->gate, 0, held->wanted);
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

void outlet_job(struct outlet *outlet, struct delivery *delivery)
{
    outlet->received++;
    list_push_back(&outlet->queue, &delivery->link);
    outlet->queued++;
    outlet_run(outlet);
}

void outlet_void_credit(struct outlet *outlet)
{
    outlet->credit_total = 0;
    outlet->received = 0;
    outlet->depth = 0;
}

void outlet_drain(struct outlet *outlet)
{
    empty_queue(outlet, true);
    outlet_run(outlet);
}

void outlet_retire(struct outlet *outlet)
{
    outlet->is_closing = true;
    outlet->depth = 0;
    outlet_run(outlet);
}

bool outlet_is_retired(const struct outlet *outlet)
{
    return outlet->is_closing;
}

bool outlet_is_empty(const struct outlet *outlet)
{
    if (outlet->queued > 0)
        return false;
    list_each (at, &outlet->lines)
        if (line_of(at)->delivery)
            return false;
    return true;
}

bool outlet_reconf(struct outlet *outlet, struct conf *conf)
{
    if (outlet->is_closing)
        return false;
    const struct conf_source *old = outlet->options.source;
    const struct conf_source *now = conf_source(conf, slice_text(old->name));
    if (!now
        || !slice_equal(slice_text(now->address), slice_text(old->address))) {
        outlet->is_closing = true;
        outlet_drain(outlet);
        return false;
    }
    outlet->options.source = now;
    conf_release(&outlet->options.conf);
    outlet->options.conf = conf_hold(conf);
    take_manners(outlet);
    struct gate *before = outlet->gate;
    outlet->gate =
        gate_open(outlet->options.ground->gates, slice_text(now->name),
                  slice_text(outlet->site), &outlet->manners.limits);
    gate_close(&before);
    outlet_run(outlet);
    return true;
}

struct slice outlet_site(const struct outlet *outlet)
{
    return slice_text(outlet->site);
}

uint32_t outlet_lane(const struct outlet *outlet)
{
    return outlet->options.lane;
}

const struct link *outlet_router(const struct outlet *outlet)
{
    return outlet->options.router;
}

const struct conf_source *outlet_source(const struct outlet *outlet)
{
    return outlet->options.source;
}
