/*
 * linewise.h - transparency of DATA, RFC 5321 section 4.5.2.
 *
 *     sender:   a line that begins with "." gets one more; CRLF "." CRLF ends
 *     receiver: a line that is "." ends; of others the first "." is taken off
 *
 * Both sides stream: any split of the bytes over calls gives the same result.
 * Ordinary text is found with memchr and moved with one memcpy per run.
 *
 * A line ends at CRLF and nowhere else (section 2.3.8). "LF . LF", "CR . CR"
 * and their mixtures end nothing and are not un-stuffed: that is what keeps a
 * second message from being smuggled inside the first.
 */
#ifndef COMMON_PROTO_LINEWISE_H
#define COMMON_PROTO_LINEWISE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

/* The body must be clean: CRLF line ends, no bare CR or LF (what the decoder
 * lets through). Should a bare LF slip in, a "." behind it is doubled as well,
 * so that no reader of any kind sees an end in it. */
struct linewise_encoder {
    char last[2]; /* the last two bytes of the body so far */
};

void linewise_encoder_init(struct linewise_encoder *encoder);

/* Appends the wire form of the next part of the body: at most half as much
 * again, and one byte. False when `out` has no room: out and encoder are
 * unchanged. */
bool linewise_encode(struct linewise_encoder *encoder, struct slice body,
                     struct buf *out) must_check;

/* Appends the end: a CRLF where the body lacks it, then "." CRLF. */
bool linewise_encode_end(const struct linewise_encoder *encoder,
                         struct buf *out) must_check;

enum linewise_bare {
    LINEWISE_KEEP,      /* store bare CR and LF as they are; count them */
    LINEWISE_NORMALISE, /* store each as CRLF; count them */
};

/* What the decoder saw. Bytes and lines are those of the un-stuffed body. */
struct linewise_findings {
    uint64_t bytes;          /* size, also of what was not stored */
    uint64_t line_bytes_max; /* of the longest line, without its end */
    uint64_t bare_cr;
    uint64_t bare_lf;
    bool has_nul;
    bool has_8bit;
    bool too_large; /* over the cap: the body is stored in part */
};

/* Where the next byte stands. Written by linewise.c alone. */
enum linewise_place {
    LINEWISE_LINE_START, /* at the very start, or behind CRLF */
    LINEWISE_DOT,        /* behind a "." at the start of a line */
    LINEWISE_DOT_CR,     /* behind "." CR at the start of a line */
    LINEWISE_IN_LINE,
    LINEWISE_CR, /* behind a CR in a line */
    LINEWISE_ENDED,
};

struct linewise_decoder {
    enum linewise_place place;
    enum linewise_bare bare;
    uint64_t bytes_max;
    uint64_t line_bytes; /* of the line so far */
    struct linewise_findings findings;
};

/* A body of more than bytes_max is swallowed and counted to its end, and stored
 * only in part. How long that may go on is the caller's to bound, by time. */
void linewise_decoder_init(struct linewise_decoder *decoder,
                           enum linewise_bare bare, uint64_t bytes_max);

/* Takes bytes off the cursor and appends the body to `out`, which the caller
 * may drain between calls. RC_MORE: all bytes are taken, the end has not come.
 * RC_OK: the end has come, the cursor is behind it. An `out` without room
 * counts as too_large. */
enum rc linewise_decode(struct linewise_decoder *decoder, struct cursor *cursor,
                        struct buf *out) must_check;

#endif
