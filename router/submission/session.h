/*
 * session.h - one SMTP submission session, without the socket.
 *
 * An engine that hears bytes and says replies. It does no I/O and reads no
 * clock: a connection, the scenario tests and the fuzzer all drive this code.
 * Feed it what came in; it takes what it can use, appends its replies, and says
 * what it wants next. RFC 5321, 6409 (submission), 4954 (AUTH), 3207
 * (STARTTLS), 2920 (pipelining), 1870 (SIZE), 3461 (DSN), 6531 (SMTPUTF8).
 *
 *   HELLO --EHLO--> READY --MAIL--> SENDER --RCPT--> RECIPIENTS --DATA--> TEXT
 *     ^              | ^ ^             |  RSET, EHLO   |                    |
 *     |              | | '-------------+---------------'      CRLF.CRLF     |
 *     |   STARTTLS   | '------- session_stored() -------- STORING <--------'
 *     '--- TURNING <-+                                        (or refused)
 *                    '--AUTH--> PLAIN, USER, PASSWORD --> CHECKING --> READY
 *
 *   any --QUIT, 421--> CLOSING
 *
 *   HELLO       nothing is known of the client
 *   READY       there is no transaction
 *   SENDER      MAIL was taken, no recipient yet
 *   RECIPIENTS  at least one recipient was taken
 *   TEXT        354 was said; only CRLF.CRLF ends the text
 *   STORING     a whole message waits to be taken by session_message()
 *   CHECKING    credentials() wait to be checked
 *   TURNING     220 was said, TLS is to be started; clear input was dropped
 *   CLOSING     the last word was said; nothing more is heard
 *
 * Who is not logged in may send reports of abuse to the listener's addresses
 * for them, and nothing else: TEXT ends in READY then.
 *
 * Limits and who may do what come from the config that the session was given;
 * a command that is refused changes nothing. README.md has all replies.
 */
#ifndef ROUTER_SUBMISSION_SESSION_H
#define ROUTER_SUBMISSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "config/conf.h"
#include "router/message.h"
#include "router/routing/policy.h"
#include "router/submission/credentials.h"

struct session;
struct templates;

/* What the session cannot know by itself. */
struct session_host {
    /* Whether a message of `size` bytes would be welcome now. */
    bool (*accepts)(void *context, uint64_t size);
    /* Whether the memory of this session's text may go from `from` to another
     * number of bytes, `to`; less is always allowed. 0 is all that is not worth
     * counting. NULL: it always may. */
    bool (*resizes)(void *context, uint64_t from, uint64_t to);
    /* What is known of templates, and the clock that they go by. NULL: nothing
     * is; no template has a budget then. */
    struct templates *templates;
    uint64_t (*utc_ms)(void *context);
    /* Takes a report of abuse: RC_OK; RC_SYNTAX: it is none; RC_NONE: it is not
     * about mail of ours; RC_LIMIT: not now. NULL: no report is taken. */
    enum rc (*reports)(void *context, const struct conf *conf,
                       struct slice report);
    /* Hears the code of each refusal (4yz, 5yz) as it is said. May be NULL. */
    void (*refused)(void *context, uint16_t code);
    void *context;
};

/* Under which config it runs; borrowed. */
struct session_setting {
    const struct conf *conf;
    const struct policy *policy;          /* of that conf */
    struct sketcher *sketcher;            /* of the thread */
    const struct conf_listener *listener; /* of that conf */
    bool has_tls;                         /* STARTTLS can be offered */
};

struct session_client {
    const char *ip; /* text without brackets; copied */
    bool is_ipv6;
};

enum session_want {
    SESSION_READ,      /* more input */
    SESSION_DRAIN,     /* the output to be sent, then session_feed() again */
    SESSION_START_TLS, /* the output sent, then TLS, then session_secured() */
    SESSION_CHECK,     /* session_credentials() checked, session_checked() */
    SESSION_PUT,       /* session_message() stored, then session_stored() */
    SESSION_CLOSE,     /* the output sent and the connection closed */
};

/* What became of credentials. */
enum session_answer {
    SESSION_LET_IN,
    SESSION_KEPT_OUT, /* they are wrong */
    SESSION_NOT_NOW,  /* they could not be checked */
};

/* `host` must outlive the session, the setting's parts until it is freed or
 * session_adopt() has given it others. */
struct session *session_new(const struct session_setting *setting,
                            const struct session_host *host,
                            const struct session_client *client,
                            uint64_t now_ms) must_check;
void session_free(struct session **session);

/* Says the greeting; for TLS from the first byte after session_secured(). */
void session_greet(struct session *session, struct buf *out);

/* False until session_greet(). */
bool session_is_greeted(const struct session *session);

/* Takes what it can from `in`, appends replies to `out` (which must have room
 * for SUBMISSION_OUT_MAX in all), returns what it wants next. While it wants
 * something else than to read nothing is taken. */
enum session_want session_feed(struct session *session, struct buf *in,
                               struct buf *out, uint64_t now_ms) must_check;

/* TLS is up. Forgets all that was said in clear. The texts must live as long
 * as the session. */
void session_secured(struct session *session, const char *version,
                     const char *cipher, uint64_t now_ms);

/* The answers to SESSION_CHECK and SESSION_PUT; then feed it again. */
const struct credentials *session_credentials(const struct session *session);
void session_checked(struct session *session, enum session_answer answer,
                     struct buf *out, uint64_t now_ms);

/* The message that is to be stored; the caller's. NULL when its envelope is too
 * large, which is answered by session_stored(RC_LIMIT). */
struct message *session_message(const struct session *session, uint64_t id,
                                uint64_t now_utc_ms) must_check;
void session_stored(struct session *session, enum rc rc, uint64_t id,
                    struct buf *out, uint64_t now_ms);

/* Recipients of the message that waits to be stored. */
size_t session_recipient_count(const struct session *session);

/* When session_time_out() is due; UINT64_MAX while others are to act. It may
 * move with every call, in both directions. */
uint64_t session_deadline_ms(const struct session *session);
void session_time_out(struct session *session, struct buf *out);

/* Says 421 at once when there is no transaction, else at its end. */
void session_drain(struct session *session, struct buf *out);

/* True between transactions, when session_adopt() is allowed. */
bool session_is_idle(const struct session *session);

/* Goes on under another config. An account that is not in it any more is
 * logged out. */
void session_adopt(struct session *session,
                   const struct session_setting *setting);

#endif
