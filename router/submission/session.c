/* session.c - one SMTP submission session: lines, states, commands. */
#include "router/submission/session_parts.h"

#include <stdio.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/proto/message_id.h"

#define IN(state)   (1u << SESSION_STATE_##state)
#define IN_COMMANDS (IN(HELLO) | IN(READY) | IN(SENDER) | IN(RECIPIENTS))

void session_give_up(struct session *session, struct slice reply)
{
    (void)buf_add(session->out, reply);
    session->is_worn_out = true;
    if (session->host->refused)
        session->host->refused(session->host->context, 421);
}

void session_say(struct session *session, struct slice reply)
{
    bool is_refusal = reply.ptr[0] == '4' || reply.ptr[0] == '5';
    if (reply.ptr[0] == '5'
        && ++session->errors > session->setting.listener->max_errors) {
        session_give_up(session, SLICE("421 4.7.0 Too many errors\r\n"));
        return;
    }
    (void)buf_add(session->out, reply);
    uint64_t code;
    if (is_refusal && session->host->refused
        && slice_number(slice_head(reply, 3), 599, &code))
        session->host->refused(session->host->context, (uint16_t)code);
}

void session_refuse(struct session *session, uint16_t code,
                    struct enhanced enhanced, const char *text)
{
    char reply[512]; /* RFC 5321 section 4.5.3.1.5 */
    int len = snprintf(reply, sizeof reply, "%u %u.%u.%u %s\r\n", code,
                       enhanced.class, enhanced.subject, enhanced.detail, text);
    CHECK(len > 0 && (size_t)len < sizeof reply);
    /* Few clients take more than ASCII in a reply (section 4.2). */
    for (int i = 0; i < len; i++)
        if ((unsigned char)reply[i] > 127)
            reply[i] = '?';
    session_say(session, slice_of(reply, (size_t)len));
}

static enum session_state hear_rset(struct session *session,
                                    struct slice argument)
{
    (void)argument;
    session_forget_transaction(session);
    session_say(session, SLICE("250 2.0.0 Ok\r\n"));
    return session->state == SESSION_STATE_HELLO ? SESSION_STATE_HELLO
                                                 : SESSION_STATE_READY;
}

static enum session_state hear_noop(struct session *session,
                                    struct slice argument)
{
    (void)argument;
    session_say(session, SLICE("250 2.0.0 Ok\r\n"));
    return session->state;
}

static enum session_state hear_help(struct session *session,
                                    struct slice argument)
{
    (void)argument;
    session_say(session, SLICE("214 2.0.0 RFC 5321 and RFC 6409 help\r\n"));
    return session->state;
}

static enum session_state hear_quit(struct session *session,
                                    struct slice argument)
{
    (void)argument;
    session_say(session, SLICE("221 2.0.0 Bye\r\n"));
    return SESSION_STATE_CLOSING;
}

static enum session_state not_offered(struct session *session,
                                      struct slice argument)
{
    (void)argument;
    session_say(session, SLICE("502 5.5.1 Command not offered\r\n"));
    return session->state;
}

static enum session_state unknown(struct session *session,
                                  struct slice argument)
{
    (void)argument;
    session_say(session, SLICE("500 5.5.2 Command not recognized\r\n"));
    return session->state;
}

/* clang-format off */
static const struct {
    unsigned states;      /* where it is in order */
    bool brings_mail;     /* the others count as idle */
    session_verb_fn *hear;
} verbs[] = {
    [COMMAND_UNKNOWN]  = { IN_COMMANDS,                  false, unknown       },
    [COMMAND_EHLO]     = { IN_COMMANDS,                  false, session_ehlo     },
    [COMMAND_HELO]     = { IN_COMMANDS,                  false, session_helo     },
    [COMMAND_LHLO]     = { IN_COMMANDS,                  false, not_offered   },
    [COMMAND_STARTTLS] = { IN(READY),                    false, session_starttls },
    [COMMAND_AUTH]     = { IN(READY),                    false, session_auth    },
    [COMMAND_MAIL]     = { IN(READY),                    true,  session_mail  },
    [COMMAND_RCPT]     = { IN(SENDER) | IN(RECIPIENTS),  true,  session_rcpt  },
    [COMMAND_DATA]     = { IN(SENDER) | IN(RECIPIENTS),  true,  session_data  },
    [COMMAND_BDAT]     = { IN_COMMANDS,                  false, not_offered   },
    [COMMAND_RSET]     = { IN_COMMANDS,                  false, hear_rset     },
    [COMMAND_NOOP]     = { IN_COMMANDS,                  false, hear_noop     },
    [COMMAND_QUIT]     = { IN_COMMANDS,                  false, hear_quit     },
    [COMMAND_VRFY]     = { IN_COMMANDS,                  false, not_offered   },
    [COMMAND_EXPN]     = { IN_COMMANDS,                  false, not_offered   },
    [COMMAND_ETRN]     = { IN_COMMANDS,                  false, not_offered   },
    [COMMAND_HELP]     = { IN_COMMANDS,                  false, hear_help     },
};
/* clang-format on */

static const struct slice too_long = { "500 5.5.2 Line too long\r\n", 25 };

static enum session_state hear_command(struct session *session,
                                       struct slice line)
{
    struct command command;
    command_read(line, &command);
    if (line.len > SUBMISSION_LINE_MAX && command.verb != COMMAND_AUTH) {
        session_say(session, too_long);
        return session->state;
    }
    if (!verbs[command.verb].brings_mail
        && ++session->idle_commands > SUBMISSION_IDLE_COMMANDS_MAX) {
        session_give_up(session, SLICE("421 4.7.0 Too many commands that bring "
                                       "no mail\r\n"));
        return SESSION_STATE_CLOSING;
    }
    if (!(verbs[command.verb].states & 1u << session->state)) {
        session_say(session, SLICE("503 5.5.1 Bad sequence of commands\r\n"));
        return session->state;
    }
    return verbs[command.verb].hear(session, command.argument);
}

enum wait { WAIT_COMMAND, WAIT_TEXT, WAIT_OTHERS };

/* clang-format off */
static const struct {
    session_verb_fn *hear_line; /* NULL: what comes is no line */
    enum wait wait;
    enum session_want want;
} steps[] = {
    [SESSION_STATE_HELLO]      = { hear_command,          WAIT_COMMAND, SESSION_READ      },
    [SESSION_STATE_READY]      = { hear_command,          WAIT_COMMAND, SESSION_READ      },
    [SESSION_STATE_SENDER]     = { hear_command,          WAIT_COMMAND, SESSION_READ      },
    [SESSION_STATE_RECIPIENTS] = { hear_command,          WAIT_COMMAND, SESSION_READ      },
    [SESSION_STATE_TEXT]       = { NULL,                  WAIT_TEXT,    SESSION_READ      },
    [SESSION_STATE_STORING]    = { NULL,                  WAIT_OTHERS,  SESSION_PUT       },
    [SESSION_STATE_PLAIN]      = { session_hear_plain,    WAIT_COMMAND, SESSION_READ      },
    [SESSION_STATE_USER]       = { session_hear_user,     WAIT_COMMAND, SESSION_READ      },
    [SESSION_STATE_PASSWORD]   = { session_hear_password, WAIT_COMMAND, SESSION_READ      },
    [SESSION_STATE_CHECKING]   = { NULL,                  WAIT_OTHERS,  SESSION_CHECK     },
    [SESSION_STATE_TURNING]    = { NULL,                  WAIT_COMMAND, SESSION_START_TLS },
    [SESSION_STATE_CLOSING]    = { NULL,                  WAIT_OTHERS,  SESSION_CLOSE     },
};
/* clang-format on */

/* The only way to another state. */
static void move(struct session *session, enum session_state next)
{
    CHECK(session->state != SESSION_STATE_CLOSING
          || next == SESSION_STATE_CLOSING);
    if (session->is_worn_out)
        next = SESSION_STATE_CLOSING;
    session->state = next;
}

bool session_is_idle(const struct session *session)
{
    return session->state == SESSION_STATE_HELLO
           || session->state == SESSION_STATE_READY;
}

/* Takes a line with its CRLF off `in`. RC_MORE: it is not whole yet. RC_LIMIT:
 * it was too long for any command; it is skipped to its end. */
static enum rc take_line(struct session *session, struct buf *in,
                         struct slice *line)
{
    struct slice bytes = buf_slice(in);
    size_t at = session->scanned;
    while ((at += slice_find(slice_from(bytes, at), '\n')) < bytes.len) {
        if (at > 0 && bytes.ptr[at - 1] == '\r')
            break;
        at++;
    }
    bool is_whole = at < bytes.len;
    /* A CR at the end may be half of the end of the line. */
    bool ends_in_cr = !is_whole && bytes.ptr[bytes.len - 1] == '\r';
    size_t len = is_whole ? at - 1 : bytes.len - ends_in_cr;
    bool is_too_long = session->is_skipping || len > SUBMISSION_AUTH_LINE_MAX;
    session->scanned = is_whole ? 0 : bytes.len;
    if (is_whole) {
        *line = slice_head(bytes, len);
        session->is_skipping = false;
        return is_too_long ? RC_LIMIT : RC_OK;
    }
    if (is_too_long) {
        buf_take(in, len);
        session->is_skipping = true;
        session->scanned = ends_in_cr;
    }
    return RC_MORE;
}

/* False: more input is needed. */
static bool hear_line(struct session *session, struct buf *in)
{
    struct slice line;
    size_t before = in->len;
    enum rc rc = take_line(session, in, &line);
    if (rc == RC_MORE)
        return false;
    session->heard_ms = session->now_ms;
    enum session_state next = session->state;
    if (rc == RC_OK) {
        next = steps[session->state].hear_line(session, line);
        buf_take(in, line.len + 2);
    } else {
        session_say(session, too_long);
        buf_take(in, line.len + 2);
        if (!(IN_COMMANDS & 1u << session->state))
            next = SESSION_STATE_READY; /* an AUTH exchange ends */
    }
    CHECK(in->len < before);
    move(session, next);
    return true;
}

static bool hear(struct session *session, struct buf *in)
{
    if (in->len == 0)
        return false;
    if (steps[session->state].hear_line)
        return hear_line(session, in);
    move(session, session_hear_text(session, in));
    return true;
}

static void leave(struct session *session)
{
    session_give_up(session, SLICE("421 4.3.2 Service is shutting down\r\n"));
    move(session, SESSION_STATE_CLOSING);
}

enum session_want session_feed(struct session *session, struct buf *in,
                               struct buf *out, uint64_t now_ms)
{
    session->out = out;
    session->now_ms = now_ms;
    while (steps[session->state].want == SESSION_READ) {
        if (session->is_draining && session_is_idle(session))
            leave(session);
        else if (out->len > SUBMISSION_OUT_HIGH)
            return SESSION_DRAIN;
        else if (!hear(session, in))
            return SESSION_READ;
    }
    enum session_want want = steps[session->state].want;
    if (want == SESSION_START_TLS || want == SESSION_CLOSE)
        buf_clear(in); /* RFC 3207 section 4.2 */
    return want;
}

void session_greet(struct session *session, struct buf *out)
{
    (void)buf_addf(out, "220 %s ESMTP\r\n", session->setting.conf->host_name);
    session->is_greeted = true;
}

bool session_is_greeted(const struct session *session)
{
    return session->is_greeted;
}

/* Mail without AUTH is the listener's account's, where it names one. */
static const struct conf_account *account_of(
    const struct session_setting *setting)
{
    const struct conf_listener *listener = setting->listener;
    return listener->require_auth || !listener->account
               ? NULL
               : conf_account(setting->conf, slice_text(listener->account));
}

struct session *session_new(const struct session_setting *setting,
                            const struct session_host *host,
                            const struct session_client *client,
                            uint64_t now_ms)
{
    struct session *session = NEW(struct session);
    session->host = host;
    session->setting = *setting;
    session->account = account_of(setting);
    session->is_client_ipv6 = client->is_ipv6;
    session->opened_ms = now_ms;
    session->now_ms = now_ms;
    session->heard_ms = now_ms;
    (void)snprintf(session->client_ip, sizeof session->client_ip, "%s",
                   client->ip);
    arena_init(&session->transaction.arena, SUBMISSION_ENVELOPE_BYTES_MAX);
    buf_init(&session->transaction.text, 0);
    return session;
}

void session_free(struct session **session)
{
    struct session *held = steal(*session);
    if (!held)
        return;
    session_forget_transaction(held);
    arena_release(&held->transaction.arena);
    buf_release(&held->transaction.text);
    mem_free(held->transaction.recipients);
    credentials_wipe(&held->credentials);
    mem_free(held);
}

void session_secured(struct session *session, const char *version,
                     const char *cipher, uint64_t now_ms)
{
    session->tls = version;
    session->cipher = cipher;
    session->heard_ms = now_ms;
    session->is_authenticated = false;
    session->account = account_of(&session->setting);
    session->scanned = 0;
    session_forget_transaction(session);
    move(session, SESSION_STATE_HELLO);
}

const struct credentials *session_credentials(const struct session *session)
{
    return &session->credentials;
}

void session_checked(struct session *session, enum session_answer answer,
                     struct buf *out, uint64_t now_ms)
{
    CHECK(session->state == SESSION_STATE_CHECKING);
    session->out = out;
    session->heard_ms = now_ms;
    move(session, session_end_auth(session, answer));
}

void session_stored(struct session *session, enum rc rc, uint64_t id,
                    struct buf *out, uint64_t now_ms)
{
    char text[ID_TEXT_SIZE];
    CHECK(session->state == SESSION_STATE_STORING);
    session->out = out;
    session->heard_ms = now_ms;
    if (rc == RC_OK) {
        session->messages++;
        session->idle_commands = 0;
        (void)buf_addf(out, "250 2.0.0 Ok: queued as %s\r\n",
                       id_format(id, text));
    } else if (rc == RC_LIMIT) {
        session_say(session,
                    SLICE("452 4.3.1 No room for the message now\r\n"));
    } else {
        session_say(session, SLICE("451 4.3.0 Cannot store the message\r\n"));
    }
    session_forget_transaction(session);
    move(session, SESSION_STATE_READY);
}

static uint64_t text_deadline_ms(const struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    uint64_t wait_ms = session->setting.listener->data_timeout_ms;
    uint64_t silent = session->heard_ms + wait_ms;
    uint64_t slow = transaction->text_began_ms + wait_ms
                    + transaction->decoder.findings.bytes * 1000u
                          / SUBMISSION_DATA_RATE_MIN;
    return silent < slow ? silent : slow;
}

uint64_t session_deadline_ms(const struct session *session)
{
    const struct conf_listener *listener = session->setting.listener;
    uint64_t due = UINT64_MAX;
    switch (steps[session->state].wait) {
    case WAIT_COMMAND:
        due = session->heard_ms + listener->command_timeout_ms;
        break;
    case WAIT_TEXT:
        due = text_deadline_ms(session);
        break;
    case WAIT_OTHERS:
        return UINT64_MAX;
    }
    uint64_t total = session->opened_ms + listener->session_timeout_ms;
    return session->account || due < total ? due : total;
}

void session_time_out(struct session *session, struct buf *out)
{
    session->out = out;
    session_give_up(session, SLICE("421 4.4.2 You took too long\r\n"));
    move(session, SESSION_STATE_CLOSING);
}

void session_drain(struct session *session, struct buf *out)
{
    session->out = out;
    session->is_draining = true;
    if (session_is_idle(session))
        leave(session);
}
void session_adopt(struct session *session,
                   const struct session_setting *setting)
{
    CHECK(session_is_idle(session));
    const struct conf_account *account = account_of(setting);
    if (session->is_authenticated)
        account =
            conf_account(setting->conf, slice_text(session->account->name));
    session->is_authenticated = session->is_authenticated && account;
    session->account = account;
    session->setting = *setting;
}
