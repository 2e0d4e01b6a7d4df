/*
 * lines.h - the messages and complaints that the event log tells of.
 */
#ifndef ROUTER_CLASSIFY_LINES_H
#define ROUTER_CLASSIFY_LINES_H

#include <stdbool.h>

#include "config/conf.h"
#include "router/control/answer.h"

/* An event "accepted" or "complaint"; borrowed. */
typedef void lines_fn(void *context, const struct value *event);

/* Calls `fn` for each message that was accepted, and for each complaint, in the
 * order of the file.
 * Lines that are no JSON are passed over. False, with errno, when the file
 * cannot be read. */
bool lines_each(const char *path, lines_fn *fn, void *context);

/* The same for the log of a config, and before it the one that was rotated last
 * (PATH.1), if it is there. False with EINVAL: the log is no file. */
bool lines_each_of(const struct conf *conf, lines_fn *fn, void *context);

#endif
