/*
 * session.h - the provider's half of one SMTP connection, without the socket.
 *
 * A session is given the bytes that came and says what to answer, how late,
 * and what then becomes of the connection. It does no I/O but to the record,
 * and reads no clock. RFC 5321; 1870 (SIZE), 2920 (PIPELINING), 3030
 * (CHUNKING), 3207 (STARTTLS), 3461 (DSN), 6152 (8BITMIME), 6531 (SMTPUTF8).
 *
 *     COLD -> IDLE -> MAIL -> RCPT -> DATA ---> IDLE
 *                              |  ^    dot        ^
 *                              v  |               |
 *                             CHUNK --------------+  BDAT LAST
 *
 *     COLD   no EHLO or HELO yet, or STARTTLS has just made it void
 *     IDLE   no transaction
 *     MAIL   sender taken, no recipient yet
 *     RCPT   at least one recipient taken; chunks may have come
 *     DATA   dotted content is coming
 *     CHUNK  `chunk_left` bytes of a BDAT chunk are coming
 */
#ifndef RECEIVER_SESSION_H
#define RECEIVER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "command.h"
#include "message.h"
#include "provider.h"
#include "record.h"
#include "text.h"

enum session_state {
    SESSION_COLD,
    SESSION_IDLE,
    SESSION_MAIL,
    SESSION_RCPT,
    SESSION_DATA,
    SESSION_CHUNK,
};

struct session {
    struct provider *provider;
    struct source *source;
    struct record *record;
    const char *source_ip; /* borrowed */
    const char *target_ip; /* borrowed */
    uint64_t number;
    enum session_state state;
    bool esmtp;
    bool secure;
    char tls_version[16]; /* "" without TLS */
    bool tls_resumed;
    struct text host_name;
    struct text mail_from;
    struct text rcpts; /* each ends with NUL */
    uint32_t rcpt_count;
    uint32_t messages;
    bool eight_bit; /* BODY=8BITMIME was said for this message */
    bool utf8;      /* SMTPUTF8 was said for this message */
    bool chunked;   /* BDAT has begun */
    bool chunk_last;
    bool chunk_void; /* the chunk is read but not wanted */
    uint64_t chunk_left;
    struct message message;
};

void session_init(struct session *session, struct provider *provider,
                  struct record *record, const char *source_ip,
                  const char *target_ip, uint64_t number);
void session_release(struct session *session);

/* The banner, or what the provider does instead. `open_now` counts the
 * source's other connections that are still open. False if this connection is
 * over the limit and must not be counted as open. */
bool session_greet(struct session *session, uint32_t open_now,
                   struct answer *answer);

/* Takes one command or one piece of content off the front of `in`. Returns
 * true if `answer` was set, false if more bytes are needed. */
bool session_hear(struct session *session, struct text *in, uint64_t now_ms,
                  struct answer *answer);

/* Tells that TLS is now spoken; everything said before is void. */
void session_secured(struct session *session, const char *version,
                     bool is_resumed);

/* Something wrong on the wire that the connection itself saw. */
void session_wire_violation(struct session *session, const char *kind);

/* The client was quiet too long. */
void session_idle(struct session *session, struct answer *answer);

/* The connection is gone. */
void session_end(struct session *session);

#endif
