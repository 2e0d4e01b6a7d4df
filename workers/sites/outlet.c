/* outlet.c - one lane's mail leaving by one source. */
#include "workers/sites/outlet.h"

#include "common/base/mem.h"
#include "workers/lanes/link.h"
#include "workers/sites/carrier.h"
#include "workers/sites/credit.h"
#include "workers/sites/loans.h"
#include "workers/sites/reserve.h"

#define TURN_WAIT_MS 100u

struct outlet {
    struct link *router;
    uint32_t lane;
    struct passage passage;
    struct carrier carrier;
    struct credit credit;
    uint64_t depth;      /* jobs at the router, as it last said */
    uint64_t urgent;     /* of those, urgent ones */
    bool is_behind;      /* likewise: those that are not fall behind */
    struct list waiting; /* in the ground's list */
    uint64_t quiet_since_ms;
};

static uint64_t now_of(const struct outlet *outlet)
{
    return passage_now_ms(&outlet->passage);
}

/* Jobs of the router's that shall be here when the next line of any lane
 * becomes free. */
static uint32_t needed_of(const struct outlet *outlet)
{
    const uint32_t *queued = outlet->carrier.queued_of;
    const uint32_t urgent = queued[WIRE_RANK_URGENT];
    const uint32_t lines = gate_connections(outlet->passage.gate);
    if (outlet->urgent > 0) {
        const uint32_t room = lines > urgent ? lines - urgent : 0;
        return outlet->urgent < room ? (uint32_t)outlet->urgent : room;
    }
    const bool has_none = urgent + queued[WIRE_RANK_BEHIND] == 0;
    return outlet->is_behind && has_none && lines > 0 ? 1 : 0;
}

/* Lines of other lanes that jobs of the router's could have. While it has none
 * they are not counted on: each lane would ask for, and take back, the same. */
static uint32_t loans_of(struct outlet *outlet)
{
    if (outlet->depth == 0 || !passage_is_full(&outlet->passage))
        return 0;
    return loans_on_hand(&outlet->carrier);
}

/* Jobs that we could begin at once, those queued here already counted off. */
static uint64_t able_of(struct outlet *outlet)
{
    const struct carrier *carrier = &outlet->carrier;
    const struct passage *passage = &outlet->passage;
    if (carrier_takes_nothing(carrier) || carrier_is_paused(carrier)
        || link_is_busy(outlet->router))
        return 0;
    return credit_able(&(struct credit_means){
        .slots = gate_slots(passage->gate),
        .slots_used = gate_connections(passage->gate),
        .allowed = passage_allowance(passage),
        .lines = passage->berth.lines,
        .busy = carrier->lines.busy_count,
        .leaving = carrier->lines.leaving_count,
        .loans = loans_of(outlet),
        .kept = reserve_slots(carrier),
        .ahead = pace_ahead(&outlet->credit.pace),
        .tokens = gate_messages(passage->gate, now_of(outlet)),
        .queued = carrier->queued,
        .needed = needed_of(outlet),
        .is_trial = carrier_is_on_trial(carrier),
    });
}

static void ask_for_jobs(struct outlet *outlet)
{
    uint64_t able = able_of(outlet);
    uint64_t now_ms = now_of(outlet);
    if (!link_is_open(outlet->router)
        || !credit_is_news(&outlet->credit, able, outlet->depth > 0, now_ms))
        return;
    link_pull(outlet->router, outlet->lane,
              slice_text(outlet->passage.source->name),
              credit_ask(&outlet->credit, able, outlet->depth > 0, now_ms));
}

/* As many connections as there is mail for, on top of those that are open. */
static void want_connections(struct outlet *outlet)
{
    const struct carrier *carrier = &outlet->carrier;
    struct passage *passage = &outlet->passage;
    uint64_t want = passage->berth.lines + carrier->queued;
    if (!carrier_takes_nothing(carrier) && !carrier_is_paused(carrier))
        want += outlet->depth;
    uint32_t max = passage->manners.limits.max_connections;
    if (max > CREDIT_MAX)
        max = CREDIT_MAX;
    passage_want(passage, want < max ? (uint32_t)want : max);
}

/* The router had a while to send a job for the slot that is free for us: now
 * others may have it. */
static void pass_turn(struct outlet *outlet)
{
    struct berth *berth = &outlet->passage.berth;
    if (!carrier_is_empty(&outlet->carrier)
        || credit_standing(&outlet->credit) == 0
        || !berths_are_shared(outlet->passage.berths, berth))
        return;
    uint64_t asked_ms = outlet->credit.asked_ms;
    uint64_t from_ms = asked_ms > berth->since_ms ? asked_ms : berth->since_ms;
    uint64_t now_ms = now_of(outlet);
    if (now_ms < from_ms + TURN_WAIT_MS) {
        carrier_run_later(&outlet->carrier, from_ms + TURN_WAIT_MS - now_ms);
        return;
    }
    berth->since_ms = now_ms;
    defer_set(outlet->passage.ground->wake);
}

/* Whether a slot or a token more would let us go on. */
static void note_waiting(struct outlet *outlet)
{
    const struct berth *berth = &outlet->passage.berth;
    list_remove(&outlet->waiting);
    if (outlet->carrier.queued > 0 || berth->want > berth->lines)
        list_push_back(&outlet->passage.ground->waiting, &outlet->waiting);
    if (!outlet_is_empty(outlet) || outlet->depth > 0)
        outlet->quiet_since_ms = 0;
    else if (outlet->quiet_since_ms == 0)
        outlet->quiet_since_ms = now_of(outlet);
}

void outlet_run(struct outlet *outlet)
{
    carrier_run(&outlet->carrier);
    want_connections(outlet);
    ask_for_jobs(outlet);
    pass_turn(outlet);
    note_waiting(outlet);
}

static void on_change(void *context)
{
    outlet_run(context);
}

struct outlet *outlet_new(const struct outlet_options *options)
{
    struct outlet *outlet = NEW(struct outlet);
    outlet->router = options->router;
    outlet->lane = options->lane;
    list_init(&outlet->waiting);
    passage_open(&outlet->passage, &options->passage);
    carrier_init(&outlet->carrier, &outlet->passage, on_change, outlet);
    return outlet;
}

void outlet_free(struct outlet **outlet)
{
    struct outlet *held = steal(*outlet);
    if (!held)
        return;
    carrier_release(&held->carrier);
    list_remove(&held->waiting);
    passage_close(&held->passage);
    mem_free(held);
}

void outlet_offer(struct outlet *outlet, const struct wire_offer *offer)
{
    outlet->depth = offer->depth;
    outlet->urgent = offer->urgent;
    outlet->is_behind = offer->is_behind;
    outlet_run(outlet);
}

/* The lane is open until the router says that it is not. It sends urgent jobs
 * first: any other says that there are none. */
static void count_received(struct outlet *outlet, enum wire_rank rank)
{
    credit_use(&outlet->credit, now_of(outlet));
    if (rank != WIRE_RANK_URGENT)
        outlet->urgent = 0;
    else if (outlet->urgent > 0)
        outlet->urgent--;
    if (outlet->depth > 1)
        outlet->depth--;
}

void outlet_job(struct outlet *outlet, struct delivery *delivery)
{
    struct carrier *carrier = &outlet->carrier;
    count_received(outlet, delivery->job.rank);
    if (carrier_takes_nothing(carrier))
        carrier_hand_back(carrier, delivery, "drain");
    else if (carrier->queued >= CREDIT_MAX)
        carrier_hand_back(carrier, delivery, "limit");
    else
        carrier_push(carrier, delivery);
    outlet_run(outlet);
}

void outlet_refused(struct outlet *outlet)
{
    count_received(outlet, WIRE_RANK_NORMAL);
    outlet_run(outlet);
}

void outlet_void_credit(struct outlet *outlet)
{
    credit_void(&outlet->credit);
    outlet_run(outlet);
}

void outlet_retire(struct outlet *outlet)
{
    outlet->depth = 0;
    outlet->urgent = 0;
    carrier_retire(&outlet->carrier);
    outlet_run(outlet);
}

bool outlet_is_empty(const struct outlet *outlet)
{
    return carrier_is_empty(&outlet->carrier);
}

uint64_t outlet_quiet_since_ms(const struct outlet *outlet)
{
    return outlet->quiet_since_ms;
}

bool outlet_reconf(struct outlet *outlet, struct conf *conf)
{
    if (!passage_reconf(&outlet->passage, conf))
        return false;
    outlet_run(outlet);
    return true;
}

struct outlet *outlet_waiting(struct list *link)
{
    return container_of(link, struct outlet, waiting);
}

uint32_t outlet_lane(const struct outlet *outlet)
{
    return outlet->lane;
}

struct link *outlet_router(const struct outlet *outlet)
{
    return outlet->router;
}

const struct conf_source *outlet_source(const struct outlet *outlet)
{
    return outlet->passage.source;
}
