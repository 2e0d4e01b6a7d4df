/*
 * ledger.h - a file of one line per message, for the audit of losses.
 *
 * Lines gather in memory and reach the kernel by ledger_flush(), whole lines
 * in one write, appended: a tool killed by force leaves no torn line before
 * the end. A ledger without a path takes no lines and costs nothing.
 */
#ifndef TESTS_TOOLS_LOAD_LEDGER_H
#define TESTS_TOOLS_LOAD_LEDGER_H

#include <stdbool.h>

#include "bytes.h"

struct ledger {
    int fd; /* -1: not asked for */
    struct bytes lines;
};

/* `path` NULL: a ledger that keeps nothing. False: errno says why. */
bool ledger_open(struct ledger *ledger, const char *path);

/* Where to add a line; NULL when no ledger is kept. */
struct bytes *ledger_lines(struct ledger *ledger);

/* False when a write failed: the ledger can no longer be trusted. */
bool ledger_flush(struct ledger *ledger);

void ledger_release(struct ledger *ledger);

#endif
