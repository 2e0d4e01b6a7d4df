/* session_envelope.c - MAIL and RCPT: who sends, and to whom. */
#include "common/base/mem.h"
#include "router/submission/session_parts.h"
#include "router/submission/subaddress.h"

#define RECIPIENT_ROOM_MIN 8u

uint64_t session_message_max(const struct session *session)
{
    uint64_t of_account =
        session->account ? session->account->max_message_size : 0;
    return of_account > 0 ? of_account
                          : session->setting.listener->max_message_size;
}

static uint32_t recipients_max(const struct session *session)
{
    uint32_t max = session->account->max_recipients > 0
                       ? session->account->max_recipients
                       : session->setting.listener->max_recipients;
    return max < SUBMISSION_RECIPIENTS_MAX ? max : SUBMISSION_RECIPIENTS_MAX;
}

void session_forget_transaction(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    arena_clear(&transaction->arena);
    transaction->recipient_count = 0;
    transaction->tagged = NULL;
    if (transaction->text.size > SUBMISSION_TEXT_KEEP)
        buf_release(&transaction->text);
    else
        buf_clear(&transaction->text);
    (void)session_pay(session, 0);
}

/* Notifications have no sender (RFC 5321 section 4.5.5), but only who said its
 * name may send such. */
static bool may_send_from(const struct session *session,
                          const struct path *from)
{
    if (session_takes_reports(session))
        return true;
    return from->is_null
               ? session->is_authenticated
               : acceptance_allows_domain(session->account, from->domain);
}

static void begin_transaction(struct session *session,
                              const struct mail_command *mail)
{
    struct transaction *transaction = &session->transaction;
    session_forget_transaction(session);
    /* Both are bounded and the arena is empty: this cannot fail. */
    transaction->mail_from = arena_slice(&transaction->arena, mail->from.whole);
    transaction->envid = arena_slice(&transaction->arena, mail->envid);
    transaction->ret = mail->ret;
    transaction->asks_utf8 = mail->smtputf8;
    transaction->needs_utf8 = mail->from.needs_utf8;
}

enum session_state session_mail(struct session *session, struct slice argument)
{
    const struct conf_listener *listener = session->setting.listener;
    struct mail_command mail;
    struct refusal refusal;
    if (!session->account && !session_takes_reports(session)) {
        session_say(session, SLICE("530 5.7.0 Authentication required\r\n"));
    } else if (command_read_mail(argument, &mail, &refusal) != RC_OK) {
        session_refuse(session, refusal.code, refusal.enhanced, refusal.text);
    } else if (listener->max_messages_per_connection > 0
               && session->messages >= listener->max_messages_per_connection) {
        session_give_up(session,
                        SLICE("421 4.7.0 Too many messages in a session\r\n"));
    } else if (mail.has_size && mail.size > session_message_max(session)) {
        session_say(session, SLICE("552 5.3.4 Message is too large\r\n"));
    } else if (!may_send_from(session, &mail.from)) {
        session_say(session,
                    SLICE("550 5.7.1 Not allowed to send as this sender\r\n"));
    } else if (!session->host->accepts(session->host->context,
                                       mail.has_size ? mail.size : 0)) {
        session_say(session, SLICE("452 4.3.1 No room for mail now\r\n"));
    } else {
        begin_transaction(session, &mail);
        session_say(session, SLICE("250 2.1.0 Ok\r\n"));
        return SESSION_STATE_SENDER;
    }
    return session->state;
}

static bool is_known(const struct transaction *transaction,
                     struct slice address)
{
    for (size_t i = 0; i < transaction->recipient_count; i++)
        if (slice_equal(transaction->recipients[i].address, address))
            return true;
    return false;
}

static void make_room(struct transaction *transaction)
{
    if (transaction->recipient_count < transaction->recipient_room)
        return;
    transaction->recipient_room = transaction->recipient_room == 0
                                      ? RECIPIENT_ROOM_MIN
                                      : transaction->recipient_room * 2;
    transaction->recipients =
        mem_resize(transaction->recipients, transaction->recipient_room,
                   sizeof *transaction->recipients);
}

/* False: the transaction has no memory left. */
static bool keep_recipient(struct transaction *transaction,
                           const struct rcpt_command *rcpt,
                           struct slice address)
{
    struct slice kept = arena_slice(&transaction->arena, address);
    struct slice orcpt = arena_slice(&transaction->arena, rcpt->orcpt);
    if (!kept.ptr || !orcpt.ptr)
        return false;
    make_room(transaction);
    transaction->recipients[transaction->recipient_count++] =
        (struct envelope_recipient){ .address = kept,
                                     .orcpt = orcpt,
                                     .notify = rcpt->notify };
    transaction->needs_utf8 |= rcpt->to.needs_utf8;
    return true;
}

/* False: a refusal was said. */
static bool take_recipient(struct session *session,
                           const struct rcpt_command *rcpt,
                           struct slice address)
{
    struct transaction *transaction = &session->transaction;
    struct subaddress tag;
    subaddress_read(session->setting.conf, session->account, address, &tag);
    if (transaction->recipient_count > 0 && tag.stream != transaction->tagged) {
        session_say(session, SLICE("452 4.5.3 Its tag is not that of the other "
                                   "recipients: send it by itself\r\n"));
        return false;
    }
    if (is_known(transaction, tag.address))
        return true;
    if (transaction->recipient_count >= recipients_max(session)) {
        session_say(session, SLICE("452 4.5.3 Too many recipients\r\n"));
        return false;
    }
    if (!keep_recipient(transaction, rcpt, tag.address)) {
        session_say(session, SLICE("452 4.5.3 Envelope is too large\r\n"));
        return false;
    }
    transaction->tagged = tag.stream;
    return true;
}

enum session_state session_rcpt(struct session *session, struct slice argument)
{
    struct rcpt_command rcpt;
    struct refusal refusal;
    if (command_read_rcpt(argument, session->transaction.asks_utf8, &rcpt,
                          &refusal)
        != RC_OK) {
        session_refuse(session, refusal.code, refusal.enhanced, refusal.text);
        return session->state;
    }
    /* <postmaster> alone is ours, RFC 5321 section 4.5.1. */
    struct slice address = rcpt.to.domain.len > 0
                               ? rcpt.to.whole
                               : slice_text(session->setting.conf->postmaster);
    if (!session->account)
        return session_report_recipient(session, address);
    if (!take_recipient(session, &rcpt, address))
        return session->state;
    session_say(session, SLICE("250 2.1.5 Ok\r\n"));
    return SESSION_STATE_RECIPIENTS;
}

size_t session_recipient_count(const struct session *session)
{
    return session->transaction.recipient_count;
}
