/*
 * dialog.h - our half of one SMTP connection to a receiver, without the socket.
 *
 * A dialog turns what the server says into what we say next. It does no I/O,
 * reads no clock and allocates nothing: connections, tests and the fuzzer all
 * drive this code. One connection carries any number of transactions, one after
 * the other, or with PIPELINING and CHUNKING one behind the other: the next is
 * said when the text of the last one is, and its outcome still to come.
 *
 *     GREETING -> EHLO -> [HELO] -> [STARTTLS -> HANDSHAKE -> EHLO]
 *         -> READY -> ENVELOPE -> BODY -> READY | ENVELOPE ...   -> QUIT
 *                        `------' `-> RSET -> READY              -> GONE
 *
 * What holds in each state:
 *   GREETING   nothing was said; the server speaks first
 *   EHLO HELO  our greeting was said and its reply is awaited
 *   STARTTLS   said; nothing else is until its reply
 *   HANDSHAKE  the driver shakes hands, then calls dialog_tls_done()
 *   READY      no transaction; one may begin
 *   ENVELOPE   of the oldest transaction: replies to MAIL, RCPT..., DATA are
 *              awaited; what is said meanwhile is transaction.h's to tell
 *   BODY       of the oldest: its text is being said, then its reply is awaited
 *   RSET       a transaction was given up; its reply is awaited
 *   QUIT       said; nothing more is expected
 *   GONE       the connection is of no use any more; `why` says the reason
 *
 * Input is limited by reply.h; a reply that no command waits for, a reply that
 * is none, and a 421 anywhere end the connection, and with it all transactions:
 * each is told what is true of it. One whose MAIL found a used connection closed
 * by the server, or that waited behind another, was not started: no attempt was
 * made; unless all of it was said, for then it may have been delivered.
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
#include "common/proto/verdict.h"
#include "workers/smtp/transaction.h"

/* Transactions that may be under way at once. More would carry more in a round
 * trip; but all of them are in doubt when the connection is lost, and mail that
 * is urgent waits behind them. */
#define DIALOG_TRANSACTIONS_MAX 8u

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
    bool chunking;             /* BDAT where the server offers it */
    uint32_t transactions_max; /* under way at once; 0 is as 1 */
    struct dialog_waits waits;
};

struct dialog {
    const struct dialog_options *options;
    enum dialog_state state; /* written by dialog.c's enter() alone */
    bool is_tls;
    bool is_used;     /* a transaction has ended on this connection */
    struct ehlo peer; /* what the server offers; its slices are stale */
    /* Under way, the oldest first: its replies come next. All but the last are
     * wholly said. */
    struct transaction *transactions[DIALOG_TRANSACTIONS_MAX];
    uint32_t transaction_count;
    struct verdict why; /* in GONE: what ended it */
};

void dialog_init(struct dialog *dialog, const struct dialog_options *options);

/* Takes all whole replies off `in` and appends what we say to `out`. Returns
 * the new state. Stops early at HANDSHAKE: what came behind the reply to
 * STARTTLS was said by nobody we trust, and is the driver's to drop. */
enum dialog_state dialog_hear(struct dialog *dialog, struct buf *in,
                              struct buf *out);

/* Says what may be said now of the transactions under way, while `out` is below
 * `out_target` bytes. Call it when `out` has drained. */
void dialog_say(struct dialog *dialog, struct buf *out, size_t out_target);

/* In HANDSHAKE: TLS is up; says EHLO again. */
enum dialog_state dialog_tls_done(struct dialog *dialog, struct buf *out);

/* Whether a transaction may begin behind those under way. */
bool dialog_can_follow(const struct dialog *dialog);

/* In READY, or when one can follow: begins a transaction. When the server cannot
 * take it at all (too large, 8-bit, SMTPUTF8) it is over at once, and nothing is
 * said. */
enum dialog_state dialog_begin(struct dialog *dialog,
                               struct transaction *transaction,
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
