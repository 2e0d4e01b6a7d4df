/*
 * eventlog.h - the event log: JSON lines, one per thing that happened to a
 * message, for machines.
 *
 * Each thread has its own eventlog over the same file, opened with O_APPEND,
 * and writes whole lines in one write(2), so threads need no lock. Lines wait
 * in memory until eventlog_flush(), which the loop calls before it sleeps, or
 * until 64 KiB are full. A log that cannot be written is told in the diagnostic
 * log once per outage, and never holds up mail: the lines are lost. A pipe or
 * socket (stdout) gets writes of at most 4 KiB, whole lines, and only while it
 * takes them.
 */
#ifndef COMMON_EDGE_EVENTLOG_H
#define COMMON_EDGE_EVENTLOG_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"

struct eventlog;

/* path "-" is stdout. NULL with *fault when it cannot be opened. */
struct eventlog *eventlog_open(const char *path,
                               struct fault *fault) must_check;
void eventlog_close(struct eventlog **log); /* flushes */

/* The buffer to write one JSON object into, after what is there; then
 * eventlog_end_line(). A line that does not fit (64 KiB) is lost whole. */
struct buf *eventlog_line(struct eventlog *log);
void eventlog_end_line(struct eventlog *log);

void eventlog_flush(struct eventlog *log);

/* After rotation. When the path cannot be opened the old file stays. */
void eventlog_reopen(struct eventlog *log);

#endif
