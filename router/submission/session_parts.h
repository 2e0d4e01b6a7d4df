/*
 * session_parts.h - the inside of a session, for session*.c alone.
 */
#ifndef ROUTER_SUBMISSION_SESSION_PARTS_H
#define ROUTER_SUBMISSION_SESSION_PARTS_H

#include "common/base/arena.h"
#include "common/proto/command.h"
#include "common/proto/header.h"
#include "common/proto/linewise.h"
#include "router/submission/acceptance.h"
#include "router/submission/limits.h"
#include "router/submission/session.h"

#define SESSION_IP_SIZE 64

enum session_state {
    SESSION_STATE_HELLO,
    SESSION_STATE_READY,
    SESSION_STATE_SENDER,
    SESSION_STATE_RECIPIENTS,
    SESSION_STATE_TEXT,
    SESSION_STATE_STORING,
    SESSION_STATE_PLAIN,    /* the PLAIN message comes next */
    SESSION_STATE_USER,     /* the name of LOGIN comes next */
    SESSION_STATE_PASSWORD, /* the password of LOGIN comes next */
    SESSION_STATE_CHECKING,
    SESSION_STATE_TURNING,
    SESSION_STATE_CLOSING,
};

/* From MAIL to the end of the message. */
struct transaction {
    struct arena arena; /* texts of the envelope */
    struct slice mail_from;
    struct slice envid;
    uint8_t ret;
    bool asks_utf8;                   /* the client said SMTPUTF8 */
    bool needs_utf8;                  /* an address has bytes over 127 */
    const struct conf_stream *tagged; /* by every recipient; NULL: by none */
    struct envelope_recipient *recipients;
    size_t recipient_count;
    size_t recipient_room;
    struct linewise_decoder decoder;
    struct buf text; /* the message as it came, dots un-stuffed */
    uint64_t text_began_ms;
    uint64_t paid_bytes;       /* of text's memory, see session_pay() */
    bool is_dropped;           /* there was no memory left for text */
    struct header_split split; /* of text, once it is whole */
    struct acceptance acceptance;
};

struct session {
    enum session_state state; /* written by session.c:move() alone */
    const struct session_host *host;
    struct session_setting setting;
    const struct conf_account *account; /* NULL: not let in */
    bool is_authenticated;              /* by AUTH, not by the listener */
    bool is_greeted;
    bool is_esmtp;
    bool is_draining;
    bool is_worn_out; /* it has said 421 and must close */
    bool is_skipping; /* the rest of a line that was too long */
    char hello[SUBMISSION_HELLO_MAX + 1];
    char client_ip[SESSION_IP_SIZE];
    bool is_client_ipv6;
    const char *tls; /* version; NULL: in clear */
    const char *cipher;
    uint32_t errors;
    uint32_t idle_commands;
    uint32_t messages;
    uint64_t opened_ms;
    uint64_t now_ms;   /* of the call that runs */
    uint64_t heard_ms; /* when the last command, or text, came */
    size_t scanned;    /* bytes of input known to hold no line end */
    struct buf *out;   /* of the call that runs */
    struct credentials credentials;
    struct transaction transaction;
};

/* Says one reply, given with its CRLF. One that begins with 5 counts as an
 * error; after the last one that is allowed 421 is said instead. */
void session_say(struct session *session, struct slice reply);

/* The same from parts; `text` must be safe to print. What is not ASCII in it is
 * said as "?". */
void session_refuse(struct session *session, uint16_t code,
                    struct enhanced enhanced, const char *text);

/* Says a 421 and wears the session out. */
void session_give_up(struct session *session, struct slice reply);

/* Handlers of commands get the argument and return the state that follows;
 * the session's own state when the command was refused. */
typedef enum session_state session_verb_fn(struct session *session,
                                           struct slice argument);

/* session_hello.c */
session_verb_fn session_ehlo;
session_verb_fn session_helo;
session_verb_fn session_starttls;

/* session_auth.c */
bool session_may_auth(const struct session *session);
session_verb_fn session_auth;
enum session_state session_end_auth(struct session *session,
                                    enum session_answer answer);
session_verb_fn session_hear_plain; /* these three hear a whole line */
session_verb_fn session_hear_user;
session_verb_fn session_hear_password;

/* session_envelope.c */
session_verb_fn session_mail;
session_verb_fn session_rcpt;
uint64_t session_message_max(const struct session *session);
void session_forget_transaction(struct session *session);

/* session_report.c */
/* Is nobody logged in, and may all the same send reports of abuse? */
bool session_takes_reports(const struct session *session);
/* Says whether the address is one for reports; the state that follows. */
enum session_state session_report_recipient(struct session *session,
                                            struct slice address);
/* Gives the whole text to the host, and says what it said. */
void session_hear_report(struct session *session);

/* session_text.c */
/* Settles with the host for a text of `bytes` in memory; up to
 * SUBMISSION_TEXT_KEEP it is the session's own. False: it may not have them,
 * and what was paid for before stays so. */
bool session_pay(struct session *session, uint64_t bytes);
session_verb_fn session_data;
/* Takes text off `in`; the state that follows. */
enum session_state session_hear_text(struct session *session, struct buf *in);

#endif
