/*
 * transaction.h - one message on its way through a dialog: what is said for it,
 * and what the replies to that mean.
 *
 *     [RSET] MAIL RCPT... DATA, text, "."         RFC 5321 section 3.3
 *     [RSET] MAIL RCPT... BDAT n LAST text        RFC 3030 section 2
 *
 * Each of these is a step with a reply of its own. `said` runs ahead of `heard`:
 * with PIPELINING (RFC 2920) all steps up to DATA are said at once. BDAT need
 * not be the last command of a group: a text of up to TRANSACTION_BLIND_BYTES
 * follows its envelope without waiting for an answer, and the next transaction
 * follows the text. A larger text is said when a recipient was taken.
 *
 * A transaction that is said before the outcome of the one before is known
 * begins with RSET: had that one been refused in part, its sender might still
 * stand, and the recipients of this one would be added to it.
 *
 * BDAT promises n bytes, which then must come: when the server refuses them
 * before they are all said, that is the message's answer, and the connection is
 * of no more use. The text is the same as by DATA, with the CRLF at the end that
 * a body may lack; BINARYMIME is not used.
 *
 * Does no I/O, reads no clock, allocates nothing. For dialog.c.
 */
#ifndef WORKERS_SMTP_TRANSACTION_H
#define WORKERS_SMTP_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/slice.h"
#include "common/proto/ehlo.h"
#include "common/proto/linewise.h"
#include "common/proto/reply.h"
#include "common/proto/verdict.h"
#include "common/proto/wire.h"

/* The longest text that is said before any recipient is known to be taken. */
#define TRANSACTION_BLIND_BYTES 65536u

/* The caller fills the upper part; it and all it points to must stay until the
 * transaction is over. */
struct transaction {
    const struct wire_job *envelope;
    struct slice body;
    struct verdict *outcomes; /* one per recipient, in the envelope's order */
    bool is_probe; /* the connection has lain idle: the text waits for the
                    * reply to MAIL, which tells that the server is there */

    /* Told once, before the last byte is said: until a reply comes the message
     * may have been delivered to those whose outcome is a delivery by now. NULL:
     * nobody wants to know. */
    void (*on_commit)(struct transaction *transaction);
    void *owner; /* for on_commit: the caller's */

    /* What came of it. */
    bool is_over;    /* the rest below is final */
    bool is_started; /* false: the connection was gone before MAIL arrived;
                      * the outcomes say why, and need not be told */
    bool in_doubt;   /* the last byte was said and no reply that makes sense
                      * came: the message may have been delivered */
    bool ends_dsn;   /* the server does not offer DSN, so that NOTIFY, RET,
                      * ENVID and ORCPT were not said */

    /* How far it is; transaction.c's alone. */
    bool is_chunked;   /* BDAT, not DATA */
    bool is_refused;   /* its MAIL was */
    bool is_committed; /* on_commit was told */
    bool end_is_said;
    uint32_t said;    /* steps said */
    uint32_t heard;   /* steps of these answered */
    uint32_t taken;   /* recipients that the server accepted */
    size_t text_said; /* bytes of the body said */
    struct linewise_encoder encoder;
};

/* Which reply comes next, or what has to be said before. */
enum transaction_stage {
    TRANSACTION_RSET,
    TRANSACTION_MAIL,
    TRANSACTION_RCPT,
    TRANSACTION_DATA,
    TRANSACTION_TEXT, /* is being said */
    TRANSACTION_END,  /* the reply to the dot, or to BDAT */
};

/* What a reply does. */
enum transaction_turn {
    TRANSACTION_GOES_ON,
    TRANSACTION_IS_OVER,
    TRANSACTION_IS_LEFT_OPEN, /* over; the server may hold a rest: RSET */
    TRANSACTION_ENDS_ALL,     /* the connection cannot go on after it */
    TRANSACTION_IS_BROKEN,    /* likewise: the reply makes no sense here */
};

/* Begins it; nothing is said yet. `is_behind`: another one is under way. */
void transaction_begin(struct transaction *transaction, bool is_chunked,
                       bool is_behind);

/* Says all that may be said now, while `out` is below `out_target` bytes. */
void transaction_say(struct transaction *transaction, const struct ehlo *peer,
                     struct buf *out, size_t out_target);

/* Whether something was said that has no reply. */
bool transaction_awaits(const struct transaction *transaction);

/* Only when it awaits one. */
enum transaction_turn transaction_hear(struct transaction *transaction,
                                       const struct reply *reply) must_check;

/* The connection has ended: gives all who have no answer that of the connection.
 * `is_farewell`: the server said so in a reply, and does no more. `is_news`: it
 * was a fresh connection, so that its end is a finding even if nothing of this
 * transaction was answered. */
void transaction_lose(struct transaction *transaction,
                      const struct verdict *why, bool is_farewell,
                      bool is_news);

enum transaction_stage transaction_stage(const struct transaction *transaction);

/* All recipients get the verdict, and it is over. */
void transaction_refuse(struct transaction *transaction,
                        const struct verdict *verdict);

#endif
