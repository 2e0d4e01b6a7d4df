/*
 * dialog.h - our half of one SMTP connection to a receiver, without the socket.
 *
 * A dialog turns what the server says into what we say next. It does no I/O,
 * reads no clock and allocates nothing: connections, tests and the fuzzer all
 * drive this code. One connection carries any number of transactions.
 *
 *     GREETING -> EHLO -> [HELO] -> [STARTTLS -> HANDSHAKE -> EHLO]
 *         -> READY -> ENVELOPE -> BODY -> READY ...           -> QUIT
 *                        `-> RSET -> READY                    -> GONE
 *
 * What holds in each state:
 *   GREETING   nothing was said; the server speaks first
 *   EHLO HELO  our greeting was said and its reply is awaited
 *   STARTTLS   said; nothing else is until its reply
 *   HANDSHAKE  the driver shakes hands, then calls dialog_tls_done()
 *   READY      no transaction; a job may be given
 *   ENVELOPE   MAIL, RCPT..., DATA are said, all at once with PIPELINING (RFC
 *              2920) or one by one; `said` runs ahead of `heard`
 *   BODY       354 came; the text is being said, then its reply is awaited
 *   RSET       a transaction was given up; its reply is awaited
 *   QUIT       said; nothing more is expected
 *   GONE       the connection is of no use any more; `why` says the reason
 *
 * Input is limited by reply.h; a reply that no command waits for, a reply that
 * is none, and a 421 anywhere end the connection. A job whose MAIL found a used
 * connection closed by the server is told as not started: no attempt was made.
 *
 * RFC 5321: 3.3 gives the order, 4.3.2 the replies, 4.5.3.2 the waits.
 */
#ifndef WORKERS_SMTP_DIALOG_H
#define WORKERS_SMTP_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/slice.h"
#include "common/proto/ehlo.h"
#include "common/proto/linewise.h"
#include "common/proto/verdict.h"
#include "common/proto/wire.h"

enum dialog_state {
    DIALOG_GREETING,
    DIALOG_EHLO,
    DIALOG_HELO,
    DIALOG_STARTTLS,
    DIALOG_HANDSHAKE,
    DIALOG_READY,
    DIALOG_ENVELOPE,
    DIALOG_BODY,
    DIALOG_RSET,
    DIALOG_QUIT,
    DIALOG_GONE,
};

enum dialog_tls { DIALOG_TLS_OFF, DIALOG_TLS_IF_OFFERED, DIALOG_TLS_REQUIRED };

/* How long to wait for the reply to what a state said; milliseconds. */
struct dialog_waits {
    uint64_t greeting;
    uint64_t hello; /* EHLO, HELO, STARTTLS, RSET */
    uint64_t mail;
    uint64_t rcpt;
    uint64_t data;
    uint64_t data_send; /* for each stretch of the text */
    uint64_t data_end;
};

struct dialog_options {
    struct slice ehlo_name;
    enum dialog_tls tls;
    struct dialog_waits waits;
};

/* One job on its way. The caller fills the upper part; it and all it points to
 * must stay until the dialog is READY or GONE again. */
struct dialog_job {
    const struct wire_job *envelope;
    struct slice body;
    struct verdict *outcomes; /* one per recipient, in the envelope's order */

    /* What came of it. */
    bool is_started; /* false: the connection was gone before MAIL arrived;
                      * the outcomes say why, and need not be told */
    bool in_doubt;   /* the last byte was said and no reply that makes sense
                      * came: the message may have been delivered */
    bool ends_dsn;   /* the server does not offer DSN, so that NOTIFY, RET,
                      * ENVID and ORCPT were not said */
};

struct dialog {
    const struct dialog_options *options;
    enum dialog_state state; /* written by dialog.c's enter() alone */
    bool is_tls;
    bool is_used;           /* a transaction has ended on this connection */
    struct ehlo peer;       /* what the server offers; its slices are stale */
    struct dialog_job *job; /* the transaction under way, or NULL */
    uint32_t said;  /* steps of the envelope said: MAIL, RCPT..., DATA */
    uint32_t heard; /* steps of it answered, <= said */
    uint32_t taken; /* recipients that the server accepted */
    bool mail_taken;
    bool end_is_said; /* in BODY: the final dot */
    size_t body_said; /* bytes of the body said */
    struct linewise_encoder encoder;
    struct verdict why; /* in GONE: what ended it */
};

void dialog_init(struct dialog *dialog, const struct dialog_options *options);

/* Takes all whole replies off `in` and appends what we say to `out`. Returns
 * the new state. Stops early at HANDSHAKE: what came behind the reply to
 * STARTTLS was said by nobody we trust, and is the driver's to drop. */
enum dialog_state dialog_hear(struct dialog *dialog, struct buf *in,
                              struct buf *out);

/* In BODY: appends the next stretch of the text while `out` is below
 * `out_target` bytes. Call it when `out` has drained. */
void dialog_say_body(struct dialog *dialog, struct buf *out, size_t out_target);

/* In HANDSHAKE: TLS is up; says EHLO again. */
enum dialog_state dialog_tls_done(struct dialog *dialog, struct buf *out);

/* In READY: begins a job. When the server cannot take it at all (too large,
 * 8-bit, SMTPUTF8) the outcomes are filled and the state stays READY. */
enum dialog_state dialog_begin(struct dialog *dialog, struct dialog_job *job,
                               struct buf *out);

/* In READY: says QUIT. */
enum dialog_state dialog_quit(struct dialog *dialog, struct buf *out);

/* The connection is lost, or a wait is over: `why` says what to tell of the
 * recipients without an outcome. */
enum dialog_state dialog_lose(struct dialog *dialog, const struct verdict *why);

/* How long to wait from now for the server's next word; 0: for ever (READY,
 * GONE). Measured from when the state was entered or the last reply came. */
uint64_t dialog_wait_ms(const struct dialog *dialog);

/* "greeting" ...: a constant word. */
const char *dialog_state_name(enum dialog_state state);

#endif
