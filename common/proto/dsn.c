/* dsn.c - builds a delivery status notification. */
#include "common/proto/dsn.h"

#include "common/base/chars.h"
#include "common/base/check.h"
#include "common/base/time.h"
#include "common/proto/codec.h"
#include "common/proto/header.h"
#include "common/proto/message_id.h"
#include "common/proto/utf8.h"

#define DECODED_MAX  512u /* over COMMAND_ORCPT_MAX: no value is cut */
#define BOUNDARY_MAX 40u

/* One notification while it is written. */
struct writer {
    const struct dsn *dsn;
    struct slice returned; /* the message, or its header */
    bool utf8;             /* with the types of RFC 6533 */
    bool returned_8bit;
    char boundary[BOUNDARY_MAX];
    struct buf *out;
};

/* How each action is told to people. */
static const struct {
    const char *name;
    const char *subject;
    const char *opening;
} actions[] = {
    [DSN_FAILED] = { "failed", "Undelivered mail returned to sender",
                     "Your message could not be delivered to one or more "
                     "recipients.\r\nIt will not be tried again for them." },
    [DSN_DELAYED] = { "delayed", "Delayed mail, still being tried",
                      "Your message has not been delivered yet to one or more "
                      "recipients.\r\nYou need not send it again: delivery "
                      "goes on being tried." },
    [DSN_DELIVERED] = { "delivered", "Successful mail delivery report",
                        "Your message was delivered." },
    [DSN_RELAYED] = { "relayed", "Mail relay report",
                      "Your message was handed to a system that does not "
                      "confirm delivery." },
};

const char *dsn_action_name(enum dsn_action action)
{
    CHECK((size_t)action < ARRAY_LEN(actions));
    return actions[action].name;
}

bool dsn_needs_utf8(const struct dsn *dsn)
{
    if (!utf8_is_ascii(dsn->to))
        return true;
    for (size_t i = 0; i < dsn->recipient_count; i++)
        if (!utf8_is_ascii(dsn->recipients[i].final)
            || !utf8_is_ascii(dsn->recipients[i].orcpt))
            return true;
    return false;
}

/* One line of text: control bytes and, without UTF-8, all that is not ASCII
 * become "?". One "?" stands for a whole character. */
static void add_line_text(struct buf *out, struct slice text, bool utf8)
{
    while (text.len > 0) {
        size_t len = utf8_sequence(text);
        struct slice head = slice_head(text, len > 0 ? len : 1);
        bool plain =
            len == 1 ? !char_is(*head.ptr, CHAR_CTRL) : len > 1 && utf8;
        (void)buf_add(out, plain ? head : SLICE("?"));
        text = slice_from(text, head.len);
    }
}

/* xtext as it was meant. What is none (plain UTF-8 in ORCPT) stays. */
static void add_decoded(struct buf *out, struct slice xtext, bool utf8)
{
    struct buf decoded;
    buf_init(&decoded, DECODED_MAX);
    bool is_xtext = xtext_decode(xtext, &decoded) == RC_OK;
    add_line_text(out, is_xtext ? buf_slice(&decoded) : xtext, utf8);
    buf_release(&decoded);
}

static void add_date(struct buf *out, const char *name, uint64_t utc_ms)
{
    char date[TIME_RFC5322_SIZE];
    if (utc_ms == 0)
        return;
    time_rfc5322(utc_ms, date);
    (void)buf_addf(out, "%s: %s\r\n", name, date);
}

/* The most serious action names the notification: they are in that order. */
static enum dsn_action overall(const struct dsn *dsn)
{
    enum dsn_action worst = DSN_RELAYED;
    for (size_t i = 0; i < dsn->recipient_count; i++)
        if (dsn->recipients[i].action < worst)
            worst = dsn->recipients[i].action;
    return worst;
}

/* A boundary that the returned text does not hold: whoever wrote that cannot
 * end its part early. */
static void choose_boundary(struct writer *writer)
{
    char id[ID_TEXT_SIZE];
    (void)id_format(writer->dsn->id, id);
    for (uint64_t n = 0;; n++) {
        struct buf text;
        buf_init(&text, sizeof writer->boundary - 1);
        CHECK(buf_add_text(&text, "=_") && buf_add_text(&text, id)
              && buf_add_byte(&text, '_') && buf_add_number(&text, n));
        memcpy(writer->boundary, text.ptr, text.len);
        writer->boundary[text.len] = '\0';
        buf_release(&text);
        struct slice boundary = slice_text(writer->boundary);
        if (slice_find_slice(writer->returned, boundary)
            == writer->returned.len)
            return;
    }
}

static void add_header(const struct writer *writer)
{
    const struct dsn *dsn = writer->dsn;
    struct buf *out = writer->out;
    (void)buf_addf(out,
                   "From: Mail Delivery System <MAILER-DAEMON@%.*s>\r\n"
                   "To: <%.*s>\r\n"
                   "Subject: %s\r\n",
                   SLICE_ARG(dsn->reporting), SLICE_ARG(dsn->to),
                   actions[overall(dsn)].subject);
    add_date(out, "Date", dsn->now_utc_ms);
    (void)buf_add_text(out, "Message-ID: ");
    (void)header_add_msg_id(dsn->id, dsn->reporting, out);
    (void)buf_addf(out,
                   "\r\nAuto-Submitted: auto-replied\r\n"
                   "MIME-Version: 1.0\r\n"
                   "Content-Type: multipart/report; "
                   "report-type=%s;\r\n boundary=\"%s\"\r\n",
                   writer->utf8 ? "global-delivery-status" : "delivery-status",
                   writer->boundary);
    if (writer->utf8 || writer->returned_8bit)
        (void)buf_add_text(out, "Content-Transfer-Encoding: 8bit\r\n");
}

static void begin_part(const struct writer *writer, const char *type,
                       bool is_8bit)
{
    (void)buf_addf(writer->out, "\r\n--%s\r\nContent-Type: %s\r\n",
                   writer->boundary, type);
    if (is_8bit)
        (void)buf_add_text(writer->out, "Content-Transfer-Encoding: 8bit\r\n");
    (void)buf_add_text(writer->out, "\r\n");
}

/* What was answered, as a line of text: "550 5.1.1 No such user". */
static void add_answer(struct buf *out, const struct verdict *verdict)
{
    char status[ENHANCED_TEXT_SIZE];
    if (verdict->code > 0)
        (void)buf_addf(out, "%u ", (unsigned)verdict->code);
    if (verdict->enhanced.class > 0)
        (void)buf_addf(out, "%s ", enhanced_format(verdict->enhanced, status));
    add_line_text(out, slice_text(verdict->text), false);
}

static void add_explanation(const struct writer *writer)
{
    const struct dsn *dsn = writer->dsn;
    struct buf *out = writer->out;
    begin_part(writer,
               writer->utf8 ? "text/plain; charset=utf-8"
                            : "text/plain; charset=us-ascii",
               writer->utf8);
    (void)buf_addf(out, "This is the mail system at %.*s.\r\n\r\n%s\r\n",
                   SLICE_ARG(dsn->reporting), actions[overall(dsn)].opening);
    for (size_t i = 0; i < dsn->recipient_count; i++) {
        const struct dsn_recipient *recipient = &dsn->recipients[i];
        (void)buf_addf(out, "\r\n<%.*s>: %s\r\n    ",
                       SLICE_ARG(recipient->final),
                       dsn_action_name(recipient->action));
        if (recipient->remote.len > 0)
            (void)buf_addf(out, "%.*s said: ", SLICE_ARG(recipient->remote));
        add_answer(out, recipient->verdict);
        (void)buf_add_text(out, "\r\n");
    }
}

/* Status: RFC 3464 section 2.3.4 demands one; without one from the far side the
 * general one of the action's class stands (RFC 3463: X.0.0). Mail that expired
 * after many 4yz keeps its 4.y.z, as in the RFC's own example. */
static void add_status(struct buf *out, const struct dsn_recipient *recipient)
{
    static const uint8_t classes[] = {
        [DSN_FAILED] = 5,
        [DSN_DELAYED] = 4,
        [DSN_DELIVERED] = 2,
        [DSN_RELAYED] = 2,
    };
    char text[ENHANCED_TEXT_SIZE];
    struct enhanced status = recipient->verdict->enhanced;
    if (status.class == 0)
        status.class = classes[recipient->action];
    (void)buf_addf(out, "Status: %s\r\n", enhanced_format(status, text));
}

static void add_recipient(const struct writer *writer,
                          const struct dsn_recipient *recipient)
{
    struct buf *out = writer->out;
    (void)buf_add_text(out, "\r\n");
    if (recipient->orcpt.len > 0) {
        (void)buf_add_text(out, "Original-Recipient: ");
        size_t type = slice_find(recipient->orcpt, ';');
        add_line_text(out, slice_head(recipient->orcpt, type), false);
        (void)buf_add_text(out, "; ");
        add_decoded(out, slice_from(recipient->orcpt, type + 1), writer->utf8);
        (void)buf_add_text(out, "\r\n");
    }
    bool ascii = utf8_is_ascii(recipient->final);
    (void)buf_addf(out, "Final-Recipient: %s; %.*s\r\nAction: %s\r\n",
                   ascii ? "rfc822" : "utf-8", SLICE_ARG(recipient->final),
                   dsn_action_name(recipient->action));
    add_status(out, recipient);
    if (recipient->remote.len > 0)
        (void)buf_addf(out, "Remote-MTA: dns; %.*s\r\n",
                       SLICE_ARG(recipient->remote));
    if (recipient->verdict->code > 0) {
        (void)buf_add_text(out, "Diagnostic-Code: smtp; ");
        add_answer(out, recipient->verdict);
        (void)buf_add_text(out, "\r\n");
    }
    add_date(out, "Last-Attempt-Date", recipient->last_attempt_utc_ms);
    if (recipient->action == DSN_DELAYED)
        add_date(out, "Will-Retry-Until", recipient->retry_until_utc_ms);
}

static void add_report(const struct writer *writer)
{
    const struct dsn *dsn = writer->dsn;
    begin_part(writer,
               writer->utf8 ? "message/global-delivery-status"
                            : "message/delivery-status",
               writer->utf8);
    (void)buf_addf(writer->out, "Reporting-MTA: dns; %.*s\r\n",
                   SLICE_ARG(dsn->reporting));
    if (dsn->envid.len > 0) {
        (void)buf_add_text(writer->out, "Original-Envelope-Id: ");
        add_decoded(writer->out, dsn->envid, false);
        (void)buf_add_text(writer->out, "\r\n");
    }
    add_date(writer->out, "Arrival-Date", dsn->arrival_utc_ms);
    for (size_t i = 0; i < dsn->recipient_count; i++)
        add_recipient(writer, &dsn->recipients[i]);
}

static void add_returned(const struct writer *writer)
{
    static const char *const types[2][2] = {
        { "text/rfc822-headers", "message/global-headers" },
        { "message/rfc822", "message/global" },
    };
    begin_part(writer, types[writer->dsn->full][writer->utf8],
               writer->returned_8bit);
    (void)buf_add(writer->out, writer->returned);
    (void)buf_addf(writer->out, "\r\n--%s--\r\n", writer->boundary);
}

enum rc dsn_build(const struct dsn *dsn, struct buf *out)
{
    CHECK(dsn->recipient_count > 0);
    struct header_split split;
    /* A header that ends in junk is returned as far as it is one. */
    enum rc ignored = header_split(dsn->original, &split);
    (void)ignored;

    struct writer writer = {
        .dsn = dsn,
        .returned = dsn->full ? dsn->original : split.header,
        .utf8 = dsn_needs_utf8(dsn),
        .out = out,
    };
    writer.returned_8bit = !utf8_is_ascii(writer.returned);
    choose_boundary(&writer);

    bool was_full = out->full;
    size_t before = out->len;
    out->full = false;
    add_header(&writer);
    add_explanation(&writer);
    add_report(&writer);
    add_returned(&writer);
    if (out->full) {
        buf_cut(out, before);
        return RC_LIMIT;
    }
    out->full = was_full;
    return RC_OK;
}
