/*
 * log.h - the diagnostic log: one line per event, for the operator.
 *
 *     2026-01-31T23:59:59.999Z info router event=listening address=127.0.0.1:587
 *
 * Fixed key order, times first; far-side text is quoted and escaped, secrets
 * and bodies never come here. Goes to stderr. The log sink is one of the two
 * pieces of mutable file-scope data in the project (the other is the signal
 * flag). Any thread may log; a line is one write(2).
 * The event log of messages is eventlog.h.
 */
#ifndef COMMON_EDGE_LOG_H
#define COMMON_EDGE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/rc.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* `who` is the process's name in each line and must live for ever. */
void log_open(const char *who, enum log_level level);
void log_set_level(enum log_level level);

/* False when the word names no level. */
bool log_level_of(const char *word, enum log_level *level);

/* `event` is a fixed word; the rest is key=value pairs with fixed keys. Values
 * that come from outside go through %s of log_quote(). */
void log_line(enum log_level level, const char *event, const char *format, ...)
    printf_like(3, 4);

/* A fault as reason="...". */
void log_fault(enum log_level level, const char *event,
               const struct fault *fault);

#define LOG_QUOTE_MAX 256
struct log_quoted {
    char text[LOG_QUOTE_MAX];
};

/* "..." of printable ASCII: quotes and backslashes escaped, any other byte as
 * \xHH; cut when long, which "..." at the end shows. */
struct log_quoted log_quote(const char *ptr, size_t len);

#endif
