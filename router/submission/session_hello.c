/* session_hello.c - who is there: EHLO, HELO, STARTTLS. */
#include "common/base/chars.h"
#include "router/submission/session_parts.h"

static void keep_hello(struct session *session, struct slice name)
{
    const struct slice marks = SLICE("._:[]");
    name = slice_head(name, SUBMISSION_HELLO_MAX);
    for (size_t i = 0; i < name.len; i++) {
        const char byte = name.ptr[i];
        bool is_plain =
            char_is(byte, CHAR_LDH) || slice_find(marks, byte) < marks.len;
        session->hello[i] = '?';
        if (is_plain)
            session->hello[i] = byte;
    }
    session->hello[name.len] = '\0';
}

/* Any name will do: clients say what they like, and it is only logged. */
static enum session_state hello(struct session *session, struct slice name,
                                bool is_esmtp)
{
    if (name.len == 0) {
        session_say(session, SLICE("501 5.5.4 Say your name\r\n"));
        return session->state;
    }
    session_forget_transaction(session);
    keep_hello(session, name);
    session->is_esmtp = is_esmtp;
    return SESSION_STATE_READY;
}

enum session_state session_ehlo(struct session *session, struct slice name)
{
    enum session_state next = hello(session, name, true);
    if (name.len == 0)
        return next;
    (void)buf_addf(session->out,
                   "250-%s\r\n250-PIPELINING\r\n250-SIZE %llu\r\n",
                   session->setting.conf->host_name,
                   (unsigned long long)session_message_max(session));
    if (session->setting.has_tls && !session->tls)
        (void)buf_add(session->out, SLICE("250-STARTTLS\r\n"));
    if (session_may_auth(session))
        (void)buf_add(session->out, SLICE("250-AUTH PLAIN LOGIN\r\n"));
    (void)buf_add(session->out, SLICE("250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN"
                                      "\r\n250 ENHANCEDSTATUSCODES\r\n"));
    return next;
}

enum session_state session_helo(struct session *session, struct slice name)
{
    enum session_state next = hello(session, name, false);
    if (name.len > 0)
        (void)buf_addf(session->out, "250 %s\r\n",
                       session->setting.conf->host_name);
    return next;
}

enum session_state session_starttls(struct session *session,
                                    struct slice argument)
{
    if (session->tls || !session->setting.has_tls) {
        session_say(session, SLICE("503 5.5.1 STARTTLS is not available\r\n"));
        return session->state;
    }
    if (argument.len > 0) {
        session_say(session, SLICE("501 5.5.4 STARTTLS takes nothing\r\n"));
        return session->state;
    }
    session_say(session, SLICE("220 2.0.0 Go ahead\r\n"));
    return SESSION_STATE_TURNING;
}
