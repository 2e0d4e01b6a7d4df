/*
 * dialog.h - the client's half of SMTP, without the socket.
 *
 * One dialog is one connection: it turns each line of the server into our
 * next command, and carries one message after the other. It does no I/O.
 * RFC 5321, 2920 (pipelining), 3207 (STARTTLS), 4954 (AUTH PLAIN).
 *
 *   GREETING -> HELLO -> [STARTTLS -> HANDSHAKE -> HELLO] -> [AUTH] -> READY
 *   READY -> MAIL -> RCPT -> DATA -> BODY -> READY      a message taken
 *   MAIL, RCPT, DATA -> RESET -> READY                  a message refused
 *   a refusal in the first row, 421 or nonsense anywhere -> FAILED
 * With TLS from the first byte HANDSHAKE comes before GREETING.
 *
 * With pipelining MAIL, RCPT and DATA leave together, and a refusal is acted
 * upon only when all three were answered.
 */
#ifndef TESTS_TOOLS_LOAD_DIALOG_H
#define TESTS_TOOLS_LOAD_DIALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "letter.h"

enum dialog_state {
    DIALOG_GREETING,
    DIALOG_HELLO,
    DIALOG_STARTTLS,
    DIALOG_HANDSHAKE, /* the caller speaks TLS, then dialog_secured() */
    DIALOG_AUTH,
    DIALOG_READY, /* a message may begin */
    DIALOG_MAIL,
    DIALOG_RCPT,
    DIALOG_DATA,
    DIALOG_BODY,
    DIALOG_RESET,
    DIALOG_FAILED, /* close the connection */
};

struct dialog_plan {
    const struct letter *letter;
    const char *auth_base64; /* NULL: no AUTH */
    bool pipeline;           /* where the server offers it */
    bool starttls;
    bool tls; /* from the first byte */
};

struct dialog {
    const struct dialog_plan *plan;
    enum dialog_state state;
    bool offers_pipelining;
    bool offers_starttls;
    bool is_greeted;
    bool is_secured;
    uint64_t sequence; /* of the message under way */
    uint32_t refusal;  /* first code against it or the session, 0: none */
};

void dialog_init(struct dialog *dialog, const struct dialog_plan *plan);

/* Takes one reply line without CRLF, appends our next words to `out`. */
void dialog_hear(struct dialog *dialog, const char *line, size_t len,
                 struct bytes *out);

/* HANDSHAKE is done: awaits the greeting, or says EHLO once more. */
void dialog_secured(struct dialog *dialog, struct bytes *out);

/* In READY: starts message `sequence`. */
void dialog_begin(struct dialog *dialog, uint64_t sequence, struct bytes *out);

#endif
