/* dialog.c - what we say next, given what the server said. */
#include "workers/smtp/dialog.h"

#include "common/base/check.h"
#include "common/proto/command.h"
#include "workers/smtp/say.h"

#define BODY_STRETCH 16384u /* bytes of the body encoded at a time */

/* What is said ahead of the answers: a flight of thousands of RCPTs is said in
 * parts, so that it fits into any output buffer. */
#define FLIGHT_BYTES 65536u

typedef enum dialog_state hear_fn(struct dialog *dialog,
                                  const struct reply *reply, struct buf *out);

static const struct enhanced bad_protocol = { 4, 5, 0 };

static void enter(struct dialog *dialog, enum dialog_state state)
{
    CHECK(dialog->state != DIALOG_GONE || state == DIALOG_GONE);
    dialog->state = state;
}

/* The server said nothing to our MAIL, on a connection that had been idle: it
 * had left before. On a fresh connection it is news of this server. */
static bool was_never_seen(const struct dialog *dialog)
{
    return dialog->is_used && dialog->state == DIALOG_ENVELOPE
           && dialog->heard == 0;
}

/* The one exit for every end of a connection. */
static enum dialog_state give_up(struct dialog *dialog,
                                 const struct verdict *why)
{
    dialog->why = *why;
    struct dialog_job *job = dialog->job;
    if (!job)
        return DIALOG_GONE;
    job->is_started = !was_never_seen(dialog);
    dialog->job = NULL;
    /* Recipients that were refused have their answer. The others, also the
     * accepted ones, have that of the connection: it can only be temporary,
     * for what a server says of itself is not said of a mailbox. */
    struct verdict lost = *why;
    lost.class = VERDICT_DEFERRED;
    if (lost.enhanced.class != 4)
        lost.enhanced = (struct enhanced){ 4, 4, 2 };
    for (size_t i = 0; i < job->envelope->recipient_count; i++)
        if (job->outcomes[i].class == VERDICT_DELIVERED)
            job->outcomes[i] = lost;
    return DIALOG_GONE;
}

/* The whole message was said, and whether it was taken will not be known. */
static void doubt(struct dialog *dialog)
{
    if (dialog->job)
        dialog->job->in_doubt = dialog->state == DIALOG_BODY
                                && dialog->end_is_said && dialog->taken > 0;
}

static enum dialog_state refuse_protocol(struct dialog *dialog,
                                         const char *what)
{
    struct verdict why;
    verdict_local(&why, bad_protocol, "%s", what);
    doubt(dialog);
    return give_up(dialog, &why);
}

static enum dialog_state give_up_reply(struct dialog *dialog,
                                       const struct reply *reply)
{
    struct verdict why;
    verdict_from_reply(reply, &why);
    return give_up(dialog, &why);
}

/* Ends the transaction; every recipient has its outcome. */
static enum dialog_state finish(struct dialog *dialog)
{
    dialog->job = NULL;
    dialog->is_used = true;
    return DIALOG_READY;
}

static uint32_t recipient_count(const struct dialog *dialog)
{
    return (uint32_t)dialog->job->envelope->recipient_count;
}

/* Steps of an envelope: 0 is MAIL, 1..n are RCPT, n + 1 is DATA. */
static uint32_t data_step(const struct dialog *dialog)
{
    return recipient_count(dialog) + 1;
}

static void set_all(struct dialog_job *job, const struct verdict *verdict)
{
    for (size_t i = 0; i < job->envelope->recipient_count; i++)
        job->outcomes[i] = *verdict;
}

/* Whether steps may be said ahead of the answers to those before. */
static bool runs_ahead(const struct dialog *dialog, const struct buf *out)
{
    return dialog->peer.pipelining && dialog->said <= data_step(dialog)
           && out->len < FLIGHT_BYTES;
}

/* Says the next steps: as many as fit with PIPELINING, else one. */
static enum dialog_state say_envelope(struct dialog *dialog, struct buf *out)
{
    const struct wire_job *envelope = dialog->job->envelope;
    do {
        uint32_t step = dialog->said++;
        if (step == 0)
            say_mail(&dialog->peer, envelope, out);
        else if (step < data_step(dialog))
            say_rcpt(&dialog->peer, &envelope->recipients[step - 1], out);
        else
            (void)buf_add(out, SLICE("DATA\r\n"));
    } while (runs_ahead(dialog, out));
    return DIALOG_ENVELOPE;
}

static enum dialog_state say_rset(struct dialog *dialog, struct buf *out)
{
    (void)finish(dialog);
    (void)buf_add(out, SLICE("RSET\r\n"));
    return DIALOG_RSET;
}

static enum dialog_state hear_greeting(struct dialog *dialog,
                                       const struct reply *reply,
                                       struct buf *out)
{
    if (reply_class(reply) != 2)
        return give_up_reply(dialog, reply);
    (void)buf_addf(out, "EHLO %.*s\r\n", SLICE_ARG(dialog->options->ehlo_name));
    return DIALOG_EHLO;
}

static enum dialog_state say_starttls(struct buf *out)
{
    (void)buf_add(out, SLICE("STARTTLS\r\n"));
    return DIALOG_STARTTLS;
}

static enum dialog_state no_tls(struct dialog *dialog)
{
    struct verdict why;
    verdict_local(&why, (struct enhanced){ 4, 7, 4 },
                  "TLS is required, and the server does not offer it");
    return give_up(dialog, &why);
}

static enum dialog_state hear_ehlo(struct dialog *dialog,
                                   const struct reply *reply, struct buf *out)
{
    /* A server that knows no EHLO says 5yz; RFC 5321 section 3.2. */
    if (reply_class(reply) == 5 && !dialog->is_tls) {
        (void)buf_addf(out, "HELO %.*s\r\n",
                       SLICE_ARG(dialog->options->ehlo_name));
        return DIALOG_HELO;
    }
    if (reply_class(reply) != 2)
        return give_up_reply(dialog, reply);
    ehlo_read(reply, &dialog->peer);
    if (dialog->is_tls || dialog->options->tls == DIALOG_TLS_OFF)
        return DIALOG_READY;
    if (dialog->peer.starttls)
        return say_starttls(out);
    return dialog->options->tls == DIALOG_TLS_REQUIRED ? no_tls(dialog)
                                                       : DIALOG_READY;
}

static enum dialog_state hear_helo(struct dialog *dialog,
                                   const struct reply *reply, struct buf *out)
{
    (void)out;
    if (reply_class(reply) != 2)
        return give_up_reply(dialog, reply);
    dialog->peer = (struct ehlo){ .pipelining = false };
    return dialog->options->tls == DIALOG_TLS_REQUIRED ? no_tls(dialog)
                                                       : DIALOG_READY;
}

static enum dialog_state hear_starttls(struct dialog *dialog,
                                       const struct reply *reply,
                                       struct buf *out)
{
    (void)out;
    if (reply_class(reply) == 2)
        return DIALOG_HANDSHAKE;
    /* RFC 3207 section 4: 454 is "not now"; in clear then, where we may. */
    return dialog->options->tls == DIALOG_TLS_REQUIRED ? no_tls(dialog)
                                                       : DIALOG_READY;
}

static enum dialog_state hear_mail(struct dialog *dialog,
                                   const struct reply *reply)
{
    dialog->mail_taken = reply_class(reply) == 2;
    if (dialog->mail_taken)
        return DIALOG_ENVELOPE;
    struct verdict verdict;
    verdict_from_reply(reply, &verdict);
    set_all(dialog->job, &verdict);
    return DIALOG_ENVELOPE;
}

static enum dialog_state hear_rcpt(struct dialog *dialog, uint32_t recipient,
                                   const struct reply *reply)
{
    if (!dialog->mail_taken) /* pipelined behind a refused MAIL: no news */
        return DIALOG_ENVELOPE;
    struct verdict *outcome = &dialog->job->outcomes[recipient];
    verdict_from_reply(reply, outcome);
    if (outcome->class == VERDICT_DELIVERED)
        dialog->taken++;
    /* RFC 5321 section 4.5.3.1.10: 552 means too many recipients here. */
    if (reply->code == 552) {
        outcome->class = VERDICT_DEFERRED;
        outcome->enhanced = (struct enhanced){ 4, 5, 3 };
    }
    return DIALOG_ENVELOPE;
}

/* 354 though no recipient was taken: RFC 5321 section 3.3 has us send nothing
 * but the end, whose reply is no news to anybody. */
static enum dialog_state begin_body(struct dialog *dialog, struct buf *out)
{
    linewise_encoder_init(&dialog->encoder);
    dialog->body_said = 0;
    dialog->end_is_said = false;
    if (dialog->taken == 0) {
        (void)buf_add(out, SLICE(".\r\n"));
        dialog->end_is_said = true;
    }
    return DIALOG_BODY;
}

static enum dialog_state hear_data(struct dialog *dialog,
                                   const struct reply *reply, struct buf *out)
{
    if (reply_class(reply) == 3)
        return begin_body(dialog, out);
    if (reply_class(reply) == 2)
        return refuse_protocol(dialog, "a positive reply to DATA came "
                                       "before the message");
    struct verdict verdict;
    verdict_from_reply(reply, &verdict);
    for (uint32_t i = 0; i < recipient_count(dialog); i++)
        if (dialog->job->outcomes[i].class == VERDICT_DELIVERED)
            dialog->job->outcomes[i] = verdict;
    return dialog->mail_taken ? say_rset(dialog, out) : finish(dialog);
}

static enum dialog_state hear_envelope(struct dialog *dialog,
                                       const struct reply *reply,
                                       struct buf *out)
{
    uint32_t step = dialog->heard++;
    if (step == data_step(dialog))
        return hear_data(dialog, reply, out);

    enum dialog_state next = step == 0 ? hear_mail(dialog, reply)
                                       : hear_rcpt(dialog, step - 1, reply);
    bool is_waiting = dialog->said > dialog->heard;
    if (!dialog->mail_taken)
        return is_waiting ? next : finish(dialog);
    if (is_waiting && !runs_ahead(dialog, out))
        return next; /* the other answers are on their way */
    bool all_heard = dialog->heard == data_step(dialog);
    if (all_heard && dialog->taken == 0)
        return say_rset(dialog, out);
    return say_envelope(dialog, out);
}

static enum dialog_state hear_body(struct dialog *dialog,
                                   const struct reply *reply, struct buf *out)
{
    (void)out;
    if (!dialog->end_is_said)
        return reply_class(reply) >= 4
                   ? give_up_reply(dialog, reply)
                   : refuse_protocol(dialog, "a reply came in the middle of "
                                             "the message");
    struct verdict verdict;
    verdict_from_reply(reply, &verdict);
    for (uint32_t i = 0; i < recipient_count(dialog); i++)
        if (dialog->job->outcomes[i].class == VERDICT_DELIVERED)
            dialog->job->outcomes[i] = verdict;
    return finish(dialog);
}

static enum dialog_state hear_rset(struct dialog *dialog,
                                   const struct reply *reply, struct buf *out)
{
    (void)out;
    return reply_class(reply) == 2 ? DIALOG_READY
                                   : give_up_reply(dialog, reply);
}

static enum dialog_state hear_quit(struct dialog *dialog,
                                   const struct reply *reply, struct buf *out)
{
    (void)out;
    return give_up_reply(dialog, reply);
}

/* The server may say good-bye at any time; nothing else was asked for. */
static enum dialog_state hear_unasked(struct dialog *dialog,
                                      const struct reply *reply,
                                      struct buf *out)
{
    (void)out;
    return reply_class(reply) >= 4
               ? give_up_reply(dialog, reply)
               : refuse_protocol(dialog, "a reply came that nothing asked for");
}

static uint64_t wait_for_envelope(const struct dialog *dialog)
{
    const struct dialog_waits *waits = &dialog->options->waits;
    if (dialog->heard == 0)
        return waits->mail;
    return dialog->heard == data_step(dialog) ? waits->data : waits->rcpt;
}

/* clang-format off */
static const struct {
    const char *name;
    hear_fn    *hear;
} states[] = {
    [DIALOG_GREETING]  = { "greeting",  hear_greeting },
    [DIALOG_EHLO]      = { "ehlo",      hear_ehlo     },
    [DIALOG_HELO]      = { "helo",      hear_helo     },
    [DIALOG_STARTTLS]  = { "starttls",  hear_starttls },
    [DIALOG_HANDSHAKE] = { "handshake", hear_unasked  },
    [DIALOG_READY]     = { "ready",     hear_unasked  },
    [DIALOG_ENVELOPE]  = { "envelope",  hear_envelope },
    [DIALOG_BODY]      = { "body",      hear_body     },
    [DIALOG_RSET]      = { "rset",      hear_rset     },
    [DIALOG_QUIT]      = { "quit",      hear_quit     },
    [DIALOG_GONE]      = { "gone",      NULL          },
};
/* clang-format on */

void dialog_init(struct dialog *dialog, const struct dialog_options *options)
{
    *dialog = (struct dialog){ .options = options };
}

/* Whether a 421 ends everything whatever it answers; RFC 5321 section 3.8. */
static bool is_farewell(const struct dialog *dialog, const struct reply *reply)
{
    return reply->code == 421 && dialog->state != DIALOG_QUIT;
}

enum dialog_state dialog_hear(struct dialog *dialog, struct buf *in,
                              struct buf *out)
{
    while (dialog->state != DIALOG_GONE && dialog->state != DIALOG_HANDSHAKE) {
        struct cursor cursor = cursor_of(buf_slice(in));
        struct reply reply;
        enum rc rc = reply_take(&cursor, &reply);
        if (rc == RC_MORE)
            break;
        if (rc != RC_OK) {
            enter(dialog, refuse_protocol(dialog, "the server's words are no "
                                                  "SMTP reply"));
            break;
        }
        enter(dialog, is_farewell(dialog, &reply)
                          ? give_up_reply(dialog, &reply)
                          : states[dialog->state].hear(dialog, &reply, out));
        buf_take(in, (size_t)(cursor.at - buf_slice(in).ptr));
    }
    return dialog->state;
}

void dialog_say_body(struct dialog *dialog, struct buf *out, size_t out_target)
{
    CHECK(dialog->state == DIALOG_BODY);
    struct slice body = dialog->job->body;
    while (!dialog->end_is_said && out->len < out_target) {
        struct slice rest = slice_from(body, dialog->body_said);
        if (slice_is_empty(rest)) {
            dialog->end_is_said = linewise_encode_end(&dialog->encoder, out);
            return;
        }
        struct slice stretch = slice_head(rest, BODY_STRETCH);
        if (!linewise_encode(&dialog->encoder, stretch, out))
            return; /* no room now: called again when it has drained */
        dialog->body_said += stretch.len;
    }
}

enum dialog_state dialog_tls_done(struct dialog *dialog, struct buf *out)
{
    CHECK(dialog->state == DIALOG_HANDSHAKE);
    dialog->is_tls = true;
    dialog->peer = (struct ehlo){ .pipelining = false };
    (void)buf_addf(out, "EHLO %.*s\r\n", SLICE_ARG(dialog->options->ehlo_name));
    enter(dialog, DIALOG_EHLO);
    return dialog->state;
}

enum dialog_state dialog_begin(struct dialog *dialog, struct dialog_job *job,
                               struct buf *out)
{
    CHECK(dialog->state == DIALOG_READY && !dialog->job);
    CHECK(job->envelope->recipient_count > 0);
    job->is_started = true;
    job->ends_dsn = !dialog->peer.dsn;
    struct verdict verdict;
    if (say_cannot(&dialog->peer, job->envelope, &verdict)) {
        set_all(job, &verdict);
        return dialog->state;
    }
    /* Until somebody says otherwise a recipient counts as taken: then every
     * end of the connection finds those that still wait for their answer. */
    verdict_local(&verdict, (struct enhanced){ 2, 0, 0 }, "no answer yet");
    set_all(job, &verdict);
    dialog->job = job;
    dialog->said = 0;
    dialog->heard = 0;
    dialog->taken = 0;
    dialog->mail_taken = false;
    enter(dialog, say_envelope(dialog, out));
    return dialog->state;
}

enum dialog_state dialog_quit(struct dialog *dialog, struct buf *out)
{
    CHECK(dialog->state == DIALOG_READY);
    (void)buf_add(out, SLICE("QUIT\r\n"));
    enter(dialog, DIALOG_QUIT);
    return dialog->state;
}

enum dialog_state dialog_lose(struct dialog *dialog, const struct verdict *why)
{
    if (dialog->state == DIALOG_GONE)
        return dialog->state;
    doubt(dialog);
    enter(dialog, give_up(dialog, why));
    return dialog->state;
}

uint64_t dialog_wait_ms(const struct dialog *dialog)
{
    const struct dialog_waits *waits = &dialog->options->waits;
    switch (dialog->state) {
    case DIALOG_GREETING:
        return waits->greeting;
    case DIALOG_EHLO:
    case DIALOG_HELO:
    case DIALOG_STARTTLS:
    case DIALOG_HANDSHAKE:
    case DIALOG_RSET:
    case DIALOG_QUIT:
        return waits->hello;
    case DIALOG_ENVELOPE:
        return wait_for_envelope(dialog);
    case DIALOG_BODY:
        return dialog->end_is_said ? waits->data_end : waits->data_send;
    case DIALOG_READY:
    case DIALOG_GONE:
        return 0;
    }
    return 0;
}

const char *dialog_state_name(enum dialog_state state)
{
    return states[state].name;
}
