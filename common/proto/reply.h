/*
 * reply.h - one SMTP reply out of the bytes a server sent.
 *
 * RFC 5321 section 4.2:
 *
 *     Greeting   = ( "220 " (Domain / address-literal) [ SP textstring ] CRLF )
 *                / ( "220-" ... )
 *     Reply-line = *( Reply-code "-" [ textstring ] CRLF )
 *                  Reply-code [ SP textstring ] CRLF
 *     Reply-code = %x32-35 %x30-35 %x30-39
 *     textstring = 1*(%d09 / %d32-126)
 *
 * Wider than the grammar, because servers are: any second digit ("571" is
 * common), any bytes as text (they come out escaped), lines of up to 4096 bytes
 * where section 4.5.3.1.5 says 512, and a lone LF as the end of a line. Lines
 * with different codes are not one reply: RC_SYNTAX.
 *
 * Nothing is kept between calls: the caller gives all bytes that it has not
 * taken yet, and a reply that is not whole costs no more than a search for line
 * ends. Exactly one reply is taken, so pipelined replies wait in the buffer.
 */
#ifndef COMMON_PROTO_REPLY_H
#define COMMON_PROTO_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/proto/verdict.h"

#define REPLY_LINE_MAX  4096u  /* bytes of one line, its end included */
#define REPLY_LINES_MAX 128u   /* an EHLO reply has about 15 */
#define REPLY_BYTES_MAX 32768u /* of one reply */

struct reply {
    uint16_t code;            /* 200 to 599 */
    struct enhanced enhanced; /* of the first line that has one */
    struct slice whole;       /* all its lines; points into the input */
    size_t lines;
    /* The lines joined by a space, without codes, escaped, cut to size. */
    char text[VERDICT_TEXT_SIZE];
};

/* Takes one whole reply off the front of `cursor`.
 *
 * RC_OK      *reply is filled, the cursor stands behind it
 * RC_MORE    not whole yet: call again with more behind the same bytes
 * RC_SYNTAX  this is no reply
 * RC_LIMIT   one of the limits above is reached before it ends
 *
 * On anything but RC_OK cursor and reply are unchanged. */
enum rc reply_take(struct cursor *cursor, struct reply *reply) must_check;

/* The first digit of the code: 2, 3, 4 or 5. */
static inline unsigned reply_class(const struct reply *reply)
{
    return reply->code / 100u;
}

/* Walks the texts of the lines: without code, separator and line end. `lines`
 * begins as cursor_of(reply->whole). */
bool reply_next_line(struct cursor *lines, struct slice *text);

#endif
