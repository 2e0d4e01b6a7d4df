/* transaction.c - one message on its way through a dialog. */
#include "workers/smtp/transaction.h"

#include "common/base/check.h"
#include "workers/smtp/say.h"

#define STRETCH_BYTES 16384u /* of the text, said at a time */

/* RSET, MAIL, RCPT..., DATA or BDAT; behind DATA the dot. */
enum { STEP_RSET, STEP_MAIL, STEP_RCPT };

static uint32_t recipient_count(const struct transaction *transaction)
{
    return (uint32_t)transaction->envelope->recipient_count;
}

/* DATA or BDAT. */
static uint32_t text_step(const struct transaction *transaction)
{
    return STEP_RCPT + recipient_count(transaction);
}

static void set_all(struct transaction *transaction,
                    const struct verdict *verdict)
{
    for (size_t i = 0; i < transaction->envelope->recipient_count; i++)
        transaction->outcomes[i] = *verdict;
}

/* Those who have no other answer: they count as delivered until then. */
static void settle(struct transaction *transaction,
                   const struct verdict *verdict)
{
    for (uint32_t i = 0; i < recipient_count(transaction); i++)
        if (transaction->outcomes[i].class == VERDICT_DELIVERED)
            transaction->outcomes[i] = *verdict;
}

void transaction_begin(struct transaction *transaction, bool is_chunked,
                       bool is_behind)
{
    /* Until somebody says otherwise a recipient counts as taken: then every
     * end of the connection finds those that still wait for their answer. */
    struct verdict verdict;
    verdict_local(&verdict, (struct enhanced){ 2, 0, 0 }, "no answer yet");
    set_all(transaction, &verdict);
    transaction->is_chunked = is_chunked;
    transaction->is_refused = false;
    transaction->is_committed = false;
    transaction->end_is_said = false;
    transaction->said = is_behind ? STEP_RSET : STEP_MAIL;
    transaction->heard = transaction->said;
    transaction->taken = 0;
    transaction->text_said = 0;
    linewise_encoder_init(&transaction->encoder);
}

bool transaction_awaits(const struct transaction *transaction)
{
    return transaction->said > transaction->heard;
}

/* No recipient can be served any more. */
static bool is_lost_cause(const struct transaction *transaction)
{
    return transaction->is_refused
           || (transaction->heard >= text_step(transaction)
               && transaction->taken == 0);
}

/* Whether the text may follow before its recipients are known. */
static bool is_blind(const struct transaction *transaction)
{
    if (!transaction->is_chunked)
        return true; /* DATA alone is said: its text waits for 354 */
    const bool is_sure = transaction->heard > STEP_MAIL;
    return transaction->body.len <= TRANSACTION_BLIND_BYTES
           && (is_sure || !transaction->is_probe);
}

static bool may_step(const struct transaction *transaction,
                     const struct ehlo *peer)
{
    if (transaction->said > text_step(transaction)
        || is_lost_cause(transaction))
        return false;
    if (!transaction_awaits(transaction))
        return true;
    return peer->pipelining
           && (transaction->said < text_step(transaction)
               || is_blind(transaction));
}

/* What the body lacks to end with CRLF, as linewise.h has it for DATA. */
static struct slice missing_end(struct slice body)
{
    if (slice_is_empty(body) || slice_ends_nocase(body, SLICE("\r\n")))
        return SLICE("");
    return body.ptr[body.len - 1] == '\r' ? SLICE("\n") : SLICE("\r\n");
}

static bool say_bdat(const struct transaction *transaction, struct buf *out)
{
    const struct slice body = transaction->body;
    return buf_addf(out, "BDAT %zu LAST\r\n", body.len + missing_end(body).len);
}

static void say_step(struct transaction *transaction, const struct ehlo *peer,
                     struct buf *out)
{
    const struct wire_job *envelope = transaction->envelope;
    const uint32_t step = transaction->said++;
    if (step == STEP_RSET)
        (void)buf_add(out, SLICE("RSET\r\n"));
    else if (step == STEP_MAIL)
        say_mail(peer, envelope, out);
    else if (step < text_step(transaction))
        say_rcpt(peer, &envelope->recipients[step - STEP_RCPT], out);
    else if (transaction->is_chunked)
        (void)say_bdat(transaction, out);
    else
        (void)buf_add(out, SLICE("DATA\r\n"));
}

static bool may_text(const struct transaction *transaction)
{
    const uint32_t after = text_step(transaction) + 1;
    return !transaction->end_is_said
           && (transaction->is_chunked ? transaction->said == after
                                       : transaction->heard == after);
}

/* To be called before the bytes that end the message are there to be sent. */
static void commit(struct transaction *transaction)
{
    if (!transaction->is_committed && transaction->on_commit)
        transaction->on_commit(transaction);
    transaction->is_committed = true;
}

/* The next stretch of the text, with the end that it may lack. */
static bool say_chunk(struct transaction *transaction, struct slice rest,
                      struct buf *out)
{
    const struct slice stretch = slice_head(rest, STRETCH_BYTES);
    const bool is_last = stretch.len == rest.len;
    const size_t before = out->len;
    if (is_last)
        commit(transaction);
    if (!buf_add(out, stretch)
        || (is_last && !buf_add(out, missing_end(transaction->body)))) {
        buf_cut(out, before);
        return false;
    }
    transaction->text_said += stretch.len;
    transaction->end_is_said = is_last;
    return true;
}

/* Likewise by DATA; the dot is a stretch of its own. */
static bool say_lines(struct transaction *transaction, struct slice rest,
                      struct buf *out)
{
    if (slice_is_empty(rest)) {
        commit(transaction);
        if (!linewise_encode_end(&transaction->encoder, out))
            return false;
        transaction->end_is_said = true;
        transaction->said++;
        return true;
    }
    const struct slice stretch = slice_head(rest, STRETCH_BYTES);
    if (!linewise_encode(&transaction->encoder, stretch, out))
        return false;
    transaction->text_said += stretch.len;
    return true;
}

/* False: `out` has no room for it now. */
static bool say_text(struct transaction *transaction, struct buf *out)
{
    const struct slice rest =
        slice_from(transaction->body, transaction->text_said);
    return transaction->is_chunked ? say_chunk(transaction, rest, out)
                                   : say_lines(transaction, rest, out);
}

void transaction_say(struct transaction *transaction, const struct ehlo *peer,
                     struct buf *out, size_t out_target)
{
    while (out->len < out_target) {
        if (may_step(transaction, peer))
            say_step(transaction, peer, out);
        else if (!may_text(transaction) || !say_text(transaction, out))
            return;
    }
}

static enum transaction_turn hear_mail(struct transaction *transaction,
                                       const struct reply *reply)
{
    if (reply_class(reply) == 2)
        return TRANSACTION_GOES_ON;
    struct verdict verdict;
    verdict_from_reply(reply, &verdict);
    set_all(transaction, &verdict);
    transaction->is_refused = true;
    return TRANSACTION_GOES_ON;
}

static enum transaction_turn hear_rcpt(struct transaction *transaction,
                                       uint32_t recipient,
                                       const struct reply *reply)
{
    if (transaction->is_refused) /* pipelined behind a refused MAIL: no news */
        return TRANSACTION_GOES_ON;
    struct verdict *outcome = &transaction->outcomes[recipient];
    verdict_from_reply(reply, outcome);
    if (outcome->class == VERDICT_DELIVERED)
        transaction->taken++;
    /* RFC 5321 section 4.5.3.1.10: 552 means too many recipients here. */
    if (reply->code == 552) {
        outcome->class = VERDICT_DEFERRED;
        outcome->enhanced = (struct enhanced){ 4, 5, 3 };
    }
    return TRANSACTION_GOES_ON;
}

static enum transaction_turn closed(const struct transaction *transaction)
{
    return transaction->is_refused ? TRANSACTION_IS_OVER
                                   : TRANSACTION_IS_LEFT_OPEN;
}

/* 354 though no recipient was taken: RFC 5321 section 3.3 has us send nothing
 * but the end, whose reply is no news to anybody. */
static enum transaction_turn hear_data(struct transaction *transaction,
                                       const struct reply *reply)
{
    if (reply_class(reply) == 2)
        return TRANSACTION_IS_BROKEN;
    if (reply_class(reply) == 3) {
        if (transaction->taken == 0)
            transaction->text_said = transaction->body.len;
        return TRANSACTION_GOES_ON;
    }
    struct verdict verdict;
    verdict_from_reply(reply, &verdict);
    settle(transaction, &verdict);
    return closed(transaction);
}

/* The reply to the whole message, by DATA or BDAT. A refused BDAT may leave the
 * envelope standing. */
static enum transaction_turn hear_end(struct transaction *transaction,
                                      const struct reply *reply)
{
    if (!transaction->end_is_said && reply_class(reply) < 4)
        return TRANSACTION_IS_BROKEN;
    struct verdict verdict;
    verdict_from_reply(reply, &verdict);
    settle(transaction, &verdict);
    if (!transaction->end_is_said)
        return TRANSACTION_ENDS_ALL;
    return transaction->is_chunked && reply_class(reply) != 2
               ? closed(transaction)
               : TRANSACTION_IS_OVER;
}

static enum transaction_turn hear_step(struct transaction *transaction,
                                       uint32_t step, const struct reply *reply)
{
    if (step == STEP_RSET)
        return reply_class(reply) == 2 ? TRANSACTION_GOES_ON
                                       : TRANSACTION_ENDS_ALL;
    if (step == STEP_MAIL)
        return hear_mail(transaction, reply);
    if (step < text_step(transaction))
        return hear_rcpt(transaction, step - STEP_RCPT, reply);
    if (step == text_step(transaction) && !transaction->is_chunked)
        return hear_data(transaction, reply);
    return hear_end(transaction, reply);
}

enum transaction_turn transaction_hear(struct transaction *transaction,
                                       const struct reply *reply)
{
    CHECK(transaction_awaits(transaction));
    const uint32_t step = transaction->heard++;
    const enum transaction_turn turn = hear_step(transaction, step, reply);
    if (turn != TRANSACTION_GOES_ON || step >= text_step(transaction)
        || transaction_awaits(transaction) || !is_lost_cause(transaction))
        return turn;
    return closed(transaction); /* nothing more will be said for it */
}

enum transaction_stage transaction_stage(const struct transaction *transaction)
{
    const uint32_t heard = transaction->heard;
    if (heard == STEP_RSET)
        return TRANSACTION_RSET;
    if (heard == STEP_MAIL)
        return TRANSACTION_MAIL;
    if (heard < text_step(transaction))
        return TRANSACTION_RCPT;
    if (heard == text_step(transaction) && !transaction->is_chunked)
        return TRANSACTION_DATA;
    return transaction->end_is_said ? TRANSACTION_END : TRANSACTION_TEXT;
}

/* Whether the server may have delivered it without our hearing so. Who says
 * farewell delivers nothing any more, but may have misspoken: with recipients
 * that it took and the whole text, that is not relied on. */
static bool is_doubtful(const struct transaction *transaction, bool is_farewell)
{
    if (!transaction->end_is_said || transaction->is_refused)
        return false;
    const bool has_unheard = transaction->heard < text_step(transaction);
    return is_farewell ? has_unheard && transaction->taken > 0
                       : has_unheard || transaction->taken > 0;
}

void transaction_lose(struct transaction *transaction,
                      const struct verdict *why, bool is_farewell, bool is_news)
{
    transaction->in_doubt = is_doubtful(transaction, is_farewell);
    transaction->is_started =
        is_news || transaction->in_doubt || transaction->heard > STEP_MAIL;
    /* Recipients that were refused have their answer. The others, also the
     * accepted ones, have that of the connection: it can only be temporary,
     * for what a server says of itself is not said of a mailbox. */
    struct verdict lost = *why;
    lost.class = VERDICT_DEFERRED;
    if (lost.enhanced.class != 4)
        lost.enhanced = (struct enhanced){ 4, 4, 2 };
    settle(transaction, &lost);
    transaction->is_over = true;
}

void transaction_refuse(struct transaction *transaction,
                        const struct verdict *verdict)
{
    set_all(transaction, verdict);
    transaction->is_over = true;
}
