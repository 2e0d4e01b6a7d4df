/*
 * exchange.h - the book's copies with the other routers, through Redis.
 *
 * One hash, <prefix>actions:
 *
 *     ID           action_pack() of an action
 *     ID/ROUTER    progress_pack() of that router with it
 *     epoch        grows with every change
 *
 * The epoch is read twice a second; when it has changed all fields are, and
 * merged into the book (action.h: an end is never taken back). What the book
 * has and Redis has not, or has without its end, is written: so a Redis that
 * was away, or lost everything, or has an old copy, learns what happened
 * meanwhile. A new action is written by HSETNX, so it never covers an end.
 *
 * Redis is not needed: without it each router has its own actions alone until
 * it is back. Everything happens in the loop's thread.
 */
#ifndef ROUTER_ACTIONS_EXCHANGE_H
#define ROUTER_ACTIONS_EXCHANGE_H

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/loop.h"
#include "common/edge/store.h"
#include "router/actions/book.h"

struct exchange;

struct exchange_options {
    struct book *book; /* must outlive the exchange */
    struct store_place redis;
    const char *prefix;
    const char *router; /* our name */
};

/* NULL when `redis` cannot be used (store.h). */
struct exchange *exchange_new(struct loop *loop,
                              const struct exchange_options *options,
                              struct fault *fault) must_check;
void exchange_free(struct exchange **exchange);

#endif
