/* bounce.c - the report to the sender of a message that failed. */
#include "router/dispatch/bounce.h"

#include <inttypes.h>

#include "common/base/check.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/proto/command.h"
#include "common/proto/dsn.h"
#include "common/proto/header.h"
#include "common/proto/utf8.h"
#include "router/dispatch/outcome.h"
#include "router/dispatch/place.h"
#include "router/routing/route.h"

bool bounce_is_wanted(const struct envelope *envelope,
                      const struct envelope_recipient *recipient,
                      const struct conf_stream *stream)
{
    if (slice_is_empty(envelope->mail_from) || !stream->dsn)
        return false;
    return recipient->notify == 0 || (recipient->notify & NOTIFY_FAILURE);
}

static const struct conf_stream *stream_of(const struct dispatch *dispatch,
                                           const struct envelope *envelope)
{
    const struct conf_stream *stream =
        conf_stream(dispatch->conf, envelope->stream);
    return stream ? stream : dispatch->conf->classifier.streams[CLASS_NEUTRAL];
}

static size_t count_failed(const struct dispatch *dispatch)
{
    size_t count = 0;
    list_each (link, &dispatch->failures)
        count += container_of(link, struct failure, link)->job->recipient_count;
    return count;
}

/* The recipients to tell of, in the event's arena. */
static size_t list_recipients(struct dispatch *dispatch,
                              const struct envelope *envelope,
                              struct dsn_recipient **list)
{
    const struct conf_stream *stream = stream_of(dispatch, envelope);
    size_t count = 0;
    *list = arena_new(&dispatch->scratch, count_failed(dispatch) + 1,
                      sizeof **list);
    CHECK(*list);
    list_each (link, &dispatch->failures) {
        const struct failure *failure =
            container_of(link, struct failure, link);
        const struct job_recipient *recipients = job_recipients(failure->job);
        for (size_t i = 0; i < failure->job->recipient_count; i++) {
            const struct envelope_recipient *recipient =
                &envelope->recipients[recipients[i].index];
            if (!bounce_is_wanted(envelope, recipient, stream))
                continue;
            (*list)[count++] = (struct dsn_recipient){
                .action = DSN_FAILED,
                .final = recipient->address,
                .orcpt = recipient->orcpt,
                .remote = failure->remote,
                .verdict = &failure->verdicts[i],
                .last_attempt_utc_ms = failure->last_attempt_utc_ms,
            };
        }
    }
    return count;
}

/* The original's bytes; NULL when they cannot be had: a report without them is
 * better than none. */
static struct body *original_of(struct dispatch *dispatch,
                                struct queued *queued)
{
    if (queued->body)
        return body_hold(queued->body);
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

/* Takes the report's text over. */
static struct message *envelop(struct dispatch *dispatch,
                               const struct envelope *original,
                               const struct dsn *dsn, struct buf *text)
{
    const struct conf *conf = dispatch->conf;
    const struct conf_stream *stream = conf->classifier.streams[CLASS_NEUTRAL];
    const struct route_question question = {
        .stream = stream,
        .header = buf_slice(text),
    };
    struct route_answer answer;
    route_choose(conf, &question, place_domain_of(original->mail_from),
                 &answer);
    const struct envelope_recipient recipient = {
        .address = original->mail_from,
        .route = slice_text(answer.route->name),
        .notify = NOTIFY_NEVER,
    };
    const struct envelope envelope = {
        .id = dsn->id,
        .accepted_utc_ms = dsn->now_utc_ms,
        .expires_utc_ms = dsn->now_utc_ms + stream->expires_ms,
        .body_size = text->len,
        .account = original->account,
        .tenant = original->tenant,
        .stream = slice_text(stream->name),
        .reasons = SLICE("delivery-report"),
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

struct message *bounce_make(struct dispatch *dispatch, struct queued *queued)
{
    const struct envelope *envelope = dispatch_open(dispatch, queued);
    struct dsn_recipient *recipients = NULL;
    const size_t count = list_recipients(dispatch, envelope, &recipients);
    if (count == 0)
        return NULL;

    struct dsn dsn = {
        .id = dispatch->options.new_id(dispatch->options.new_id_context),
        .now_utc_ms = time_utc_ms(),
        .arrival_utc_ms = envelope->accepted_utc_ms,
        .reporting = slice_text(dispatch->conf->host_name),
        .to = envelope->mail_from,
        .envid = envelope->envid,
        .full = envelope->ret == RET_FULL,
        .recipients = recipients,
        .recipient_count = count,
    };
    scoped(body_release) struct body *body = original_of(dispatch, queued);
    dsn.original = returned_part(body, &dsn.full);

    scoped(buf_release) struct buf text;
    buf_init(&text, DISPATCH_BOUNCE_MAX);
    if (dsn_build(&dsn, &text) != RC_OK) {
        log_line(LOG_ERROR, "report_too_large", "id=%" PRIu64, queued->id);
        return NULL;
    }
    return envelop(dispatch, envelope, &dsn, &text);
}
