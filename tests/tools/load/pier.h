/*
 * pier.h - the sink's listeners, its connections and their loop.
 *
 * One thread, one epoll, level-triggered. Each wake-up reads once, hears all
 * whole lines, and answers them with one write: a pipelined message costs
 * two reads and two writes. A connection whose last reply is delayed is not
 * read meanwhile.
 *
 * Ledger, tabs between: X-Load-Id, time in UTC µs, peer address, recipients.
 * A message is noted when its 250 is written, so that a sink killed before
 * leaves no line for what the client will send again.
 */
#ifndef TESTS_TOOLS_LOAD_PIER_H
#define TESTS_TOOLS_LOAD_PIER_H

#include <stddef.h>

#include "ledger.h"
#include "tally.h"

enum { LISTENERS_MAX = 4096 };

struct pier_plan {
    const struct endpoint *listeners; /* borrowed */
    size_t listener_count;
    uint64_t expect;    /* messages to end after, 0: no end */
    uint64_t linger_ms; /* go on for so long after the last expected */
    uint64_t delay_ms;  /* before the reply to the dot */
    uint32_t refuse_code;
};

/* Listens until a signal comes or the expected messages came. `signal_fd` is
 * a signalfd: SIGUSR1 turns refusing off and on (452 when no code was given),
 * others end. False: errno says what failed. */
bool pier_run(const struct pier_plan *plan, int signal_fd,
              struct ledger *ledger, struct tally *tally);

#endif
