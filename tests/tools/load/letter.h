/*
 * letter.h - the messages that the generator sends.
 *
 * Every message is the same realistic header block and a body of prose of
 * the size asked for, but for what names it: recipient, Message-ID and
 * X-Load-Id, which is RUN-SEQUENCE. The audit joins the two ends by this id.
 * Body lines end in CRLF, hold at most 72 bytes and never start with a dot,
 * so that nothing needs to be stuffed (RFC 5321, 4.5.2).
 */
#ifndef TESTS_TOOLS_LOAD_LETTER_H
#define TESTS_TOOLS_LOAD_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

enum { LETTER_RUN_MAX = 20 };

struct letter {
    const char *from;         /* borrowed: options outlive letters */
    const char *rcpt_pattern; /* %d stands for the sequence number */
    uint64_t domain_count;    /* 0: domain as it stands in the pattern */
    char run[LETTER_RUN_MAX];
    struct bytes extra; /* header lines of --header, each with CRLF */
    struct bytes body;
    bool is_summed;    /* a last line of its own, and X-Load-Sum */
    uint64_t body_sum; /* of `body` */
};

/* Fills `body` with `body_bytes` of prose. */
void letter_write_body(struct letter *letter, uint64_t body_bytes);

void letter_release(struct letter *letter);

/* Appends RUN-SEQUENCE. */
void letter_add_id(const struct letter *letter, uint64_t sequence,
                   struct bytes *out);

/* Appends the recipient of message `sequence`: with domains the part behind
 * the @ gets d<sequence mod count> in front. */
void letter_add_rcpt(const struct letter *letter, uint64_t sequence,
                     struct bytes *out);

/* Appends the whole message and the final dot. */
void letter_add_content(const struct letter *letter, uint64_t sequence,
                        struct bytes *out);

#endif
