/* session_auth.c - AUTH PLAIN and LOGIN, RFC 4954. */
#include "router/submission/session_parts.h"

/* base64 of "Username:" and "Password:": clients of LOGIN know these. */
#define ASK_USER     "334 VXNlcm5hbWU6\r\n"
#define ASK_PASSWORD "334 UGFzc3dvcmQ6\r\n"

bool session_may_auth(const struct session *session)
{
    return session->tls || session->setting.listener->allow_auth_without_tls;
}

static enum session_state ask(struct session *session, struct slice challenge,
                              enum session_state next)
{
    session_say(session, challenge);
    return next;
}

/* What follows when a response was read. Wrong identities are told like wrong
 * passwords. */
static enum session_state after_reading(struct session *session, enum rc rc,
                                        enum session_state next)
{
    if (rc == RC_OK)
        return next;
    credentials_wipe(&session->credentials);
    if (rc == RC_LIMIT)
        session_say(session, SLICE("535 5.7.8 Credentials are invalid\r\n"));
    else
        session_say(session, SLICE("501 5.5.2 Cannot decode the response\r\n"));
    return SESSION_STATE_READY;
}

static bool is_cancelled(struct session *session, struct slice line)
{
    if (!slice_equal(line, SLICE("*")))
        return false;
    credentials_wipe(&session->credentials);
    session_say(session, SLICE("501 5.7.0 Authentication cancelled\r\n"));
    return true;
}

enum session_state session_hear_plain(struct session *session,
                                      struct slice line)
{
    if (is_cancelled(session, line))
        return SESSION_STATE_READY;
    return after_reading(session,
                         credentials_read_plain(&session->credentials, line),
                         SESSION_STATE_CHECKING);
}

enum session_state session_hear_user(struct session *session, struct slice line)
{
    if (is_cancelled(session, line))
        return SESSION_STATE_READY;
    enum session_state next = after_reading(
        session, credentials_read_user(&session->credentials, line),
        SESSION_STATE_PASSWORD);
    if (next == SESSION_STATE_PASSWORD)
        session_say(session, SLICE(ASK_PASSWORD));
    return next;
}

enum session_state session_hear_password(struct session *session,
                                         struct slice line)
{
    if (is_cancelled(session, line))
        return SESSION_STATE_READY;
    return after_reading(session,
                         credentials_read_password(&session->credentials, line),
                         SESSION_STATE_CHECKING);
}

/* With its initial response, or an empty one. */
static enum session_state begin(struct session *session, struct slice mechanism,
                                struct slice response)
{
    bool has_response = response.len > 0;
    if (slice_equal_nocase(mechanism, SLICE("PLAIN")))
        return has_response
                   ? session_hear_plain(session, response)
                   : ask(session, SLICE("334 \r\n"), SESSION_STATE_PLAIN);
    if (slice_equal_nocase(mechanism, SLICE("LOGIN")))
        return has_response ? session_hear_user(session, response)
                            : ask(session, SLICE(ASK_USER), SESSION_STATE_USER);
    session_say(session, SLICE("504 5.5.4 Mechanism is not available\r\n"));
    return session->state;
}

enum session_state session_auth(struct session *session, struct slice argument)
{
    size_t end = slice_find(argument, ' ');
    if (!session_may_auth(session) && session->setting.has_tls)
        session_say(session, SLICE("538 5.7.11 Start TLS first\r\n"));
    else if (!session_may_auth(session))
        session_say(session, SLICE("503 5.5.1 AUTH is not available\r\n"));
    else if (session->is_authenticated)
        session_say(session, SLICE("503 5.5.1 Already authenticated\r\n"));
    else if (argument.len == 0)
        session_say(session, SLICE("501 5.5.4 Say AUTH PLAIN or LOGIN\r\n"));
    else
        return begin(session, slice_head(argument, end),
                     slice_trim(slice_from(argument, end)));
    return session->state;
}

enum session_state session_end_auth(struct session *session,
                                    enum session_answer answer)
{
    const struct conf_account *account = conf_account(
        session->setting.conf, credentials_user(&session->credentials));
    credentials_wipe(&session->credentials);
    if (answer == SESSION_LET_IN && account) {
        session->account = account;
        session->is_authenticated = true;
        session_say(session, SLICE("235 2.7.0 Authentication succeeded\r\n"));
    } else if (answer == SESSION_NOT_NOW) {
        session_say(session, SLICE("454 4.7.0 Cannot authenticate now\r\n"));
    } else {
        session_say(session, SLICE("535 5.7.8 Credentials are invalid\r\n"));
    }
    return SESSION_STATE_READY;
}
