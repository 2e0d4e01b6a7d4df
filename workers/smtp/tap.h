/*
 * tap.h - the dialogue of one connection, made readable for who traces it.
 *
 * Takes the bytes of both directions in the order in which they go, and gives
 * lines. It follows what SMTP says of itself: behind a 354 our bytes are a
 * message's text up to the lone dot, behind "BDAT n" the next n are (RFC 3030).
 * Text is counted and never shown, nor is what AUTH gives away. So a tap may be
 * put in only where no message is under way.
 *
 * Lines are without CR and LF, cut at TAP_LINE_MAX, with '?' for what would
 * disturb a terminal. Pure; any bytes from the server will do.
 */
#ifndef WORKERS_SMTP_TAP_H
#define WORKERS_SMTP_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/slice.h"

#define TAP_LINE_MAX 512

enum tap_kind { TAP_NOTE, TAP_SAID, TAP_HEARD };

typedef void tap_fn(void *context, enum tap_kind kind, struct slice line);

/* A line that is not yet whole. */
struct tap_line {
    char text[TAP_LINE_MAX];
    size_t len;
};

/* What our next bytes are. TEXT ends with a lone dot, CHUNK after `left`. */
enum tap_mode { TAP_COMMANDS, TAP_TEXT, TAP_CHUNK };

struct tap {
    tap_fn *fn;
    void *context;
    enum tap_mode mode;
    uint64_t counted; /* bytes of the text so far */
    uint64_t left;
    size_t end_seen; /* of the end of TEXT: bytes of CR LF . CR LF */
    bool is_secret;  /* our next line answers a challenge of AUTH */
    struct tap_line said;
    struct tap_line heard;
};

void tap_init(struct tap *tap, tap_fn *fn, void *context);

void tap_said(struct tap *tap, struct slice bytes);
void tap_heard(struct tap *tap, struct slice bytes);

#endif
