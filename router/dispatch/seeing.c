/* seeing.c - answers for people, as JSON. */
#include "router/dispatch/seeing.h"

#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/dispatch/events.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/holding.h"
#include "router/dispatch/room.h"
#include "router/dispatch/view.h"

static void begin_list(struct json *json, const char *key)
{
    json_key(json, key);
    json_begin_array(json);
}

static uint64_t since(uint64_t from_ms, uint64_t now_ms)
{
    return now_ms > from_ms ? now_ms - from_ms : 0;
}

static void add_worker(struct dispatch *dispatch, struct json *json,
                       const struct worker *worker)
{
    char boot[ID_TEXT_SIZE];
    json_begin_object(json);
    json_add_text(json, "name", slice_text(worker->name));
    json_add_text(json, "host", slice_text(worker->host));
    json_add_number(json, "pid", worker->pid);
    json_add_text(json, "boot", slice_text(id_format(worker->boot, boot)));
    json_add_number(json, "rank", worker->rank);
    json_add_bool(json, "draining", worker->draining);
    json_add_bool(json, "same_config",
                  worker->config_digest == dispatch->conf->digest);
    json_add_number(json, "leases", worker->lease_count);
    json_add_number(json, "jobs_sent", worker->jobs_sent);
    json_add_number(json, "heard_ms_ago",
                    since(worker->heard_ms, dispatch_now_ms(dispatch)));
    begin_list(json, "sources");
    for (size_t i = 0; i < worker->source_count; i++)
        json_text(json,
                  names_text(&dispatch->workers.sources, worker->sources[i]));
    json_end(json);
    json_end(json);
}

static void answer_workers(struct dispatch *dispatch, struct json *json)
{
    begin_list(json, "workers");
    list_each (link, &dispatch->workers.all)
        add_worker(dispatch, json, container_of(link, struct worker, link));
    json_end(json);
}

static void add_pools(struct dispatch *dispatch, struct json *json)
{
    begin_list(json, "pools");
    for (size_t i = 0; i < dispatch->pools.count; i++) {
        const struct pool_view *view = &dispatch->pools.items[i];
        json_begin_object(json);
        json_add_text(json, "name", slice_text(dispatch->conf->pools[i].name));
        json_add_text(json, "state",
                      slice_text(view->served     ? "served"
                                 : view->given_up ? "no live source"
                                                  : "just lost"));
        json_end(json);
    }
    json_end(json);
}

static void add_counters(const struct counters *counters, struct json *json)
{
    json_key(json, "since_start");
    json_begin_object(json);
    json_add_number(json, "accepted", counters->accepted);
    json_add_number(json, "jobs_sent", counters->jobs_sent);
    json_add_number(json, "delivered", counters->delivered);
    json_add_number(json, "deferred", counters->deferred);
    json_add_number(json, "bounced", counters->bounced);
    json_add_number(json, "expired", counters->expired);
    json_add_number(json, "handed_back", counters->handed_back);
    json_add_number(json, "in_doubt", counters->in_doubt);
    json_add_number(json, "unreadable", counters->unreadable);
    json_end(json);
}

/* How many jobs are in each state, over all messages. */
static void add_jobs(const struct dispatch *dispatch, struct json *json)
{
    const struct fetch_counts cold = fetch_count(dispatch);
    uint64_t counts[JOB_STATE_COUNT] = {
        [JOB_FOUND] = cold.found,
        [JOB_READY] = cold.ready,
        [JOB_WAITING] = cold.waiting,
    };
    size_t at = 0;
    for (const struct queued *queued;
         (queued = table_next(&dispatch->lanes.messages, &at));)
        for (const struct job *job = queued->jobs; job; job = job->sibling)
            counts[job->state]++;
    at = 0;
    for (const struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));) {
        counts[JOB_READY] -= lane_closed(lane);
        counts[JOB_PAUSED] += lane_closed(lane);
    }
    json_key(json, "jobs");
    json_begin_object(json);
    for (unsigned state = 0; state < JOB_STATE_COUNT; state++)
        json_add_number(json, job_state_name((enum job_state)state),
                        counts[state]);
    json_end(json);
}

static void answer_status(struct dispatch *dispatch, struct json *json)
{
    json_add_text(json, "router", slice_text(dispatch->router->name));
    json_add_number(json, "up_ms",
                    since(dispatch->start_ms, dispatch_now_ms(dispatch)));
    const size_t cold = cold_count(dispatch->lanes.warmth.cold);
    json_add_number(json, "messages", dispatch->lanes.messages.count + cold);
    json_add_number(json, "cold", cold);
    json_add_number(json, "recipients", room_taken(dispatch));
    json_add_number(json, "max_recipients",
                    dispatch->conf->spool.max_recipients);
    json_add_bool(json, "full", atomic_load(&dispatch->full));
    json_add_number(json, "lanes", dispatch->lanes.by_number.count);
    json_add_number(json, "leases", dispatch->leases.by_id.count);
    json_add_number(json, "bodies_bytes", dispatch->bodies_bytes);
    json_add_bool(json, "gathering", dispatch->gathering);
    json_add_number(json, "pauses",
                    dispatch->pauses.share_rules + dispatch->pauses.job_rules);
    add_jobs(dispatch, json);
    add_counters(&dispatch->counters, json);
    streams_add(dispatch, json);
    answer_workers(dispatch, json);
    add_pools(dispatch, json);
}

/* The worker tells all routers, and us, when it does so: that is an answer of
 * its own. */
static enum rc order_drain(struct dispatch *dispatch, struct slice name,
                           bool is_over, struct json *json)
{
    const struct wire_frame frame = { .kind = WIRE_DRAIN,
                                      .as.drain.is_over = is_over };
    const struct worker *worker = workers_by_name(&dispatch->workers, name);
    if (!worker)
        return RC_NONE;
    if (dispatch_say(dispatch, &worker->peer, &frame) != RC_OK)
        return RC_TIMEOUT;
    log_line(LOG_INFO, "drain_ordered", "worker=%s over=%s", worker->name,
             is_over ? "yes" : "no");
    json_add_text(json, "worker", slice_text(worker->name));
    json_add_number(json, "leases", worker->lease_count);
    return RC_OK;
}

/* When the first of the waiting jobs is due; 0: none waits. */
static uint64_t first_retry_ms(const struct lane *lane)
{
    uint64_t first = 0;
    list_each (link, &lane->waiting) {
        const struct job *job = container_of(link, struct job, link);
        if (first == 0 || job->alarm.at_ms < first)
            first = job->alarm.at_ms;
    }
    return first;
}

static uint64_t count_paused(const struct lane *lane)
{
    return lane_closed(lane) + list_count(&lane->paused);
}

static const char *why_it_waits(const struct dispatch *dispatch,
                                const struct lane *lane)
{
    if (lane->ready == 0 && !list_is_empty(&lane->out))
        return "being delivered";
    if (lane->ready == 0
        && (!list_is_empty(&lane->waiting) || lane->cold_waiting.waiting > 0))
        return "waiting for the next attempt";
    if (lane->ready == 0 && count_paused(lane) > 0)
        return "paused";
    if (lane->ready == 0)
        return list_is_empty(&lane->held) ? "empty" : "held: in doubt";
    if (!lane->pool)
        return "pool not in the config";
    if (!dispatch->pools.items[lane->pool->index].served)
        return "no worker holds a source";
    if (!lane->credits || credits_total(lane->credits) == 0)
        return "no credit (limit)";
    return "flowing";
}

static uint64_t oldest_of(const struct list *list, uint64_t oldest)
{
    list_each (link, list) {
        const uint64_t id = container_of(link, struct job, link)->queued->id;
        if (id < oldest)
            oldest = id;
    }
    return oldest;
}

/* Ids rise with the time of acceptance, and jobs stand by arrival: the first of
 * each tenant is enough. */
static uint64_t oldest_utc_ms(const struct lane *lane)
{
    uint64_t oldest = UINT64_MAX;
    oldest = oldest_of(&lane->out, oldest);
    oldest = oldest_of(&lane->waiting, oldest);
    oldest = oldest_of(&lane->held, oldest);
    oldest = oldest_of(&lane->paused, oldest);
    size_t at = 0;
    for (const struct job *job; (job = lane_next_first(lane, &at));)
        if (job->queued->id < oldest)
            oldest = job->queued->id;
    return oldest == UINT64_MAX ? 0 : id_utc_ms(oldest);
}

static void add_bands(const struct dispatch *dispatch, const struct lane *lane,
                      struct json *json)
{
    json_key(json, "bands");
    json_begin_object(json);
    for (size_t i = 0; i < lane->band_count; i++)
        if (lane->bands[i].ready > 0)
            json_add_number(json, dispatch->conf->streams[i].name,
                            lane->bands[i].ready);
    json_end(json);
}

static void add_lane(const struct dispatch *dispatch, const struct lane *lane,
                     struct json *json)
{
    const uint64_t retry_ms = first_retry_ms(lane);
    const uint64_t oldest = oldest_utc_ms(lane);
    json_begin_object(json);
    json_add_number(json, "lane", lane->number);
    json_add_text(json, "pool", lane->pool_name);
    json_add_text(json, "site", lane->site);
    json_add_number(json, "ready", lane_depth(lane));
    json_add_number(json, "leased", list_count(&lane->out));
    json_add_number(json, "waiting",
                    list_count(&lane->waiting) + lane->cold_waiting.waiting);
    json_add_number(json, "held", list_count(&lane->held));
    json_add_number(json, "paused", count_paused(lane));
    json_add_number(json, "credit",
                    lane->credits ? credits_total(lane->credits) : 0);
    if (oldest > 0)
        json_add_number(json, "oldest_ms", since(oldest, time_utc_ms()));
    if (retry_ms > 0)
        json_add_number(json, "next_retry_ms",
                        since(dispatch_now_ms(dispatch), retry_ms));
    json_add_text(json, "state", slice_text(why_it_waits(dispatch, lane)));
    add_bands(dispatch, lane, json);
    json_end(json);
}

static bool has_part(struct slice text, struct slice part)
{
    return slice_is_empty(part) || slice_find_nocase(text, part) < text.len;
}

static void answer_queue(const struct dispatch *dispatch, struct slice arg,
                         struct json *json)
{
    json_add_number(
        json, "resolving_or_unknown",
        list_count(&dispatch->homeless) + fetch_count(dispatch).found
            + dispatch->cold_homeless.waiting + list_count(&dispatch->claimed));
    begin_list(json, "lanes");
    size_t at = 0;
    for (const struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));)
        if (!lane_is_empty(lane) && has_part(lane->key, arg))
            add_lane(dispatch, lane, json);
    json_end(json);
}

static void add_recipient(const struct dispatch *dispatch, struct job *job,
                          size_t position, const struct envelope *envelope,
                          struct json *json)
{
    const struct job_recipient *at = &job_recipients(job)[position];
    const struct envelope_recipient *known = &envelope->recipients[at->index];
    json_begin_object(json);
    json_add_text(json, "recipient", known->address);
    json_add_text(json, "route", view_route(dispatch, job));
    json_add_text(json, "state", view_state(job));
    json_add_number(json, "attempts", job->attempts);
    if (job->destination)
        json_add_text(json, "site", job->destination->site);
    else if (job->lane)
        json_add_text(json, "site", job->lane->site);
    if (job->lane && job->state != JOB_BOUNCING)
        json_add_text(json, "pool", job->lane->pool_name);
    if (job->state == JOB_WAITING)
        json_add_number(json, "next_retry_ms",
                        since(dispatch_now_ms(dispatch), job->alarm.at_ms));
    if (at->note) {
        json_add_number(json, "last_code", at->note->code);
        json_add_text(json, "last_reply", job_note_text(at->note));
    }
    json_end(json);
}

/* The message that is asked about, in memory or a ghost; begins an event. */
static struct queued *message_of(struct dispatch *dispatch, struct slice arg)
{
    uint64_t id = 0;
    if (!id_parse(arg, &id))
        return NULL;
    if (dispatch->ghost && dispatch->ghost->id == id)
        return dispatch->ghost; /* within the event that made it */
    dispatch_begin(dispatch);
    return table_get(&dispatch->lanes.messages, id);
}

static enum rc answer_message(struct dispatch *dispatch, struct slice arg,
                              struct json *json)
{
    char template[ID_TEXT_SIZE];
    struct queued *queued = message_of(dispatch, arg);
    if (!queued)
        return RC_NONE;
    const struct envelope *envelope = dispatch_open(dispatch, queued);
    json_add_text(json, "id", arg);
    json_add_text(json, "account", envelope->account);
    json_add_text(json, "tenant", envelope->tenant);
    json_add_text(json, "stream", envelope->stream);
    json_add_text(json, "reasons", envelope->reasons);
    if (envelope->template != 0)
        json_add_text(json, "template",
                      slice_text(id_format(envelope->template, template)));
    json_add_text(json, "sender", envelope->mail_from);
    json_add_text(json, "message_id", envelope->message_id);
    json_add_number(json, "size", envelope->body_size);
    json_add_number(json, "queued_ms",
                    since(envelope->accepted_utc_ms, time_utc_ms()));
    json_add_number(json, "expires_in_ms",
                    since(time_utc_ms(), envelope->expires_utc_ms));
    begin_list(json, "pending");
    for (struct job *job = queued->jobs; job; job = job->sibling)
        for (size_t i = 0; i < job->recipient_count; i++)
            add_recipient(dispatch, job, i, envelope, json);
    json_end(json);
    return RC_OK;
}

static enum rc answer_why(struct dispatch *dispatch, struct slice arg,
                          struct json *json)
{
    struct queued *queued = message_of(dispatch, arg);
    if (!queued)
        return RC_NONE;
    json_add_text(json, "router", slice_text(dispatch->router->name));
    holding_add(dispatch, queued, json);
    return RC_OK;
}

static void add_credit(const struct dispatch *dispatch, const struct lane *lane,
                       const struct credit *credit, struct json *json)
{
    const struct worker *worker =
        workers_by_number(&dispatch->workers, credit->worker);
    json_begin_object(json);
    json_add_text(json, "pool", lane->pool_name);
    json_add_text(json, "source",
                  names_text(&dispatch->workers.sources, credit->source));
    json_add_text(json, "worker", slice_text(worker ? worker->name : NULL));
    json_add_number(json, "credit", credit_left(credit));
    json_add_number(json, "sent", credit->sent);
    json_end(json);
}

static enum rc answer_holders(const struct dispatch *dispatch, struct slice arg,
                              struct json *json)
{
    bool known = false;
    json_add_text(json, "site", arg);
    begin_list(json, "holders");
    size_t at = 0;
    for (const struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));) {
        if (!slice_equal_nocase(lane->site, arg))
            continue;
        known = true;
        for (size_t i = 0; lane->credits && i < lane->credits->count; i++)
            add_credit(dispatch, lane, &lane->credits->items[i], json);
    }
    json_end(json);
    return known ? RC_OK : RC_NONE;
}

static enum rc note_complaint(struct dispatch *dispatch, struct slice arg)
{
    struct cursor cursor = cursor_of(arg);
    struct slice account;
    struct slice type;
    if (!cursor_until(&cursor, ' ', &account)
        || !cursor_until(&cursor, ' ', &type))
        return RC_SYNTAX;
    if (!slice_equal(type, SLICE("-")))
        verdicts_count_complaint(dispatch->verdicts, account, type);
    events_note(dispatch, SLICE("complaint"), cursor_rest(&cursor));
    return RC_OK;
}

static enum rc note_event(struct dispatch *dispatch, struct slice arg)
{
    struct cursor cursor = cursor_of(arg);
    struct slice event;
    if (!cursor_until(&cursor, ' ', &event))
        return RC_SYNTAX;
    events_note(dispatch, event, cursor_rest(&cursor));
    return RC_OK;
}

enum rc seeing_answer(struct dispatch *dispatch,
                      enum dispatch_question question, struct slice arg,
                      struct buf *out)
{
    struct json json;
    enum rc rc = RC_OK;
    json_init(&json, out);
    json_begin_object(&json);
    switch (question) {
    case DISPATCH_STATUS:
        answer_status(dispatch, &json);
        break;
    case DISPATCH_QUEUE:
        answer_queue(dispatch, arg, &json);
        break;
    case DISPATCH_MESSAGE:
        rc = answer_message(dispatch, arg, &json);
        break;
    case DISPATCH_HOLDERS:
        rc = answer_holders(dispatch, arg, &json);
        break;
    case DISPATCH_WHY:
        rc = answer_why(dispatch, arg, &json);
        break;
    case DISPATCH_WORKERS:
        answer_workers(dispatch, &json);
        break;
    case DISPATCH_VERDICTS:
        verdicts_write(dispatch->verdicts, &json);
        break;
    case DISPATCH_EVENT:
        rc = note_event(dispatch, arg);
        break;
    case DISPATCH_COMPLAINT:
        rc = note_complaint(dispatch, arg);
        break;
    case DISPATCH_DRAIN:
        rc = order_drain(dispatch, arg, false, &json);
        break;
    case DISPATCH_RESUME:
        rc = order_drain(dispatch, arg, true, &json);
        break;
    case DISPATCH_TRACE:
        rc = tracing_answer(dispatch, arg, &json);
        break;
    case DISPATCH_SEARCH: /* only at the end: search.c answers otherwise */
        rc = RC_TIMEOUT;
        break;
    }
    if (rc != RC_OK)
        return rc;
    json_end(&json);
    return out->full ? RC_LIMIT : RC_OK;
}
