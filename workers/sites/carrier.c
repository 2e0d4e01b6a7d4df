/* carrier.c - the jobs of an outlet, and the lines that carry them. */
#include "workers/sites/carrier.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "workers/lanes/link.h"
#include "workers/sites/loans.h"
#include "workers/sites/report.h"
#include "workers/sites/reserve.h"

#define QUEUE_LOOK 64u /* queued jobs looked at for a free line */
#define YIELD_MS   5u  /* for so long another lane has the next token */

static struct delivery *delivery_of(struct list *link)
{
    return container_of(link, struct delivery, link);
}

static uint64_t now_of(const struct carrier *carrier)
{
    return passage_now_ms(carrier->passage);
}

bool carrier_takes_nothing(const struct carrier *carrier)
{
    return carrier->is_retired || carrier->passage->ground->is_draining;
}

bool carrier_is_paused(const struct carrier *carrier)
{
    return now_of(carrier) < carrier->paused_until_ms;
}

bool carrier_is_on_trial(const struct carrier *carrier)
{
    return carrier->pause_ms > 0;
}

bool carrier_is_empty(const struct carrier *carrier)
{
    return carrier->queued == 0 && carrier->passage->berth.lines == 0;
}

void carrier_run_later(struct carrier *carrier, uint64_t wait_ms)
{
    uint64_t at_ms = now_of(carrier) + wait_ms;
    if (wait_ms == 0 || (carrier->again_ms != 0 && carrier->again_ms <= at_ms))
        return;
    carrier->again_ms = at_ms;
    timer_set(carrier->again, at_ms);
}

static void put_away(struct carrier *carrier, struct delivery *delivery)
{
    list_remove(&delivery->held);
    delivery_put(carrier->passage->ground->deliveries, delivery);
}

static struct report_place place_of(const struct carrier *carrier,
                                    const struct line *line)
{
    const struct conf_source *source = carrier->passage->source;
    const bool is_ipv6 = line && strchr(channel_host_ip(line->channel), ':');
    return (struct report_place){
        .source = source,
        .source_ip =
            is_ipv6 && source->address6 ? source->address6 : source->address,
        .host = line ? channel_host(line->channel) : "",
        .host_ip = line ? channel_host_ip(line->channel) : "",
        .tls = line ? channel_tls(line->channel) : "",
    };
}

/* The message's last byte is about to be said; transaction.h. */
static void note_commit(struct transaction *transaction)
{
    const struct line *line = transaction->owner;
    const struct report_place place = place_of(line->carrier, line);
    report_doubt(container_of(transaction, struct delivery, dialog), &place);
}

/* A delivery's last step: its outcomes go to the router. */
static void report(struct carrier *carrier, struct delivery *delivery,
                   const struct line *line)
{
    const struct report_place place = place_of(carrier, line);
    report_result(delivery, &place);
    put_away(carrier, delivery);
}

void carrier_hand_back(struct carrier *carrier, struct delivery *delivery,
                       const char *reason)
{
    link_handback(delivery->router, delivery->job.lease, reason);
    put_away(carrier, delivery);
}

/* Behind those of its rank, or before them. */
static void enqueue(struct carrier *carrier, struct delivery *delivery,
                    bool is_first)
{
    const enum wire_rank rank = delivery->job.rank;
    struct list *at = carrier->queue.next;
    while (at != &carrier->queue
           && (delivery_of(at)->job.rank > rank
               || (!is_first && delivery_of(at)->job.rank == rank)))
        at = at->next;
    list_insert(at, &delivery->link);
    carrier->queued++;
    carrier->queued_of[rank]++;
}

static void unqueue(struct carrier *carrier, struct delivery *delivery)
{
    list_remove(&delivery->link);
    carrier->queued--;
    carrier->queued_of[delivery->job.rank]--;
}

static void drop_line(struct line *line)
{
    struct carrier *carrier = line->carrier;
    lines_drop(&carrier->lines, &line);
    passage_give_slot(carrier->passage);
}

/* What was found out about the route is the result of its jobs. */
static void defer_route(struct carrier *carrier, uint64_t route_key,
                        const struct verdict *why)
{
    list_each (at, &carrier->queue) {
        struct delivery *delivery = delivery_of(at);
        if (delivery->route_key != route_key)
            continue;
        unqueue(carrier, delivery);
        report_unreached(delivery, why);
        report(carrier, delivery, NULL);
    }
}

/* The other sources of the pool shall have what is for their family alone. The
 * pause keeps it from coming back at once. */
static void hand_back_route(struct carrier *carrier, uint64_t route_key)
{
    list_each (at, &carrier->queue) {
        struct delivery *delivery = delivery_of(at);
        if (delivery->route_key != route_key)
            continue;
        unqueue(carrier, delivery);
        carrier_hand_back(carrier, delivery, "family");
    }
}

/* Nothing of the site answers. */
static void pause(struct carrier *carrier)
{
    uint64_t pause_ms =
        carrier->pause_ms > 0 ? 2 * carrier->pause_ms : REST_MIN_MS;
    carrier->pause_ms = pause_ms < REST_MAX_MS ? pause_ms : REST_MAX_MS;
    carrier->paused_until_ms = now_of(carrier) + carrier->pause_ms;
    carrier_run_later(carrier, carrier->pause_ms);
}

/* No host of the route let us in. While other connections to them work it is
 * news of the one more. A finding of the DNS that is final is news of the
 * domain alone. */
static void route_failed(struct carrier *carrier, uint64_t route_key,
                         const struct verdict *why)
{
    bool is_served = lines_serve(&carrier->lines, route_key);
    if (!report_is_final(why)) {
        rests_add(&carrier->rests, route_key, why, now_of(carrier));
        if (carrier->passage->berth.lines == carrier->lines.leaving_count)
            pause(carrier); /* then nothing serves it */
    }
    if (is_served)
        return;
    if (hosts_is_elsewhere(why) && carrier_is_paused(carrier))
        hand_back_route(carrier, route_key);
    else
        defer_route(carrier, route_key, why);
}

static void line_is_ready(struct line *line)
{
    struct carrier *carrier = line->carrier;
    if (line->state == LINE_CONNECTING) {
        carrier->pause_ms = 0;
        carrier->paused_until_ms = 0;
        rests_forget(&carrier->rests, line->route_key);
    }
    lines_set_ready(&carrier->lines, line);
}

static void line_is_gone(struct line *line, const struct verdict *why)
{
    struct carrier *carrier = line->carrier;
    uint64_t route_key = line->route_key;
    bool was_ready = line->state != LINE_CONNECTING;
    drop_line(line);
    if (!was_ready)
        route_failed(carrier, route_key, why);
}

/* A job that found its connection closed by the server, or lost before its turn
 * came, was not tried: another connection tells whether anything is wrong. */
static void job_is_done(struct line *line, struct transaction *transaction)
{
    struct carrier *carrier = line->carrier;
    struct delivery *delivery =
        container_of(transaction, struct delivery, dialog);
    lines_take_back(line, delivery);
    transaction->owner = NULL;
    if (!transaction->is_started)
        enqueue(carrier, delivery, true);
    else
        report(carrier, delivery, line);
}

static void line_changed(void *context)
{
    struct line *line = context;
    struct carrier *carrier = line->carrier;
    struct verdict why;
    struct transaction *done;
    while ((done = channel_take_done(line->channel)))
        job_is_done(line, done);
    if (channel_is_gone(line->channel, &why))
        line_is_gone(line, &why);
    else if (channel_is_ready(line->channel))
        line_is_ready(line);
    carrier->on_change(carrier->context);
}

static bool is_worn(const struct line *line)
{
    uint32_t max = line->carrier->passage->manners.max_per_connection;
    return max > 0 && line->sent >= max;
}

/* Connections that carried their share; those that we may not have any more,
 * which another lane takes over if it can. */
static void close_spent(struct carrier *carrier)
{
    struct passage *passage = carrier->passage;
    struct lines *lines = &carrier->lines;
    uint32_t allowed =
        carrier_takes_nothing(carrier) ? 0 : passage_allowance(passage);
    for (struct list *at = lines->ready.prev; at != &lines->ready;) {
        struct line *line = line_of(at);
        at = at->prev; /* the one idle for longest goes first */
        uint32_t staying = passage->berth.lines - lines->leaving_count;
        if (is_worn(line)
            || (staying > allowed && !loans_give(line, LOANS_ANY)))
            lines_quit(lines, line);
    }
}

static void close_idle(struct carrier *carrier)
{
    uint64_t now_ms = now_of(carrier);
    list_each (at, &carrier->lines.ready) {
        struct line *line = line_of(at);
        uint64_t since_ms = channel_idle_since_ms(line->channel);
        if (now_ms - since_ms >= carrier->passage->manners.idle_ms)
            lines_quit(&carrier->lines, line);
    }
}

/* Gives the job to the line. False: no token for it now. */
static bool send_on(struct line *line, struct delivery *delivery)
{
    struct carrier *carrier = line->carrier;
    struct passage *passage = carrier->passage;
    uint64_t wait_ms = YIELD_MS;
    if (berths_yield_token(passage->berths, &passage->berth, delivery->job.rank)
        || !gate_take_message(passage->gate, now_of(carrier), &wait_ms)) {
        passage->berth.wants_token = true;
        passage->berth.rank = delivery->job.rank;
        carrier_run_later(carrier, wait_ms);
        return false;
    }
    if (delivery->job.rank == WIRE_RANK_URGENT)
        reserve_note(carrier);
    unqueue(carrier, delivery);
    delivery->started_utc_ms = time_utc_ms();
    delivery->dialog.on_commit = note_commit;
    delivery->dialog.owner = line;
    line->sent++;
    if (!delivery_fit(delivery, channel_peer(line->channel),
                      passage->manners.convert)) {
        report(carrier, delivery, line);
        return true;
    }
    channel_send(line->channel, &delivery->dialog);
    /* The server can never take it? Behind others it waits for its turn. */
    if (channel_take_done(line->channel))
        report(carrier, delivery, line);
    else
        lines_set_busy(&carrier->lines, line, delivery);
    return true;
}

/* One more connection for the job. False: not now. */
static bool make_line(struct carrier *carrier, const struct delivery *delivery)
{
    struct passage *passage = carrier->passage;
    struct lines *lines = &carrier->lines;
    uint64_t wait_ms = 0;
    if (passage_is_full(passage)) {
        /* An idle line to other hosts makes room. */
        struct line *idle = lines_idlest(lines);
        if (idle && lines->leaving_count == 0)
            lines_quit(lines, idle);
        else if (!idle)
            loans_make_room(carrier, delivery);
        return false;
    }
    if (!passage_take_slot(passage, &wait_ms)) {
        carrier_run_later(carrier, wait_ms);
        return false;
    }
    const struct channel_options options = passage_channel(passage);
    lines_add(lines, line_new(carrier, passage->conf, &options, delivery,
                              line_changed));
    return true;
}

/* True when the route rests and no line of it is left: then the job was dealt
 * with. While everything pauses it is the router's to keep. */
static bool turn_away(struct carrier *carrier, struct delivery *delivery)
{
    const struct verdict *why =
        rests_find(&carrier->rests, delivery->route_key, now_of(carrier));
    if (!why || lines_serve(&carrier->lines, delivery->route_key))
        return false;
    unqueue(carrier, delivery);
    if (carrier_is_paused(carrier)) {
        carrier_hand_back(carrier, delivery, "connect");
        return true;
    }
    report_unreached(delivery, why);
    report(carrier, delivery, NULL);
    return true;
}

static bool may_open(const struct carrier *carrier, uint64_t route_key)
{
    return !carrier_takes_nothing(carrier)
           && !rests_find(&carrier->rests, route_key, now_of(carrier));
}

/* A line for the job, of ours or of another lane, that no other needs more.
 * NULL: none now. */
static struct line *line_for(struct carrier *carrier,
                             const struct delivery *delivery)
{
    struct lines *lines = &carrier->lines;
    struct line *line = NULL;
    while ((line = lines_find_ready(lines, delivery->route_key)))
        if (!loans_give(line, (int)delivery->job.rank))
            return line;
    return loans_take(carrier, delivery);
}

/* Whether jobs of this rank may be said behind others on the same connection:
 * then it does not become free so soon for whoever else waits for one. */
static bool may_follow(const struct carrier *carrier, enum wire_rank rank)
{
    const struct passage *passage = carrier->passage;
    const uint32_t staying =
        passage->berth.lines - carrier->lines.leaving_count;
    if (rank != WIRE_RANK_URGENT && reserve_slots(carrier) > 0)
        return false;
    return !carrier_takes_nothing(carrier)
           && staying <= passage_allowance(passage)
           && !loans_are_wanted(carrier);
}

/* A busy line that takes the job behind those that it has. */
static struct line *line_to_follow(const struct carrier *carrier,
                                   const struct delivery *delivery)
{
    if (!may_follow(carrier, delivery->job.rank))
        return NULL;
    return lines_find_followable(&carrier->lines, delivery->route_key,
                                 carrier->passage->manners.max_per_connection);
}

/* What one look at the queue has found so far. */
struct look {
    uint32_t looked;
    uint32_t waiting; /* jobs for which a connection may be opened */
    bool can_open;
    bool one_stays; /* a job found no line at all */
};

/* There is no line free for the job: one more connection, unless one that is
 * being made will do. Where none can be had, and no job before it waits, it
 * follows those that are under way. False: no token for it now. */
static bool send_elsewhere(struct carrier *carrier, struct delivery *delivery,
                           struct look *look)
{
    const uint64_t route_key = delivery->route_key;
    if (look->can_open && may_open(carrier, route_key)
        && carrier->lines.connecting_count <= look->waiting++)
        look->can_open = make_line(carrier, delivery);
    struct line *line = NULL;
    if (!look->one_stays && !lines_are_connecting(&carrier->lines, route_key))
        line = line_to_follow(carrier, delivery);
    if (!line)
        look->one_stays = true;
    return !line || send_on(line, delivery);
}

static void send_queued(struct carrier *carrier)
{
    struct lines *lines = &carrier->lines;
    struct look look = { .can_open = true };
    carrier->passage->berth.wants_token = false;
    list_each (at, &carrier->queue) {
        struct delivery *delivery = delivery_of(at);
        bool has_ready = !list_is_empty(&lines->ready);
        bool may_go = has_ready || look.can_open || !look.one_stays;
        if (++look.looked > QUEUE_LOOK || !may_go)
            break;
        if (delivery->job.rank != WIRE_RANK_URGENT && reserve_holds(carrier))
            break;
        struct line *line = line_for(carrier, delivery);
        if (line && !send_on(line, delivery))
            break;
        if (line || turn_away(carrier, delivery))
            continue;
        if (!send_elsewhere(carrier, delivery, &look))
            break;
    }
}

/* Who cannot send them soon gives them to who can. A job that waits for a token
 * would wait for it anywhere, and one whose connection is being made shall know
 * what comes of it. */
static void give_up_old(struct carrier *carrier)
{
    if (gate_messages(carrier->passage->gate, now_of(carrier)) == 0)
        return;
    list_each (at, &carrier->queue) {
        struct delivery *delivery = delivery_of(at);
        if (now_of(carrier) - delivery->queued_ms < CARRIER_WAIT_MS)
            continue;
        if (lines_are_connecting(&carrier->lines, delivery->route_key))
            continue;
        unqueue(carrier, delivery);
        carrier_hand_back(carrier, delivery, "limit");
    }
}

/* What the urgent jobs here can use, and the lines that carry others. */
static void note_urgent(struct carrier *carrier)
{
    struct berth *berth = &carrier->passage->berth;
    const uint32_t queued = carrier->queued_of[WIRE_RANK_URGENT];
    berth->urgent = queued > 0 ? berth->lines + queued : 0;
}

void carrier_run(struct carrier *carrier)
{
    note_urgent(carrier);
    close_spent(carrier);
    give_up_old(carrier);
    send_queued(carrier);
    close_idle(carrier);
    if (carrier->queued == 0)
        loans_announce(carrier);
}

static void run_again(void *context)
{
    struct carrier *carrier = context;
    carrier->again_ms = 0;
    carrier->on_change(carrier->context);
}

void carrier_init(struct carrier *carrier, struct passage *passage,
                  timer_fn *on_change, void *context)
{
    *carrier = (struct carrier){
        .passage = passage,
        .on_change = on_change,
        .context = context,
    };
    lines_init(&carrier->lines);
    list_init(&carrier->queue);
    rests_init(&carrier->rests);
    passage->berth.carrier = carrier;
    carrier->again = timer_new(passage->ground->loop, run_again, carrier);
}

static void close_lines(struct carrier *carrier, struct list *lines)
{
    list_each (at, lines) {
        struct line *line = line_of(at);
        list_each (held, &line->deliveries) {
            struct delivery *delivery = delivery_of(held);
            lines_take_back(line, delivery);
            put_away(carrier, delivery);
        }
        drop_line(line);
    }
}

void carrier_release(struct carrier *carrier)
{
    list_each (at, &carrier->queue) {
        unqueue(carrier, delivery_of(at));
        put_away(carrier, delivery_of(at));
    }
    close_lines(carrier, &carrier->lines.connecting);
    close_lines(carrier, &carrier->lines.ready);
    close_lines(carrier, &carrier->lines.busy);
    close_lines(carrier, &carrier->lines.leaving);
    rests_release(&carrier->rests);
    timer_free(&carrier->again);
}

void carrier_push(struct carrier *carrier, struct delivery *delivery)
{
    delivery->queued_ms = now_of(carrier);
    enqueue(carrier, delivery, false);
}

void carrier_let_go(struct delivery *delivery)
{
    struct line *line = delivery->dialog.owner;
    if (!line || delivery->dialog.is_committed || line->delivery_count > 1)
        return;
    struct carrier *carrier = line->carrier;
    lines_take_back(line, delivery);
    drop_line(line);
    carrier_hand_back(carrier, delivery, "stalled");
}

void carrier_retire(struct carrier *carrier)
{
    carrier->is_retired = true;
    list_each (at, &carrier->queue) {
        unqueue(carrier, delivery_of(at));
        carrier_hand_back(carrier, delivery_of(at), "drain");
    }
    close_lines(carrier, &carrier->lines.connecting);
}
