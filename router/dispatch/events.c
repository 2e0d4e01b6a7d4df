/* events.c - lines of the event log that the lane thread writes. */
#include "router/dispatch/events.h"

#include <stdio.h>

#include "classifier/judge.h"
#include "common/base/time.h"
#include "common/proto/json.h"
#include "common/proto/message_id.h"
#include "router/dispatch/view.h"

#define EVENT_NAME_SIZE 32

static void begin(struct dispatch *dispatch, struct json *json,
                  const char *event)
{
    char ts[TIME_RFC3339_SIZE];
    time_rfc3339(time_utc_ms(), ts);
    json_init(json, eventlog_line(dispatch->events));
    json_begin_object(json);
    json_key(json, "ts");
    json_text(json, slice_text(ts));
    json_key(json, "event");
    json_text(json, slice_text(event));
}

static void end(struct dispatch *dispatch, struct json *json)
{
    json_end(json);
    eventlog_end_line(dispatch->events);
    defer_set(dispatch->work);
}

static void add_text(struct json *json, const char *key, struct slice text)
{
    if (slice_is_empty(text))
        return;
    json_key(json, key);
    json_text(json, text);
}

static void add_id(struct json *json, uint64_t id)
{
    char text[ID_TEXT_SIZE];
    add_text(json, "id", slice_text(id_format(id, text)));
}

static void add_sender(struct json *json, struct slice mail_from)
{
    json_key(json, "sender");
    json_text(json, mail_from);
}

static void add_origin(struct json *json, const struct envelope *envelope)
{
    add_id(json, envelope->id);
    add_text(json, "account", envelope->account);
    add_text(json, "tenant", envelope->tenant);
    add_text(json, "stream", envelope->stream);
}

void events_accepted(struct dispatch *dispatch, const struct envelope *envelope)
{
    struct json json;
    char template[ID_TEXT_SIZE];
    begin(dispatch, &json, "accepted");
    add_origin(&json, envelope);
    if (!slice_is_empty(envelope->declared))
        add_text(&json, "declared", envelope->declared);
    if (envelope->kind > 0 && envelope->kind <= JUDGE_KIND_COUNT)
        add_text(
            &json, "kind",
            slice_text(judge_kind_name((enum judge_kind)(envelope->kind - 1))));
    add_text(&json, "reasons", envelope->reasons);
    if (envelope->template != 0)
        add_text(&json, "template",
                 slice_text(id_format(envelope->template, template)));
    add_sender(&json, envelope->mail_from);
    json_key(&json, "recipients");
    json_begin_array(&json);
    for (size_t i = 0; i < envelope->recipient_count; i++) {
        json_begin_object(&json);
        add_text(&json, "route", envelope->recipients[i].route);
        add_text(&json, "recipient", envelope->recipients[i].address);
        json_end(&json);
    }
    json_end(&json);
    json_add_number(&json, "size", envelope->body_size);
    add_text(&json, "message_id", envelope->message_id);
    end(dispatch, &json);
}

static void add_path(const struct dispatch *dispatch, struct json *json,
                     const struct event_outcome *outcome)
{
    const struct wire_result *result = outcome->result;
    const struct lane *lane = outcome->job->lane;
    const struct destination *destination = outcome->job->destination;
    if (outcome->job->rerouted)
        add_text(json, "route", view_route(dispatch, outcome->job));
    else
        add_text(json, "route", outcome->recipient->route);
    if (lane)
        add_text(json, "pool", lane->pool_name);
    if (result) {
        add_text(json, "source", result->source);
        add_text(json, "source_ip", result->source_ip);
    }
    if (destination)
        add_text(json, "site", destination->site);
    if (result) {
        add_text(json, "host", result->host);
        add_text(json, "host_ip", result->host_ip);
    }
}

static void add_verdict(struct json *json, const struct verdict *verdict)
{
    char status[ENHANCED_TEXT_SIZE];
    add_text(json, "status",
             slice_text(enhanced_format(verdict->enhanced, status)));
    if (verdict->code > 0)
        json_add_number(json, "code", verdict->code);
    add_text(json, "reply", slice_text(verdict->text));
}

static uint64_t since(uint64_t from_ms, uint64_t to_ms)
{
    return to_ms > from_ms ? to_ms - from_ms : 0;
}

void events_outcome(struct dispatch *dispatch,
                    const struct event_outcome *outcome)
{
    const struct envelope *envelope = outcome->envelope;
    const struct wire_result *result = outcome->result;
    struct json json;
    begin(dispatch, &json, outcome->event);
    add_origin(&json, envelope);
    add_path(dispatch, &json, outcome);
    add_text(&json, "recipient", outcome->recipient->address);
    add_sender(&json, envelope->mail_from);
    add_verdict(&json, outcome->verdict);
    if (result)
        add_text(&json, "tls", result->tls);
    if (result && result->converted)
        json_add_bool(&json, "converted", true);
    json_add_number(&json, "attempt",
                    outcome->job->attempts + (result ? 1u : 0u));
    json_add_number(&json, "queued_ms",
                    since(envelope->accepted_utc_ms,
                          result ? result->started_utc_ms : time_utc_ms()));
    if (result)
        json_add_number(&json, "delivery_ms",
                        since(result->started_utc_ms, result->ended_utc_ms));
    if (outcome->plan && retry_comes(outcome->job, outcome->plan)) {
        json_add_number(&json, "retry_ms", outcome->plan->wait_ms);
        if (outcome->plan->asked_ms > 0)
            json_add_number(&json, "asked_ms", outcome->plan->asked_ms);
    }
    json_add_number(&json, "size", envelope->body_size);
    add_text(&json, "message_id", envelope->message_id);
    end(dispatch, &json);
}

static void add_report(struct json *json, uint64_t report)
{
    char text[ID_TEXT_SIZE];
    if (report != 0)
        add_text(json, "report", slice_text(id_format(report, text)));
}

void events_dsn(struct dispatch *dispatch, const struct event_dsn *dsn)
{
    char event[EVENT_NAME_SIZE];
    struct json json;
    (void)snprintf(event, sizeof event, "dsn_%s", dsn_action_name(dsn->action));
    begin(dispatch, &json, event);
    add_origin(&json, dsn->envelope);
    add_report(&json, dsn->report);
    json_key(&json, "recipients");
    json_begin_array(&json);
    for (size_t i = 0; i < dsn->recipient_count; i++)
        if (dsn->recipients[i].action == dsn->action)
            json_text(&json, dsn->recipients[i].final);
    json_end(&json);
    add_sender(&json, dsn->envelope->mail_from);
    add_text(&json, "envid", dsn->envelope->envid);
    add_text(&json, "message_id", dsn->envelope->message_id);
    end(dispatch, &json);
}

void events_double_bounce(struct dispatch *dispatch,
                          const struct envelope *envelope,
                          const struct dsn_recipient *recipient,
                          uint64_t report)
{
    struct json json;
    begin(dispatch, &json, "double_bounce");
    add_origin(&json, envelope);
    add_report(&json, report);
    add_text(&json, "recipient", recipient->final);
    add_verdict(&json, recipient->verdict);
    add_text(&json, "then", slice_text(report != 0 ? "postmaster" : "dropped"));
    end(dispatch, &json);
}

void events_possible_duplicate(struct dispatch *dispatch, const struct job *job,
                               const char *worker, const char *done)
{
    struct json json;
    begin(dispatch, &json, "possible_duplicate");
    add_id(&json, job->queued->id);
    if (job->stream < dispatch->conf->stream_count)
        add_text(&json, "stream",
                 slice_text(dispatch->conf->streams[job->stream].name));
    if (job->lane)
        add_text(&json, "pool", job->lane->pool_name);
    if (job->destination)
        add_text(&json, "site", job->destination->site);
    json_add_number(&json, "recipients", job->recipient_count);
    add_text(&json, "worker", slice_text(worker));
    add_text(&json, "then", slice_text(done));
    end(dispatch, &json);
}

void events_late_doubt(struct dispatch *dispatch, uint64_t message,
                       const char *worker)
{
    struct json json;
    begin(dispatch, &json, "possible_duplicate");
    add_id(&json, message);
    add_text(&json, "worker", slice_text(worker));
    add_text(&json, "then", SLICE("sent"));
    end(dispatch, &json);
}

void events_worker(struct dispatch *dispatch, const char *event,
                   const struct worker *worker, const char *why)
{
    struct json json;
    begin(dispatch, &json, event);
    add_text(&json, "worker", slice_text(worker->name));
    add_text(&json, "host", slice_text(worker->host));
    json_add_number(&json, "pid", worker->pid);
    json_add_number(&json, "sources", worker->source_count);
    json_add_number(&json, "leases", worker->lease_count);
    add_text(&json, "why", slice_text(why));
    end(dispatch, &json);
}

void events_rerouted(struct dispatch *dispatch, const struct lane *lane,
                     uint32_t jobs)
{
    struct json json;
    begin(dispatch, &json, "rerouted");
    add_text(&json, "pool", lane->pool_name);
    add_text(&json, "site", lane->site);
    json_add_number(&json, "jobs", jobs);
    end(dispatch, &json);
}

static void add_action(struct json *json, const struct action *action)
{
    char id[ID_TEXT_SIZE];
    add_text(json, "action", slice_text(id_format(action->id, id)));
    add_text(json, "actor", action->actor);
}

void events_operated(struct dispatch *dispatch, const char *event,
                     const struct job *job, uint32_t index,
                     const struct action *action)
{
    struct json json;
    const struct envelope *envelope = dispatch_open(dispatch, job->queued);
    begin(dispatch, &json, event);
    add_origin(&json, envelope);
    add_text(&json, "route", view_route(dispatch, job));
    if (job->destination)
        add_text(&json, "site", job->destination->site);
    add_text(&json, "recipient", envelope->recipients[index].address);
    add_sender(&json, envelope->mail_from);
    json_add_number(&json, "attempt", job->attempts);
    json_add_number(&json, "queued_ms",
                    since(envelope->accepted_utc_ms, time_utc_ms()));
    json_add_number(&json, "size", envelope->body_size);
    add_text(&json, "message_id", envelope->message_id);
    add_action(&json, action);
    end(dispatch, &json);
}

void events_action(struct dispatch *dispatch, const char *event,
                   const struct action *action)
{
    struct json json;
    begin(dispatch, &json, event);
    add_action(&json, action);
    add_text(&json, "kind", slice_text(action_kind_name(action->kind)));
    add_text(&json, "filter", action->filter);
    add_text(&json, "why", action->why);
    add_text(&json, "route", action->route);
    end(dispatch, &json);
}

void events_note(struct dispatch *dispatch, struct slice event,
                 struct slice object)
{
    char name[EVENT_NAME_SIZE];
    struct json json;
    struct buf *line = eventlog_line(dispatch->events);
    (void)snprintf(name, sizeof name, "%.*s", (int)event.len, event.ptr);
    begin(dispatch, &json, name);
    (void)buf_add_byte(line, ',');
    (void)buf_add(line, slice_head(slice_from(object, 1), object.len - 2));
    end(dispatch, &json);
}
