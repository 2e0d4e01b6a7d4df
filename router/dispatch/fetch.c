/* fetch.c - cold messages come back into memory, and bodies from the disk. */
#include "router/dispatch/fetch.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/edge/log.h"
#include "common/proto/message_id.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/outcome.h"
#include "router/dispatch/place.h"
#include "router/dispatch/results.h"
#include "router/dispatch/serve.h"
#include "router/dispatch/warn.h"

/* One read under way: of a message, or of the body for a lease. */
struct fetch {
    struct spool_read read;
    struct dispatch *dispatch;
    uint64_t lease;             /* 0: a message */
    struct lane_fetch from;     /* lane 0: it is not its lane that asks */
    uint32_t waited;            /* number of the lane where it waited; or 0 */
    struct list late;           /* struct late */
    char lost[WORKER_NAME_MAX]; /* worker that had it; empty: none */
};

/* A RESULT that waits for its message. */
struct late {
    struct list link;
    uint32_t worker; /* its number */
    struct buf frame;
};

static void free_fetch(struct fetch *fetch)
{
    for (struct list *link; (link = list_take(&fetch->late));) {
        struct late *late = container_of(link, struct late, link);
        buf_release(&late->frame);
        mem_free(late);
    }
    spool_read_release(&fetch->read);
    mem_free(fetch);
}

/* In the reader's thread. The lane thread empties its mailbox within a turn. */
static void answered(struct spool_read *read)
{
    struct fetch *fetch = container_of(read, struct fetch, read);
    while (!mailbox_post(fetch->dispatch->fetched, fetch))
        (void)sched_yield();
}

static struct fetch *begin(struct dispatch *dispatch, uint64_t id,
                           bool with_body)
{
    struct fetch *fetch = NEW(struct fetch);
    fetch->dispatch = dispatch;
    fetch->read = (struct spool_read){
        .id = id,
        .with_body = with_body,
        .done = answered,
    };
    list_init(&fetch->read.link);
    list_init(&fetch->late);
    dispatch->fetches_out++;
    return fetch;
}

/* What is read for its turn comes with its body, as long as bodies may be kept. */
static bool wants_body(const struct dispatch *dispatch)
{
    return 2 * dispatch->bodies_bytes < dispatch->conf->spool.body_cache;
}

/* The message is in the line of dispatch->fetching. */
static struct fetch *begin_message(struct dispatch *dispatch, uint64_t id,
                                   bool with_body)
{
    struct fetch *fetch = begin(dispatch, id, with_body);
    table_put(&dispatch->fetches, id, fetch);
    return fetch;
}

static bool has_room(const struct dispatch *dispatch)
{
    return dispatch->fetches_out < DISPATCH_FETCHES_MAX;
}

bool fetch_is_cold(const struct dispatch *dispatch, uint64_t id)
{
    return cold_find(dispatch->lanes.warmth.cold, id) != NULL;
}

void fetch_want(struct dispatch *dispatch, struct lane *lane)
{
    if (list_is_empty(&lane->thirsty) || !list_is_empty(&lane->thirst))
        return;
    list_push_back(&dispatch->thirsty, &lane->thirst);
    defer_set(dispatch->work);
}

static void begin_for_lane(struct dispatch *dispatch,
                           const struct lane_fetch *from, bool with_body)
{
    struct fetch *fetch = begin_message(dispatch, from->id, with_body);
    fetch->from = *from;
    spool_read(dispatch->spool, &fetch->read);
}

static bool pump_lane(struct dispatch *dispatch)
{
    struct list *link = list_take(&dispatch->thirsty);
    if (!link)
        return false;
    struct lane *lane = container_of(link, struct lane, thirst);
    struct lane_fetch from;
    for (unsigned i = 0; i < DISPATCH_FETCH_TURN && has_room(dispatch)
                         && lane_fetch(lane, &dispatch->fetching, &from);
         i++)
        begin_for_lane(dispatch, &from, wants_body(dispatch));
    fetch_want(dispatch, lane);
    return true;
}

/* The lane that the queue counts the waiting mail of; 0: none. */
static uint32_t lane_of(const struct dispatch *dispatch,
                        struct cold_queue *queue)
{
    if (queue->kind != COLD_WAITING || queue == &dispatch->cold_homeless)
        return 0;
    return container_of(queue, struct lane, cold_waiting)->number;
}

/* Out of whatever queue it is in, into the line of `fetching`. */
static struct fetch *begin_alone(struct dispatch *dispatch, uint64_t id,
                                 bool with_body)
{
    struct cold *cold = dispatch->lanes.warmth.cold;
    struct cold_queue *queue = cold_find(cold, id);
    CHECK(queue && queue->kind != COLD_FETCHING);
    struct fetch *fetch = begin_message(dispatch, id, with_body);
    fetch->waited = lane_of(dispatch, queue);
    if (queue->kind == COLD_READY)
        lane_leave_line(queue, &dispatch->fetching, id);
    else
        cold_move(cold, &dispatch->fetching, id);
    return fetch;
}

static void fetch_alone(struct dispatch *dispatch, uint64_t id, bool with_body)
{
    struct fetch *fetch = begin_alone(dispatch, id, with_body);
    spool_read(dispatch->spool, &fetch->read);
}

static bool pump_due(struct dispatch *dispatch)
{
    struct cold *cold = dispatch->lanes.warmth.cold;
    uint64_t id = 0;
    for (unsigned i = 0; i < DISPATCH_FETCH_TURN && has_room(dispatch)
                         && (id = cold_due(cold, dispatch_now_ms(dispatch)));
         i++)
        fetch_alone(dispatch, id, wants_body(dispatch));
    return id != 0;
}

/* Where it belongs is not known before it was read: no body yet. */
static bool pump_found(struct dispatch *dispatch)
{
    struct cold *cold = dispatch->lanes.warmth.cold;
    if (dispatch->gathering)
        return false;
    uint64_t id = 0;
    for (unsigned i = 0; i < DISPATCH_FETCH_TURN && has_room(dispatch); i++) {
        id = cold_first(cold, &dispatch->found_urgent);
        if (id == 0)
            id = cold_first(cold, &dispatch->found);
        if (id == 0)
            return false;
        fetch_alone(dispatch, id, false);
    }
    return id != 0;
}

void fetch_pump(struct dispatch *dispatch)
{
    bool more = !dispatch->stopping;
    while (more && has_room(dispatch)) {
        more = pump_lane(dispatch);
        more = pump_due(dispatch) || more;
        more = pump_found(dispatch) || more;
    }
}

void fetch_sweep(struct dispatch *dispatch)
{
    struct lane_fetch from;
    size_t at = 0;
    for (struct lane *lane;
         has_room(dispatch)
         && (lane = table_next(&dispatch->lanes.by_number, &at));)
        while (has_room(dispatch)
               && lane_fetch_due(lane, &dispatch->fetching,
                                 dispatch_now_ms(dispatch), &from))
            begin_for_lane(dispatch, &from, true); /* for its report */
}

/* The fetch of a cold message, begun when it is not under way. */
static struct fetch *fetch_of(struct dispatch *dispatch, uint64_t id)
{
    struct fetch *fetch = table_get(&dispatch->fetches, id);
    if (fetch)
        return fetch;
    fetch = begin_alone(dispatch, id, false);
    fetch->read.urgent = true;
    spool_read(dispatch->spool, &fetch->read);
    return fetch;
}

void fetch_now(struct dispatch *dispatch, uint64_t id)
{
    (void)fetch_of(dispatch, id);
}

void fetch_for_result(struct dispatch *dispatch, const struct worker *worker,
                      const struct wire_result *result)
{
    struct fetch *fetch = fetch_of(dispatch, result->message);
    const struct wire_frame frame = { .kind = WIRE_RESULT,
                                      .as.result = *result };
    struct late *late = NEW(struct late);
    late->worker = worker->number;
    buf_init(&late->frame, DISPATCH_FRAME_MAX);
    const enum rc rc = wire_encode(&frame, &late->frame);
    CHECK(rc == RC_OK); /* it was decoded from as much */
    list_push_back(&fetch->late, &late->link);
}

void fetch_doubt(struct dispatch *dispatch, uint64_t id, const char *worker)
{
    struct fetch *fetch = fetch_of(dispatch, id);
    (void)snprintf(fetch->lost, sizeof fetch->lost, "%s", worker);
}

void fetch_body(struct dispatch *dispatch, struct lease *lease)
{
    struct fetch *fetch = begin(dispatch, lease->message, true);
    fetch->lease = lease->id;
    lease->is_fetching = true;
    spool_read(dispatch->spool, &fetch->read);
}

static void hear_late(struct dispatch *dispatch, const struct fetch *fetch)
{
    list_each (link, &fetch->late) {
        const struct late *late = container_of(link, struct late, link);
        const struct worker *worker =
            workers_by_number(&dispatch->workers, late->worker);
        struct wire_frame frame;
        arena_clear(&dispatch->frames);
        if (worker
            && wire_decode(buf_slice(&late->frame), &dispatch->frames, &frame)
                   == RC_OK)
            results_hear(dispatch, worker, &frame.as.result);
    }
}

static void place_found(struct dispatch *dispatch, struct job *job,
                        const struct fetch *fetch)
{
    const char *lost = fetch->lost;
    lanes_leave(job);
    job->lane = lanes_by_number(&dispatch->lanes, fetch->waited);
    if (leases_claims_of(&dispatch->leases, job->queued->id) > 0)
        place_claimed(dispatch, job);
    else if (lost[0] != '\0')
        place_in_doubt(dispatch, job, lost);
    else if (job->held)
        place_held(dispatch, job);
    else
        place_again(dispatch, job);
}

/* It was next in its share: there it stays in memory, also when the DNS is asked
 * first. */
static bool is_at_home(const struct fetch *fetch, const struct queued *queued)
{
    const struct job *job = queued->jobs;
    if (fetch->from.lane == 0 || !job)
        return false;
    if (job->state == JOB_RESOLVING)
        return true;
    return job->state == JOB_READY && job->lane->number == fetch->from.lane
           && lane_share_of(job) == fetch->from.share;
}

/* Placing a job may end it, and may add others before those to come. */
static void place_all(struct dispatch *dispatch, struct queued *queued,
                      const struct fetch *fetch)
{
    dispatch_begin(dispatch);
    struct job *next = NULL;
    for (struct job *job = queued->jobs; job; job = next) {
        next = job->sibling;
        if (job->state == JOB_FOUND)
            place_found(dispatch, job, fetch);
    }
    queued->is_next = is_at_home(fetch, queued);
    warn_thawed(dispatch, queued);
    outcome_close(dispatch, queued, NULL);
}

static void thaw(struct dispatch *dispatch, struct fetch *fetch)
{
    const uint64_t id = fetch->read.id;
    if (!entry_thaw(dispatch, &fetch->read))
        return;
    dispatch->lent = fetch->read.body;
    hear_late(dispatch, fetch);
    struct queued *queued = table_get(&dispatch->lanes.messages, id);
    if (queued)
        place_all(dispatch, queued, fetch);
    dispatch->lent = NULL;
}

static void log_unreadable(const struct spool_read *read)
{
    char text[ID_TEXT_SIZE];
    log_line(LOG_ERROR, "message_unreadable", "id=%s rc=%s why=\"%s\"",
             id_format(read->id, text), rc_name(read->rc), read->fault.text);
}

/* Its envelope is there. A message whose STATE is damaged is where it was before
 * its first attempt; one whose STATE cannot be read now is not, and waits: it
 * would be sent again to those who have it. One without its body is deferred,
 * and bounces in the end. */
static bool is_usable(const struct spool_read *read)
{
    switch (read->rc) {
    case RC_OK:
        return true;
    case RC_SYNTAX:
        return read->failed != SPOOL_ENVELOPE;
    case RC_IO:
        return read->failed == SPOOL_BODY;
    case RC_NONE:
    case RC_LIMIT:
    case RC_MORE:
    case RC_TIMEOUT:
    case RC_CLOSED:
        break;
    }
    return false;
}

/* The disk did not give it now. */
static void ask_later(struct dispatch *dispatch, uint64_t id,
                      uint32_t recipients)
{
    struct cold *cold = dispatch->lanes.warmth.cold;
    cold_wait(cold, &dispatch->cold_homeless, id,
              dispatch_now_ms(dispatch) + DISPATCH_FETCH_AGAIN_MS);
    cold_set_recipients(cold, id, recipients);
}

static void message_came(struct dispatch *dispatch, struct fetch *fetch)
{
    const struct spool_read *read = &fetch->read;
    struct cold *cold = dispatch->lanes.warmth.cold;
    (void)table_take(&dispatch->fetches, read->id);
    struct lane *lane = lanes_by_number(&dispatch->lanes, fetch->from.lane);
    if (read->rc != RC_OK)
        log_unreadable(read);
    if (fetch_is_cold(dispatch, read->id)) {
        const uint32_t recipients = cold_recipients(cold, read->id);
        cold_take(cold, read->id);
        if (is_usable(read))
            thaw(dispatch, fetch);
        else if (read->rc == RC_IO)
            ask_later(dispatch, read->id, recipients);
        else
            dispatch->counters.unreadable++;
    }
    if (lane) {
        lane_fetched(lane, &fetch->from);
        fetch_want(dispatch, lane);
    }
    operate_fetched(dispatch, read->id);
}

static void body_came(struct dispatch *dispatch, struct fetch *fetch)
{
    struct lease *lease = leases_get(&dispatch->leases, fetch->lease);
    if (!lease)
        return;
    if (!lease->job) {
        serve_nothing(dispatch, lease);
        return;
    }
    if (fetch->read.rc != RC_OK)
        log_unreadable(&fetch->read);
    serve_fetched(dispatch, lease, steal(fetch->read.body));
}

void fetch_done(struct dispatch *dispatch, void *item)
{
    struct fetch *fetch = item;
    dispatch->fetches_out--;
    if (!dispatch->stopping && fetch->lease != 0)
        body_came(dispatch, fetch);
    else if (!dispatch->stopping)
        message_came(dispatch, fetch);
    free_fetch(fetch);
    defer_set(dispatch->work);
}

struct fetch_counts fetch_count(const struct dispatch *dispatch)
{
    struct fetch_counts counts = {
        .waiting = dispatch->cold_homeless.waiting,
        .found = dispatch->found_urgent.in_line + dispatch->found.in_line,
    };
    size_t at = 0;
    for (const struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));) {
        counts.ready += lane->cold_ready + lane->fetching;
        counts.waiting += lane->cold_waiting.waiting;
    }
    return counts;
}
