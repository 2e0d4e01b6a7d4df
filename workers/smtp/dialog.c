/* dialog.c - what we say next, given what the server said. */
#include "workers/smtp/dialog.h"

#include "common/base/check.h"
#include "workers/smtp/say.h"

/* What is said ahead of the answers: a flight of thousands of RCPTs, or of
 * several texts, is said in parts, so that it fits into any output buffer. */
#define FLIGHT_BYTES 65536u

typedef enum dialog_state hear_fn(struct dialog *dialog,
                                  const struct reply *reply, struct buf *out);

static const struct enhanced bad_protocol = { 4, 5, 0 };

static void enter(struct dialog *dialog, enum dialog_state state)
{
    CHECK(dialog->state != DIALOG_GONE || state == DIALOG_GONE);
    dialog->state = state;
}

static struct transaction *oldest(const struct dialog *dialog)
{
    CHECK(dialog->transaction_count > 0);
    return dialog->transactions[0];
}

/* The one exit for every end of a connection. `is_farewell`: the server told
 * it, in a reply. */
static enum dialog_state give_up(struct dialog *dialog,
                                 const struct verdict *why, bool is_farewell)
{
    dialog->why = *why;
    for (uint32_t i = 0; i < dialog->transaction_count; i++)
        transaction_lose(dialog->transactions[i], why, is_farewell,
                         i == 0 && !dialog->is_used);
    dialog->transaction_count = 0;
    return DIALOG_GONE;
}

static enum dialog_state refuse_protocol(struct dialog *dialog,
                                         const char *what)
{
    struct verdict why;
    verdict_local(&why, bad_protocol, "%s", what);
    return give_up(dialog, &why, false);
}

static enum dialog_state give_up_reply(struct dialog *dialog,
                                       const struct reply *reply)
{
    struct verdict why;
    verdict_from_reply(reply, &why);
    return give_up(dialog, &why, true);
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
    return give_up(dialog, &why, true);
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

/* The state that the oldest transaction is in. */
static enum dialog_state state_of(const struct dialog *dialog)
{
    return transaction_stage(oldest(dialog)) >= TRANSACTION_TEXT
               ? DIALOG_BODY
               : DIALOG_ENVELOPE;
}

/* The oldest transaction is over; every recipient has its outcome. */
static enum dialog_state finish(struct dialog *dialog)
{
    oldest(dialog)->is_over = true;
    dialog->is_used = true;
    dialog->transaction_count--;
    for (uint32_t i = 0; i < dialog->transaction_count; i++)
        dialog->transactions[i] = dialog->transactions[i + 1];
    return dialog->transaction_count > 0 ? state_of(dialog) : DIALOG_READY;
}

/* The server may hold a part of the transaction that is over. Where another was
 * said behind it, that begins with RSET itself. */
static enum dialog_state finish_open(struct dialog *dialog, struct buf *out)
{
    if (finish(dialog) != DIALOG_READY)
        return state_of(dialog);
    (void)buf_add(out, SLICE("RSET\r\n"));
    return DIALOG_RSET;
}

static enum dialog_state hear_transaction(struct dialog *dialog,
                                          const struct reply *reply,
                                          struct buf *out)
{
    struct transaction *transaction = oldest(dialog);
    if (!transaction_awaits(transaction))
        return hear_unasked(dialog, reply, out);
    struct verdict why;
    switch (transaction_hear(transaction, reply)) {
    case TRANSACTION_GOES_ON:
        return state_of(dialog);
    case TRANSACTION_IS_OVER:
        return finish(dialog);
    case TRANSACTION_IS_LEFT_OPEN:
        return finish_open(dialog, out);
    case TRANSACTION_ENDS_ALL:
        verdict_from_reply(reply, &why);
        return give_up(dialog, &why, false);
    case TRANSACTION_IS_BROKEN:
        break;
    }
    return refuse_protocol(dialog, "a positive reply came before the message");
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
    [DIALOG_ENVELOPE]  = { "envelope",  hear_transaction },
    [DIALOG_BODY]      = { "body",      hear_transaction },
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

void dialog_say(struct dialog *dialog, struct buf *out, size_t out_target)
{
    for (uint32_t i = 0; i < dialog->transaction_count; i++)
        transaction_say(dialog->transactions[i], &dialog->peer, out,
                        out_target);
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
    dialog_say(dialog, out, FLIGHT_BYTES);
    return dialog->state;
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

/* Whether texts are said by BDAT. */
static bool has_chunks(const struct dialog *dialog)
{
    return dialog->options->chunking && dialog->peer.chunking;
}

bool dialog_can_follow(const struct dialog *dialog)
{
    const uint32_t count = dialog->transaction_count;
    return count > 0 && count < DIALOG_TRANSACTIONS_MAX
           && count < dialog->options->transactions_max
           && dialog->peer.pipelining && has_chunks(dialog)
           && dialog->transactions[count - 1]->end_is_said;
}

enum dialog_state dialog_begin(struct dialog *dialog,
                               struct transaction *transaction, struct buf *out)
{
    const bool is_behind = dialog_can_follow(dialog);
    CHECK(dialog->state == DIALOG_READY || is_behind);
    CHECK(transaction->envelope->recipient_count > 0);
    transaction->is_over = false;
    transaction->is_started = true;
    transaction->in_doubt = false;
    transaction->ends_dsn = !dialog->peer.dsn;
    struct verdict verdict;
    if (say_cannot(&dialog->peer, transaction->envelope, &verdict)) {
        transaction_refuse(transaction, &verdict);
        return dialog->state;
    }
    transaction_begin(transaction, has_chunks(dialog), is_behind);
    dialog->transactions[dialog->transaction_count++] = transaction;
    dialog_say(dialog, out, FLIGHT_BYTES);
    enter(dialog, state_of(dialog));
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
    enter(dialog, give_up(dialog, why, false));
    return dialog->state;
}

static uint64_t wait_for_transaction(const struct dialog *dialog)
{
    const struct dialog_waits *waits = &dialog->options->waits;
    switch (transaction_stage(oldest(dialog))) {
    case TRANSACTION_RSET:
        return waits->hello;
    case TRANSACTION_MAIL:
        return waits->mail;
    case TRANSACTION_RCPT:
        return waits->rcpt;
    case TRANSACTION_DATA:
        return waits->data;
    case TRANSACTION_TEXT:
        return waits->data_send;
    case TRANSACTION_END:
        return waits->data_end;
    }
    return 0;
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
    case DIALOG_BODY:
        return wait_for_transaction(dialog);
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
