/*
 * budget.h - memory for messages that are coming in, shared by all sessions.
 *
 * Each session has its own limit, but a thousand of them at that limit are more
 * than a machine has. What they hold together stays under one number: who finds
 * nothing left answers 452 and the client comes again. From any thread.
 */
#ifndef ROUTER_SUBMISSION_BUDGET_H
#define ROUTER_SUBMISSION_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct budget {
    atomic_uint_fast64_t held; /* bytes */
};

/* A holder of `from` bytes wants `to` bytes. False: all would hold more than
 * `max`, and nothing changed. To hold less is always allowed, also when `max`
 * was lowered meanwhile. */
bool budget_resize(struct budget *budget, uint64_t from, uint64_t to,
                   uint64_t max) must_check;

/* Whether `size` more bytes, one at least, would fit now. */
bool budget_has_room(const struct budget *budget, uint64_t size, uint64_t max);

#endif
