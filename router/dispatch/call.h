/*
 * call.h - one thing that another thread wants of the lane thread.
 *
 * Who asks a question waits for its answer with a time-out; whoever of the two
 * leaves last frees the call.
 */
#ifndef ROUTER_DISPATCH_CALL_H
#define ROUTER_DISPATCH_CALL_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "config/conf.h"
#include "router/actions/action.h"
#include "router/dispatch/dispatch.h"

enum call_kind { CALL_ASK, CALL_RECONF, CALL_REOPEN, CALL_ACT, CALL_STOP };

struct call;

/* CALL_RECONF takes over one reference to conf; else NULL. */
struct call *call_new(enum call_kind kind, struct conf *conf) must_check;
struct call *call_new_ask(enum dispatch_question question,
                          struct slice arg) must_check;
struct call *call_new_act(const struct action *action) must_check; /* copies */

/* One of at most two parties leaves; the last one frees. */
void call_leave(struct call **call);

enum call_kind call_kind(const struct call *call);
enum dispatch_question call_question(const struct call *call);
struct slice call_arg(const struct call *call);
struct conf *call_take_conf(struct call *call) must_check;
const struct action *call_action(const struct call *call);

/* The lane thread's side: fill the buffer, then say that it is filled. */
struct buf *call_json(struct call *call);
void call_answer(struct call *call, enum rc rc);

/* The asker's side: RC_TIMEOUT, or what call_answer() said with the text
 * appended to `json`; RC_LIMIT when that has no room. */
enum rc call_wait(struct call *call, uint64_t timeout_ms,
                  struct buf *json) must_check;

#endif
