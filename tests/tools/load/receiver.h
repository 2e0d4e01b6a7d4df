/*
 * receiver.h - the server's half of SMTP that takes and discards mail.
 *
 * Sans I/O: takes lines, appends replies. It believes everything: any
 * address, any order that can be answered. Of a message it keeps the
 * X-Load-Id of the header alone. RFC 5321, 2920, 6152 (8BITMIME), 1870.
 */
#ifndef TESTS_TOOLS_LOAD_RECEIVER_H
#define TESTS_TOOLS_LOAD_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

enum { LOAD_ID_MAX = 64 };

enum receiver_event {
    RECEIVER_GOES_ON,
    RECEIVER_TOOK, /* a whole message; the reply is left to the caller */
    RECEIVER_ENDS, /* flush, then close */
};

enum receiver_state {
    RECEIVER_COMMAND,
    RECEIVER_HEADER,
    RECEIVER_BODY,
};

struct receiver {
    enum receiver_state state;
    uint32_t rcpt_count;
    char load_id[LOAD_ID_MAX]; /* of the message at hand; "-": none seen */
    uint64_t sum;              /* of its body so far */
    uint64_t said_sum;         /* by its X-Load-Sum; 0: there is none */
};

/* Of the body of the message just taken: "good", "bad", or "-" when it says
 * nothing of itself. */
const char *receiver_judge(const struct receiver *receiver);

void receiver_greet(struct bytes *out);

/* One line without its LF. `refuse_code` 0: take all; else every RCPT is
 * answered by it, and 421 also ends the connection. */
enum receiver_event receiver_hear(struct receiver *receiver, const char *line,
                                  size_t len, uint32_t refuse_code,
                                  struct bytes *out);

#endif
