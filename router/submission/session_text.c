/* session_text.c - DATA: the message, and what is made of it. */
#include <stdio.h>

#include "common/base/check.h"
#include "common/proto/arf.h"
#include "common/proto/message_id.h"
#include "common/proto/utf8.h"
#include "router/origin.h"
#include "router/submission/session_parts.h"
#include "router/submission/trace.h"

/* Bytes of a Message-ID that go into the envelope, for logs. */
#define LOGGED_ID_MAX 255u

#define REASONS_MAX 4096u

#define FEEDBACK_ID_SIZE 512u

bool session_pay(struct session *session, uint64_t bytes)
{
    struct transaction *transaction = &session->transaction;
    const struct session_host *host = session->host;
    uint64_t price = bytes > SUBMISSION_TEXT_KEEP ? bytes : 0;
    if (price == transaction->paid_bytes)
        return true;
    if (host->resizes
        && !host->resizes(host->context, transaction->paid_bytes, price))
        return false;
    transaction->paid_bytes = price;
    return true;
}

enum session_state session_data(struct session *session, struct slice argument)
{
    struct transaction *transaction = &session->transaction;
    uint64_t max = session_message_max(session);
    if (argument.len > 0) {
        session_say(session, SLICE("501 5.5.4 DATA takes nothing\r\n"));
    } else if (session->state == SESSION_STATE_SENDER) {
        session_say(session, SLICE("554 5.5.1 No valid recipients\r\n"));
    } else if (!session->host->accepts(session->host->context, 0)) {
        session_say(session, SLICE("452 4.3.1 No room for mail now\r\n"));
    } else {
        enum linewise_bare bare =
            session->setting.listener->bare_newline == BARE_NEWLINE_NORMALISE
                ? LINEWISE_NORMALISE
                : LINEWISE_KEEP;
        linewise_decoder_init(&transaction->decoder, bare, max);
        transaction->text.max =
            session_takes_reports(session) && max > ARF_FRONT_BYTES
                ? ARF_FRONT_BYTES
                : max;
        transaction->text_began_ms = session->now_ms;
        transaction->is_dropped = false;
        session_say(session, SLICE("354 End with <CRLF>.<CRLF>\r\n"));
        return SESSION_STATE_TEXT;
    }
    return session->state;
}

/* What the bytes alone forbid; false: a refusal was said. */
static bool check_bytes(struct session *session)
{
    const struct linewise_findings *findings =
        &session->transaction.decoder.findings;
    bool is_bare = findings->bare_cr > 0 || findings->bare_lf > 0;
    if (is_bare
        && session->setting.listener->bare_newline == BARE_NEWLINE_REJECT) {
        /* Who forms such may mean to smuggle: no more is heard of it. */
        session_say(session,
                    SLICE("550 5.5.2 Message has a bare CR or LF\r\n"));
        session->is_worn_out = true;
        return false;
    }
    if (findings->bytes > session->transaction.decoder.bytes_max) {
        session_say(session, SLICE("552 5.3.4 Message is too large\r\n"));
        return false;
    }
    if (findings->has_nul) {
        session_say(session, SLICE("550 5.6.0 Message has a NUL byte\r\n"));
        return false;
    }
    if (findings->line_bytes_max > SUBMISSION_TEXT_LINE_MAX) {
        session_say(session, SLICE("554 5.6.0 Message has a line of more than "
                                   "998 bytes\r\n"));
        return false;
    }
    if (session->transaction.is_dropped) {
        session_say(session, SLICE("452 4.3.1 No memory for mail now\r\n"));
        return false;
    }
    return true;
}

/* False: a refusal was said. */
static bool check_message(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    struct acceptance *acceptance = &transaction->acceptance;
    struct slice text = buf_slice(&transaction->text);
    enum rc rc = header_split(text, &transaction->split);
    struct acceptance_question question = {
        .conf = session->setting.conf,
        .policy = session->setting.policy,
        .sketcher = session->setting.sketcher,
        .account = session->account,
        .listener = session->setting.listener,
        .tagged = transaction->tagged,
        .mail_from = transaction->mail_from,
        .recipients = transaction->recipients,
        .recipient_count = transaction->recipient_count,
        .header = transaction->split.header,
        .text = transaction->split.body,
        .is_header_cut = rc != RC_OK,
        .templates = session->host->templates,
    };
    struct route_answer *routes = arena_new(
        &transaction->arena, transaction->recipient_count, sizeof *routes);
    if (!routes) {
        session_say(session, SLICE("452 4.5.3 Envelope is too large\r\n"));
        return false;
    }
    if (question.templates)
        question.now_utc_ms = session->host->utc_ms(session->host->context);
    acceptance_decide(&question, acceptance, routes);
    if (!acceptance->is_allowed) {
        session_refuse(session, acceptance->code, acceptance->enhanced,
                       acceptance->text);
        return false;
    }
    for (size_t i = 0; i < transaction->recipient_count; i++)
        transaction->recipients[i].route = slice_text(routes[i].route->name);
    return true;
}

static enum session_state end_text(struct session *session)
{
    const bool is_good = check_bytes(session);
    if (is_good && !session->account)
        session_hear_report(session);
    else if (is_good && check_message(session))
        return SESSION_STATE_STORING;
    session_forget_transaction(session);
    return SESSION_STATE_READY;
}

/* What can no longer be stored is not kept while the rest is swallowed; of a
 * report the front is, and enough. */
static void drop_text(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    transaction->is_dropped = true;
    transaction->text.max = 0;
    buf_release(&transaction->text);
    (void)session_pay(session, 0);
}

enum session_state session_hear_text(struct session *session, struct buf *in)
{
    struct transaction *transaction = &session->transaction;
    struct linewise_decoder *decoder = &transaction->decoder;
    struct cursor cursor = cursor_of(buf_slice(in));
    enum rc rc = linewise_decode(decoder, &cursor, &transaction->text);
    buf_take(in, in->len - cursor_rest(&cursor).len);
    session->heard_ms = session->now_ms;
    if ((decoder->findings.too_large && !session_takes_reports(session))
        || !session_pay(session, transaction->text.size))
        drop_text(session);
    if (rc == RC_OK)
        return end_text(session);
    if (decoder->findings.bytes / SUBMISSION_SWALLOW_FACTOR
        > decoder->bytes_max) {
        session_say(session, SLICE("552 5.3.4 Message is much too large\r\n"));
        session->is_worn_out = true;
    }
    return SESSION_STATE_TEXT;
}

/* Needed is SMTPUTF8 only where an address or the header has such bytes: some
 * clients ask for it always (RFC 6531 section 3.6 lets the rest go without). */
static bool needs_utf8(const struct transaction *transaction)
{
    return transaction->asks_utf8
           && (transaction->needs_utf8
               || (transaction->decoder.findings.has_8bit
                   && !utf8_is_ascii(transaction->split.header)));
}

/* Said in the header of mail that was moved, where the config wants it. */
static struct slice found_tag(const struct session *session)
{
    const struct judgement *judgement =
        &session->transaction.acceptance.judgement;
    bool is_tagged =
        judgement->is_moved
        && session->setting.conf->classifier.disagree == DISAGREE_TAG;
    return slice_text(is_tagged ? judge_kind_name(judgement->kind) : NULL);
}

/* Names of a config are short, so that this has room for them. */
static const char *format_feedback_id(const struct session *session,
                                      char text[FEEDBACK_ID_SIZE])
{
    const struct acceptance *acceptance = &session->transaction.acceptance;
    const char *sender = session->account->feedback_id;
    char template[ID_TEXT_SIZE] = "";
    if (!sender)
        return NULL;
    if (acceptance->template != 0)
        (void)id_format(acceptance->template, template);
    const int len =
        snprintf(text, FEEDBACK_ID_SIZE, "%s:%s:%s:%s", session->account->name,
                 acceptance->stream->name, template, sender);
    CHECK(len > 0 && (size_t)len < FEEDBACK_ID_SIZE);
    return text;
}

static void build_body(const struct session *session, uint64_t id,
                       uint64_t now_utc_ms, struct buf *out)
{
    const struct transaction *transaction = &session->transaction;
    const struct origin origin = {
        .id = id,
        .template = transaction->acceptance.template,
        .recipients = (uint32_t)transaction->recipient_count,
    };
    char origin_text[ORIGIN_TEXT_SIZE];
    char feedback_id[FEEDBACK_ID_SIZE];
    const struct trace trace = {
        .id = id,
        .now_utc_ms = now_utc_ms,
        .host = slice_text(session->setting.conf->host_name),
        .hello = slice_text(session->hello),
        .client_ip = slice_text(session->client_ip),
        .is_client_ipv6 = session->is_client_ipv6,
        .is_esmtp = session->is_esmtp,
        .is_authenticated = session->is_authenticated,
        .is_utf8 = needs_utf8(transaction),
        .tls = session->tls,
        .cipher = session->cipher,
        .mail_from = transaction->mail_from,
        .origin = slice_text(origin_format(
            session->setting.conf, session->account, &origin, origin_text)),
        .feedback_id = slice_text(format_feedback_id(session, feedback_id)),
        .found = found_tag(session),
        .recipient = transaction->recipient_count == 1
                         ? transaction->recipients[0].address
                         : slice_text(""),
    };
    trace_build(&trace, &transaction->acceptance.survey, &transaction->split,
                out);
}

/* The stream that it was declared for; NULL: none. */
static const char *declared_of(const struct session *session)
{
    const int declared = session->transaction.acceptance.judgement.declared;
    return declared == JUDGE_STREAM_NONE
               ? NULL
               : session->setting.conf->streams[declared].name;
}

static struct message *build_message(const struct session *session, uint64_t id,
                                     uint64_t now_utc_ms, struct slice reasons,
                                     struct body *body)
{
    const struct transaction *transaction = &session->transaction;
    const struct acceptance *acceptance = &transaction->acceptance;
    struct buf own_id;
    buf_init(&own_id, LOGGED_ID_MAX + ID_TEXT_SIZE + 4);
    struct slice message_id = acceptance->survey.message_id;
    if (!acceptance->survey.has_message_id
        && header_add_msg_id(id, slice_text(session->setting.conf->host_name),
                             &own_id))
        message_id = buf_slice(&own_id);
    const struct envelope envelope = {
        .id = id,
        .accepted_utc_ms = now_utc_ms,
        .expires_utc_ms = now_utc_ms + acceptance->stream->expires_ms,
        .body_size = body->len,
        .template = acceptance->template,
        .declared = slice_text(declared_of(session)),
        .kind = (uint8_t)(1 + acceptance->judgement.kind),
        .account = slice_text(session->account->name),
        .tenant = slice_text(session->account->tenant->name),
        .stream = slice_text(acceptance->stream->name),
        .reasons = reasons,
        .mail_from = transaction->mail_from,
        .envid = transaction->envid,
        .message_id = slice_head(message_id, LOGGED_ID_MAX),
        .ret = transaction->ret,
        .body_8bit = transaction->decoder.findings.has_8bit,
        .smtputf8 = needs_utf8(transaction),
        .recipients = transaction->recipients,
        .recipient_count = transaction->recipient_count,
    };
    struct message *message = message_new(&envelope, body);
    if (message)
        message->urgent = acceptance->stream->urgent;
    buf_release(&own_id);
    return message;
}

struct message *session_message(const struct session *session, uint64_t id,
                                uint64_t now_utc_ms)
{
    CHECK(session->state == SESSION_STATE_STORING);
    struct buf bytes;
    struct buf reasons;
    size_t len;
    build_body(session, id, now_utc_ms, &bytes);
    char *memory = buf_steal(&bytes, &len);
    struct body *body = body_new(memory, len);
    buf_init(&reasons, REASONS_MAX);
    judge_reasons_text(&session->transaction.acceptance.judgement, &reasons);

    struct message *message =
        build_message(session, id, now_utc_ms, buf_slice(&reasons), body);
    if (!message)
        body_release(&body);
    buf_release(&reasons);
    return message;
}
