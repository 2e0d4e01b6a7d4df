/*
 * seeing.h - answers for people, as JSON; in the lane thread.
 */
#ifndef ROUTER_DISPATCH_SEEING_H
#define ROUTER_DISPATCH_SEEING_H

#include "router/dispatch/core.h"

/* As dispatch_ask(). */
enum rc seeing_answer(struct dispatch *dispatch,
                      enum dispatch_question question, struct slice arg,
                      struct buf *out) must_check;

#endif
