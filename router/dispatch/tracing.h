/*
 * tracing.h - operators who listen to the talk with receivers.
 *
 * Whoever asks names his trace, and asks again and again: each answer has the
 * lines that came in between. The workers that are meant are told while he
 * asks; a trace that nobody asked for in TRACING_QUIET_MS ends, here and in
 * them. Lines that nobody takes in time are counted and dropped.
 *
 *     question   NAME WORKER SITE DOMAIN ID      "-" for any
 *     answer     {"router", "workers", "left_out", "lines": [{"worker",
 *                "connection", "ms", "kind": note | said | heard, "site",
 *                "source", "host", "ip", "text"}]}
 *
 * Lines have the order in which each worker sent them.
 */
#ifndef ROUTER_DISPATCH_TRACING_H
#define ROUTER_DISPATCH_TRACING_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/proto/wire.h"

#define TRACING_MAX       8u
#define TRACING_NAME_MAX  64u
#define TRACING_QUIET_MS  10000u
#define TRACING_SAY_MS    3000u      /* the workers are told again after this */
#define TRACING_BYTES_MAX (1u << 20) /* of lines that wait to be taken */

struct dispatch;
struct json;
struct worker;

struct tracing {
    struct list all;
    uint32_t count;
    uint64_t number_last;
};

void tracing_init(struct tracing *tracing);
void tracing_release(struct tracing *tracing);

/* As dispatch_ask(): the members of the answer. RC_SYNTAX: the question is
 * none; RC_LIMIT: too many traces. */
enum rc tracing_answer(struct dispatch *dispatch, struct slice question,
                       struct json *json) must_check;

void tracing_hear(struct dispatch *dispatch, const struct worker *worker,
                  const struct wire_lines *lines);

/* Now and then: tells workers, ends what is quiet. */
void tracing_tick(struct dispatch *dispatch);

#endif
