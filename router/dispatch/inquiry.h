/*
 * inquiry.h - a question about a message that is cold: it is read first.
 */
#ifndef ROUTER_DISPATCH_INQUIRY_H
#define ROUTER_DISPATCH_INQUIRY_H

#include <stdbool.h>

#include "router/dispatch/call.h"

struct dispatch;

/* Takes the call over and answers it in a later turn; false: it is not about a
 * cold message. */
bool inquiry_begin(struct dispatch *dispatch, struct call *call) must_check;

/* Answers that come no more. */
void inquiry_release(struct dispatch *dispatch);

#endif
