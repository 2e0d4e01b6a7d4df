/*
 * problem.h - what an HTTP answer says when it is not what was asked for: an
 * object in the form of problem+json (RFC 9457), title and detail.
 */
#ifndef ROUTER_CONTROL_PROBLEM_H
#define ROUTER_CONTROL_PROBLEM_H

#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

/* Replaces what is in `out`. */
void problem_say(struct buf *out, const char *title, struct slice detail);

/* The same for a function of ours that failed, and the status code for it. */
unsigned problem_of(struct buf *out, enum rc rc, struct slice detail);

#endif
