/* loans.c - an open connection passes from one lane to another. */
#include "workers/sites/loans.h"

#include "common/base/attr.h"

#define ANNOUNCE_MS 1u /* one look for all that happens meanwhile */

static struct carrier *carrier_at(struct list *link)
{
    return container_of(link, struct berth, link)->carrier;
}

static struct list *lanes_of(const struct carrier *carrier)
{
    return &carrier->passage->berths->lanes;
}

/* Would the lane have opened it like that? */
static bool suits(const struct line *line, const struct carrier *carrier)
{
    const struct passage *from = line->carrier->passage;
    const struct passage *to = carrier->passage;
    return line->conf == from->conf && from->conf == to->conf
           && from->dialog.tls == to->dialog.tls
           && from->dialog.chunking == to->dialog.chunking
           && from->manners.port == to->manners.port
           && from->manners.rules.denied == to->manners.rules.denied
           && from->manners.rules.prohibited == to->manners.rules.prohibited
           && (to->manners.max_per_connection == 0
               || line->sent < to->manners.max_per_connection);
}

static void pass(struct line *line, struct carrier *to)
{
    struct carrier *from = line->carrier;
    lines_pass(&from->lines, line, to, &to->lines);
    passage_pass_slot(from->passage, to->passage);
}

/* The first job of the lane that waits for a line of this route. */
static const struct delivery *first_waiting(const struct carrier *carrier,
                                            uint64_t route_key)
{
    if (lines_find_ready(&carrier->lines, route_key))
        return NULL; /* has one already */
    list_each (at, &carrier->queue) {
        const struct delivery *delivery =
            container_of(at, struct delivery, link);
        if (delivery->route_key == route_key)
            return delivery;
    }
    return NULL;
}

bool loans_give(struct line *line, int rank)
{
    struct carrier *owner = line->carrier;
    struct carrier *best = NULL;
    int best_rank = rank;
    list_each (at, lanes_of(owner)) {
        struct carrier *carrier = carrier_at(at);
        if (carrier == owner || carrier->queued == 0 || !suits(line, carrier))
            continue;
        const struct delivery *first = first_waiting(carrier, line->route_key);
        if (!first || (int)first->job.rank <= best_rank)
            continue;
        best = carrier;
        best_rank = (int)first->job.rank;
    }
    if (!best
        || (rank != LOANS_ANY
            && !berths_yield(owner->passage->berths, (enum wire_rank)rank,
                             (enum wire_rank)best_rank)))
        return false;
    pass(line, best);
    defer_set(owner->passage->ground->wake);
    return true;
}

/* May mail that is not urgent have what lies idle with another lane, when its
 * own lane has so many? */
static bool is_spare(const struct line *line, const struct passage *passage,
                     uint32_t lines)
{
    const uint64_t idle_ms =
        passage_now_ms(passage) - channel_idle_since_ms(line->channel);
    return line->carrier->queued == 0
           && (lines < passage_part(passage) || idle_ms >= LOANS_IDLE_MS);
}

/* May the job have what lies idle with the other lane? */
static bool is_free_for(const struct line *line, const struct carrier *carrier,
                        const struct delivery *delivery)
{
    const struct carrier *owner = line->carrier;
    if (delivery->job.rank == WIRE_RANK_URGENT)
        return owner->queued_of[WIRE_RANK_URGENT] == 0;
    return is_spare(line, carrier->passage, carrier->passage->berth.lines);
}

struct line *loans_take(struct carrier *carrier,
                        const struct delivery *delivery)
{
    list_each (at, lanes_of(carrier)) {
        struct carrier *other = carrier_at(at);
        if (other == carrier)
            continue;
        struct line *line =
            lines_find_ready(&other->lines, delivery->route_key);
        if (!line || !suits(line, carrier))
            continue;
        if (!is_free_for(line, carrier, delivery)) {
            carrier_run_later(carrier, LOANS_IDLE_MS);
            continue;
        }
        pass(line, carrier);
        return line;
    }
    return NULL;
}

uint32_t loans_on_hand(struct carrier *carrier)
{
    const struct passage *passage = carrier->passage;
    uint32_t count = 0;
    bool are_more = false;
    list_each (at, lanes_of(carrier)) {
        const struct carrier *other = carrier_at(at);
        if (other == carrier || other->queued > 0)
            continue;
        list_each (ready, &other->lines.ready) {
            if (is_spare(line_of(ready), passage, passage->berth.lines + count))
                count++;
            else
                are_more = true;
        }
    }
    if (are_more)
        carrier_run_later(carrier, LOANS_IDLE_MS);
    return count;
}

bool loans_are_wanted(const struct carrier *carrier)
{
    list_each (at, lanes_of(carrier)) {
        const struct carrier *other = carrier_at(at);
        if (other != carrier && other->queued > 0)
            return true;
    }
    return false;
}

void loans_announce(struct carrier *carrier)
{
    if (list_is_empty(&carrier->lines.ready))
        return;
    if (loans_are_wanted(carrier)) {
        defer_set(carrier->passage->ground->wake);
        return;
    }
    /* Once: two lanes whose routers are slow must not keep each other awake. */
    const struct line *last = line_of(carrier->lines.ready.next);
    if (channel_idle_since_ms(last->channel) < passage_now_ms(carrier->passage))
        return;
    list_each (at, lanes_of(carrier)) {
        struct carrier *other = carrier_at(at);
        const struct berth *berth = &other->passage->berth;
        if (other != carrier && berth->want > berth->lines)
            carrier_run_later(other, ANNOUNCE_MS);
    }
}

void loans_make_room(struct carrier *carrier, const struct delivery *delivery)
{
    list_each (at, lanes_of(carrier)) {
        struct carrier *other = carrier_at(at);
        struct line *idle = lines_idlest(&other->lines);
        if (other == carrier || !idle || other->lines.leaving_count > 0
            || !is_free_for(idle, carrier, delivery))
            continue;
        lines_quit(&other->lines, idle);
        return;
    }
}
