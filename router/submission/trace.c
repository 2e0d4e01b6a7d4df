/* trace.c - the final bytes of a message. */
#include "router/submission/trace.h"

#include "common/base/check.h"
#include "common/base/time.h"
#include "common/proto/message_id.h"
#include "common/proto/path.h"
#include "router/origin.h"

/* Eight lines of ours at most, each with at most two names of 255 bytes. */
#define FIELDS_MAX 4096u

static bool add_all(struct buf *out, const struct slice *parts, size_t count)
{
    bool fits = true;
    for (size_t i = 0; i < count; i++)
        fits = fits && buf_add(out, parts[i]);
    return fits;
}

#define ADD(out, ...)                                                          \
    add_all((out), (const struct slice[]){ __VA_ARGS__ },                      \
            sizeof((struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))

/* RFC 3848 section 1, RFC 6531 section 4.3. */
static struct slice protocol(const struct trace *trace)
{
    static const char *const names[2][2][2] = {
        { { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } },
        { { "UTF8SMTP", "UTF8SMTPA" }, { "UTF8SMTPS", "UTF8SMTPSA" } },
    };
    if (!trace->is_esmtp && !trace->is_utf8)
        return SLICE("SMTP");
    return slice_text(
        names[trace->is_utf8][trace->tls != NULL][trace->is_authenticated]);
}

static bool add_received(const struct trace *trace, const char *date,
                         struct buf *out)
{
    char id[ID_TEXT_SIZE];
    bool fits = ADD(out, SLICE("Received: from "), trace->hello,
                    trace->is_client_ipv6 ? SLICE(" ([IPv6:") : SLICE(" (["),
                    trace->client_ip, SLICE("])\r\n\tby "), trace->host,
                    SLICE(" with "), protocol(trace));
    if (trace->tls)
        fits = fits
               && ADD(out, SLICE(" ("), slice_text(trace->tls), SLICE(" "),
                      slice_text(trace->cipher), SLICE(")"));
    fits =
        fits
        && ADD(out, SLICE("\r\n\tid "), slice_text(id_format(trace->id, id)));
    if (trace->recipient.len > 0)
        fits = fits
               && ADD(out, SLICE("\r\n\tfor <"), trace->recipient, SLICE(">"));
    return fits && ADD(out, SLICE("; "), slice_text(date), SLICE("\r\n"));
}

static bool add_missing(const struct trace *trace, const struct survey *survey,
                        const char *date, struct buf *out)
{
    bool fits = true;
    if (survey->from_count == 0)
        fits = ADD(out, SLICE("From: <"), trace->mail_from, SLICE(">\r\n"));
    if (!survey->has_date)
        fits =
            fits && ADD(out, SLICE("Date: "), slice_text(date), SLICE("\r\n"));
    if (!survey->has_message_id)
        fits = fits && buf_add(out, SLICE("Message-ID: "))
               && header_add_msg_id(trace->id, trace->host, out)
               && buf_add(out, SLICE("\r\n"));
    if (trace->origin.len > 0)
        fits =
            fits
            && ADD(out, SLICE(ORIGIN_FIELD ": "), trace->origin, SLICE("\r\n"));
    if (trace->feedback_id.len > 0 && !survey->has_feedback_id)
        fits = fits
               && ADD(out, SLICE("Feedback-ID: "), trace->feedback_id,
                      SLICE("\r\n"));
    if (trace->found.len > 0)
        fits = fits
               && ADD(out, SLICE("X-Sendyard-Found: "), trace->found,
                      SLICE("\r\n"));
    return fits;
}

static bool add_header(struct slice header, const struct survey *survey,
                       struct buf *out)
{
    if (!survey->has_private)
        return buf_add(out, header);
    struct cursor cursor = cursor_of(header);
    struct header_field field;
    bool fits = true;
    while (fits && header_next(&cursor, &field) == RC_OK)
        if (!survey_is_private(survey, field.name))
            fits = buf_add(out, field.whole);
    return fits;
}

void trace_build(const struct trace *trace, const struct survey *survey,
                 const struct header_split *message, struct buf *out)
{
    char date[TIME_RFC5322_SIZE];
    struct buf fields;
    buf_init(&fields, FIELDS_MAX);
    time_rfc5322(trace->now_utc_ms, date);
    bool fits = add_received(trace, date, &fields)
                && add_missing(trace, survey, date, &fields);

    size_t len = fields.len + message->header.len - survey->private_bytes + 2
                 + message->body.len;
    buf_init(out, len);
    fits = fits && buf_room(out, len) && buf_add(out, buf_slice(&fields))
           && add_header(message->header, survey, out)
           && buf_add(out, SLICE("\r\n")) && buf_add(out, message->body);
    buf_release(&fields);
    CHECK(fits); /* all texts were bounded where they came in */
}
