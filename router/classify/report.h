/*
 * report.h - `sendyard classify report`: what accounts declared, and what was
 * found.
 *
 * Read from the event log, "accepted" lines: `declared` and `kind` where they
 * are given, else what `reasons` say of it; and complaints that were counted.
 * The log that was rotated last (PATH.1) is read as well. For each account: how
 * many messages and complaints, of each declaration what it was found to be,
 * what was moved or would have been, and the ids of a few.
 */
#ifndef ROUTER_CLASSIFY_REPORT_H
#define ROUTER_CLASSIFY_REPORT_H

#include <stdio.h>

#include "router/classify/arguments.h"

int report_run(const struct arguments *arguments, FILE *out, FILE *err);

#endif
