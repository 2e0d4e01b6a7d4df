/*
 * limits.h - the bounds of submission that no config changes.
 */
#ifndef ROUTER_SUBMISSION_LIMITS_H
#define ROUTER_SUBMISSION_LIMITS_H

#include "common/base/time.h"
#include "router/envelope.h"

/* A command line without its CRLF. RFC 5321 section 4.5.3.1.4 asks for 512 and
 * its extensions for about 1,500 (DSN, SMTPUTF8). */
#define SUBMISSION_LINE_MAX 2048u

/* A line of an AUTH exchange, RFC 4954 section 4. */
#define SUBMISSION_AUTH_LINE_MAX 12288u

/* Bytes kept of what a client calls itself in EHLO. */
#define SUBMISSION_HELLO_MAX 255u

/* Recipients of one message, however high a config sets it. */
#define SUBMISSION_RECIPIENTS_MAX ((uint32_t)ENVELOPE_RECIPIENTS_MAX)

/* Addresses and parameters of one transaction. */
#define SUBMISSION_ENVELOPE_BYTES_MAX ((size_t)8 << 20)

/* Commands that bring no message nearer (NOOP, RSET, EHLO, HELP ...) between
 * two messages. A client that keeps a session open with one NOOP a minute has
 * a day. */
#define SUBMISSION_IDLE_COMMANDS_MAX 1500u

/* A line of text without its CRLF, RFC 5321 section 4.5.3.1.6: we could not
 * send a longer one on. */
#define SUBMISSION_TEXT_LINE_MAX 998u

/* Received fields after which a message is in a loop, RFC 5321 section 6.3. */
#define SUBMISSION_RECEIVED_MAX 50u

/* Bytes per second that DATA must bring on average, beyond data_timeout. */
#define SUBMISSION_DATA_RATE_MIN 500u

/* A message this many times over its limit is no longer swallowed. */
#define SUBMISSION_SWALLOW_FACTOR 4u

/* Buffers of a connection. Input must hold the longest line; while this much
 * output waits no more commands are heard. */
#define SUBMISSION_IN_MAX   ((size_t)64 * 1024)
#define SUBMISSION_OUT_MAX  ((size_t)64 * 1024)
#define SUBMISSION_OUT_HIGH ((size_t)32 * 1024)

/* Memory of a message buffer that a session keeps for its next message. */
#define SUBMISSION_TEXT_KEEP ((size_t)64 * 1024)

/* How long last words may take to leave. */
#define SUBMISSION_GOODBYE_MS SECONDS_MS(5)

_Static_assert(SUBMISSION_AUTH_LINE_MAX < SUBMISSION_IN_MAX,
               "the longest line fits the input buffer");
_Static_assert(SUBMISSION_OUT_HIGH + 4096u <= SUBMISSION_OUT_MAX,
               "the longest reply fits behind the high mark");

#endif
