/*
 * supervisor.h - keeps a few processes running: what `sendyard serve` is.
 *
 *     STOPPED -> RUNNING -> (ends) -> WAITING -> RUNNING ...
 *     any -> ENDING (asked to stop) -> ENDED
 *
 * A child that ends by itself is started again, at once the first time and
 * after growing waits when it keeps ending early. Children die with us, also
 * when we are killed (PR_SET_PDEATHSIG). Stopping goes from the last child to
 * the first: SIGTERM, and SIGKILL to who is still there after the grace.
 */
#ifndef ROUTER_CONTROL_SUPERVISOR_H
#define ROUTER_CONTROL_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/loop.h"

#define SUPERVISOR_CHILDREN_MAX 64
#define SUPERVISOR_ARGS_MAX     16

struct child_spec {
    const char *name;                          /* for logs; lives for ever */
    const char *argv[SUPERVISOR_ARGS_MAX + 1]; /* [0]: path; NULL at the end */
    const char *user;                          /* to run as, or NULL */
};

struct supervisor;

/* `on_ended` is called once all children are gone after supervisor_stop(). */
struct supervisor *supervisor_new(struct loop *loop, timer_fn *on_ended,
                                  void *context) must_check;
void supervisor_free(struct supervisor **supervisor);

/* Adds a child and starts it. The texts of the spec must outlive us. */
enum rc supervisor_start(struct supervisor *supervisor,
                         const struct child_spec *spec,
                         struct fault *fault) must_check;

/* Sends a signal to every running child. */
void supervisor_signal(struct supervisor *supervisor, int signo);

/* Asks all to end; the second call kills them. */
void supervisor_stop(struct supervisor *supervisor);

#endif
