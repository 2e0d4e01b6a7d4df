/* bounce.c - reports to the sender of a message. */
#include "router/dispatch/bounce.h"

#include <inttypes.h>

#include "common/base/check.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/proto/command.h"
#include "common/proto/header.h"
#include "common/proto/path.h"
#include "common/proto/utf8.h"
#include "router/dispatch/events.h"
#include "router/dispatch/notice.h"
#include "router/dispatch/place.h"
#include "router/routing/route.h"

/* Why mail of ours is on its stream, and how it is known for ours. */
#define REASON_REPORT "delivery-report"
#define REASON_DOUBLE "double-bounce"

bool bounce_is_wanted(const struct envelope *envelope,
                      const struct envelope_recipient *recipient,
                      const struct conf_stream *stream, enum dsn_action action)
{
    const uint8_t notify = recipient->notify;
    if (slice_is_empty(envelope->mail_from))
        return false;
    switch (action) {
    case DSN_FAILED:
        return notify == 0 || (notify & NOTIFY_FAILURE);
    case DSN_DELAYED:
        return stream->warn_after_ms > 0
               && (notify == 0 ? stream->warn_unasked
                               : (notify & NOTIFY_DELAY) != 0);
    case DSN_DELIVERED:
    case DSN_RELAYED:
        return notify & NOTIFY_SUCCESS;
    }
    return false;
}

const struct conf_stream *bounce_stream(const struct dispatch *dispatch,
                                        const struct envelope *envelope)
{
    const struct conf_stream *stream =
        conf_stream(dispatch->conf, envelope->stream);
    return stream ? stream : dispatch->conf->classifier.streams[CLASS_NEUTRAL];
}

bool bounce_concerns(struct dispatch *dispatch, struct job *job,
                     enum dsn_action action)
{
    const struct envelope *envelope = dispatch_open(dispatch, job->queued);
    const struct conf_stream *stream = bounce_stream(dispatch, envelope);
    const struct job_recipient *recipients = job_recipients(job);
    for (size_t i = 0; i < job->recipient_count; i++)
        if (bounce_is_wanted(envelope,
                             &envelope->recipients[recipients[i].index], stream,
                             action))
            return true;
    return false;
}

/* The recipients of the notices, in the event's arena. */
struct told {
    struct dsn_recipient *items;
    size_t count;
};

static size_t count_all(const struct dispatch *dispatch)
{
    size_t count = 0;
    list_each (link, &dispatch->notices)
        count += container_of(link, struct notice, link)->count;
    return count;
}

static struct dsn_recipient recipient_of(const struct envelope *envelope,
                                         const struct notice *notice, size_t i)
{
    const struct envelope_recipient *recipient =
        &envelope->recipients[notice->indexes[i]];
    return (struct dsn_recipient){
        .action = notice->action,
        .final = recipient->address,
        .orcpt = recipient->orcpt,
        .remote = notice->remote,
        .verdict = &notice->verdicts[i],
        .last_attempt_utc_ms = notice->last_attempt_utc_ms,
        .retry_until_utc_ms =
            notice->action == DSN_DELAYED ? envelope->expires_utc_ms : 0,
    };
}

/* Those to tell of; stream NULL: all of them. */
static struct told list_told(struct dispatch *dispatch,
                             const struct envelope *envelope,
                             const struct conf_stream *stream)
{
    struct told told = { 0 };
    told.items = arena_new(&dispatch->scratch, count_all(dispatch) + 1,
                           sizeof *told.items);
    CHECK(told.items);
    list_each (link, &dispatch->notices) {
        const struct notice *notice = container_of(link, struct notice, link);
        for (size_t i = 0; i < notice->count; i++)
            if (!stream
                || bounce_is_wanted(envelope,
                                    &envelope->recipients[notice->indexes[i]],
                                    stream, notice->action))
                told.items[told.count++] = recipient_of(envelope, notice, i);
    }
    return told;
}

static bool has_action(const struct told *told, enum dsn_action action)
{
    for (size_t i = 0; i < told->count; i++)
        if (told->items[i].action == action)
            return true;
    return false;
}

/* The original's bytes; NULL when they cannot be had: a report without them is
 * better than none. */
static struct body *original_of(struct dispatch *dispatch,
                                struct queued *queued)
{
    if (queued->body)
        return body_hold(queued->body);
    if (dispatch->lent)
        return body_hold(dispatch->lent);
    struct body *body = NULL;
    struct fault fault;
    if (spool_read_body(dispatch->spool, queued->id, &body, &fault) != RC_OK)
        log_fault(LOG_WARNING, "report_without_original", &fault);
    return body;
}

static struct slice returned_part(const struct body *body, bool *full)
{
    struct header_split split;
    if (!body)
        return SLICE("");

    const struct slice whole = body_slice(body);
    *full = *full && whole.len <= DISPATCH_RETURN_MAX;
    if (*full)
        return whole;
    if (header_split(whole, &split) == RC_LIMIT)
        return SLICE("");
    return slice_head(split.header, DISPATCH_RETURN_MAX);
}

/* A mail of ours, before it has its text. */
struct report {
    struct slice to;
    struct slice reason;
    const struct envelope *about;
    const struct told *told;
};

/* Takes the report's text over. */
static struct message *envelop(struct dispatch *dispatch,
                               const struct report *report,
                               const struct dsn *dsn, struct buf *text)
{
    const struct conf *conf = dispatch->conf;
    const struct conf_stream *stream = conf->classifier.streams[CLASS_NEUTRAL];
    const struct route_question question = {
        .stream = stream,
        .header = buf_slice(text),
    };
    struct route_answer answer;
    route_choose(conf, &question, place_domain_of(report->to), &answer);
    const struct envelope_recipient recipient = {
        .address = report->to,
        .route = slice_text(answer.route->name),
        .notify = NOTIFY_NEVER,
    };
    const struct envelope envelope = {
        .id = dsn->id,
        .accepted_utc_ms = dsn->now_utc_ms,
        .expires_utc_ms = dsn->now_utc_ms + stream->expires_ms,
        .body_size = text->len,
        .account = report->about->account,
        .tenant = report->about->tenant,
        .stream = slice_text(stream->name),
        .reasons = report->reason,
        .body_8bit = !utf8_is_ascii(buf_slice(text)),
        .smtputf8 = dsn_needs_utf8(dsn),
        .recipients = &recipient,
        .recipient_count = 1,
    };
    size_t len = 0;
    char *bytes = buf_steal(text, &len);
    struct body *body = body_new(bytes, len);
    struct message *message = message_new(&envelope, body);
    if (message)
        message->urgent = stream->urgent;
    else
        body_release(&body);
    return message;
}

/* NULL: it would be too large. RET is about failures alone, RFC 3461 4.3. */
static struct message *write_report(struct dispatch *dispatch,
                                    struct queued *queued,
                                    const struct report *report)
{
    const struct envelope *about = report->about;
    struct dsn dsn = {
        .id = dispatch->options.new_id(dispatch->options.new_id_context),
        .now_utc_ms = time_utc_ms(),
        .arrival_utc_ms = about->accepted_utc_ms,
        .reporting = slice_text(dispatch->conf->host_name),
        .to = report->to,
        .envid = about->envid,
        .full = about->ret == RET_FULL && has_action(report->told, DSN_FAILED),
        .recipients = report->told->items,
        .recipient_count = report->told->count,
    };
    scoped(body_release) struct body *body = original_of(dispatch, queued);
    dsn.original = returned_part(body, &dsn.full);

    scoped(buf_release) struct buf text;
    buf_init(&text, DISPATCH_BOUNCE_MAX);
    if (dsn_build(&dsn, &text) != RC_OK) {
        log_line(LOG_ERROR, "report_too_large", "id=%" PRIu64, queued->id);
        return NULL;
    }
    return envelop(dispatch, report, &dsn, &text);
}

static bool is_ours(const struct envelope *envelope)
{
    return slice_is_empty(envelope->mail_from)
           && (slice_equal(envelope->reasons, SLICE(REASON_REPORT))
               || slice_equal(envelope->reasons, SLICE(REASON_DOUBLE)));
}

/* Is the postmaster to have the report that failed? */
static bool is_for_postmaster(const struct dispatch *dispatch,
                              const struct envelope *envelope,
                              struct path *postmaster)
{
    const struct conf *conf = dispatch->conf;
    return conf->double_bounce == DOUBLE_POSTMASTER
           && slice_equal(envelope->reasons, SLICE(REASON_REPORT))
           && path_from_text(slice_text(conf->postmaster), postmaster) == RC_OK
           && !slice_equal_nocase(envelope->recipients[0].address,
                                  postmaster->whole);
}

/* A report has one recipient, so there is one notice of one. */
static struct message *make_double(struct dispatch *dispatch,
                                   struct queued *queued,
                                   const struct envelope *envelope)
{
    const struct told told = list_told(dispatch, envelope, NULL);
    if (!has_action(&told, DSN_FAILED))
        return NULL;
    struct path postmaster;
    struct message *message = NULL;
    if (is_for_postmaster(dispatch, envelope, &postmaster))
        message = write_report(dispatch, queued,
                               &(struct report){ .to = postmaster.whole,
                                                 .reason = SLICE(REASON_DOUBLE),
                                                 .about = envelope,
                                                 .told = &told });
    events_double_bounce(dispatch, envelope, &told.items[0],
                         message ? message->id : 0);
    return message;
}

static void log_reports(struct dispatch *dispatch,
                        const struct envelope *envelope,
                        const struct told *told, uint64_t report)
{
    static const enum dsn_action actions[] = { DSN_FAILED, DSN_DELAYED,
                                               DSN_RELAYED };
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (has_action(told, actions[i]))
            events_dsn(dispatch, &(struct event_dsn){
                                     .envelope = envelope,
                                     .action = actions[i],
                                     .report = report,
                                     .recipients = told->items,
                                     .recipient_count = told->count,
                                 });
}

struct message *bounce_make(struct dispatch *dispatch, struct queued *queued)
{
    const struct envelope *envelope = dispatch_open(dispatch, queued);
    if (is_ours(envelope))
        return make_double(dispatch, queued, envelope);
    const struct conf_stream *stream = bounce_stream(dispatch, envelope);
    const struct told told = list_told(dispatch, envelope, stream);
    if (told.count == 0)
        return NULL;
    struct message *message = NULL;
    if (stream->dsn != REPORT_EVENT)
        message = write_report(dispatch, queued,
                               &(struct report){ .to = envelope->mail_from,
                                                 .reason = SLICE(REASON_REPORT),
                                                 .about = envelope,
                                                 .told = &told });
    if (stream->dsn != REPORT_MAIL)
        log_reports(dispatch, envelope, &told, message ? message->id : 0);
    return message;
}
