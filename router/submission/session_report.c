/* session_report.c - reports of abuse, which nobody logs in to bring. */
#include "router/submission/session_parts.h"

bool session_takes_reports(const struct session *session)
{
    return !session->account && session->setting.listener->complaints.count > 0;
}

static bool is_address_of_reports(const struct session *session,
                                  struct slice address)
{
    const struct conf_texts *complaints =
        &session->setting.listener->complaints;
    for (size_t i = 0; i < complaints->count; i++)
        if (slice_equal_nocase(slice_text(complaints->items[i]), address))
            return true;
    return false;
}

/* Nothing is delivered, so nobody's address is kept. */
enum session_state session_report_recipient(struct session *session,
                                            struct slice address)
{
    if (!is_address_of_reports(session, address)) {
        session_say(session, SLICE("530 5.7.0 Authentication required\r\n"));
        return session->state;
    }
    session_say(session, SLICE("250 2.1.5 Ok\r\n"));
    return SESSION_STATE_RECIPIENTS;
}

void session_hear_report(struct session *session)
{
    const struct session_host *host = session->host;
    const enum rc rc =
        host->reports ? host->reports(host->context, session->setting.conf,
                                      buf_slice(&session->transaction.text))
                      : RC_LIMIT;
    session->messages++;
    if (rc == RC_OK)
        session_say(session, SLICE("250 2.0.0 Ok: the report is noted\r\n"));
    else if (rc == RC_SYNTAX)
        session_say(session, SLICE("550 5.6.0 This is no report of abuse (RFC "
                                   "5965)\r\n"));
    else if (rc == RC_NONE)
        session_say(session, SLICE("550 5.7.1 The report is not about mail of "
                                   "ours\r\n"));
    else
        session_say(session, SLICE("451 4.3.0 The report cannot be taken "
                                   "now\r\n"));
}
