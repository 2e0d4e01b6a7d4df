/*
 * message.h - one message as it comes over the wire, and what is wrong in it.
 *
 * Content arrives in pieces, dotted (DATA) or plain (BDAT), and is collected
 * with the dots taken out again. Only CR LF '.' CR LF ends a dotted message: a
 * bare LF never does, which is the whole point of counting them (RFC 5321,
 * 2.3.8 and 4.5.2). Content past `bytes_max` is counted but not kept.
 */
#ifndef RECEIVER_MESSAGE_H
#define RECEIVER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define SHA256_HEX_BYTES 65u

enum dot_state {
    DOT_LINE_START,
    DOT_DOT,    /* a dot at the start of a line */
    DOT_DOT_CR, /* that, and CR */
    DOT_TEXT,
    DOT_CR,
};

struct message {
    struct text content;
    uint64_t bytes; /* that came, dots taken out */
    uint64_t bytes_max;
    enum dot_state state;
    bool dot_unstuffed; /* a line began with one dot that was not doubled */
};

/* Kinds of wire violation in the content. */
enum flaw {
    FLAW_BARE_CR = 1u << 0,
    FLAW_BARE_LF = 1u << 1,
    FLAW_NUL = 1u << 2,
    FLAW_LONG_LINE = 1u << 3,
    FLAW_EIGHT_BIT_HEADER = 1u << 4,
    FLAW_EIGHT_BIT_BODY = 1u << 5,
    FLAW_DOT_STUFFING = 1u << 6,
};
#define FLAW_COUNT 7u

/* The name of flaw bit number `index`, below FLAW_COUNT. */
const char *flaw_name(unsigned index);

void message_begin(struct message *message, uint64_t bytes_max);

/* Takes from `bytes` up to the end of the message at most. Returns how many
 * bytes it took; `*ended` says whether the ending dot was among them. */
size_t message_take_dotted(struct message *message, const char *bytes,
                           size_t len, bool *ended);
void message_take_plain(struct message *message, const char *bytes, size_t len);

/* All flaws found in the content, as bits. */
uint32_t message_flaws(const struct message *message);

/* A header field that starts at `*at`; moves `*at` behind it. False at the end
 * of the header. Name and value are borrowed from the message; the value may
 * be folded over lines. */
struct field {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};
bool message_next_field(const struct message *message, size_t *at,
                        struct field *field);

/* SHA-256 of what follows the header and its empty line, in hex with NUL. */
void message_body_digest(const struct message *message,
                         char hex[SHA256_HEX_BYTES]);

void message_release(struct message *message);

#endif
