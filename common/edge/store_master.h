/*
 * store_master.h - which Redis is the master now: the sentinels know.
 *
 *     IDLE -ask-> NAMING -> CONNECTING -> (TLS) -> ASKED -> IDLE, answer told
 *
 * One sentinel is asked at a time; the next question, which the caller asks
 * after a wait, goes to the next one unless this one gave an answer. So a dead
 * or cut-off sentinel costs one attempt. What a sentinel says may be old: who
 * connects there asks for the ROLE.
 */
#ifndef COMMON_EDGE_STORE_MASTER_H
#define COMMON_EDGE_STORE_MASTER_H

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/edge/loop.h"
#include "common/edge/store_url.h"
#include "common/edge/tls.h"

struct store_master;

/* host is NULL when no answer came; fault then says why. Never called from
 * within store_master_ask(). */
typedef void store_master_fn(void *context, const struct store_host *host,
                             const struct fault *fault);

/* `url` names the sentinels, and outlives it; tls is NULL where they speak in
 * clear. */
struct store_master *store_master_new(struct loop *loop,
                                      const struct store_url *url,
                                      struct tls_context *tls,
                                      store_master_fn *fn,
                                      void *context) must_check;
void store_master_free(struct store_master **master);

/* Asks one sentinel. The caller bounds the wait: store_master_stop() ends it. */
void store_master_ask(struct store_master *master);

/* The question is over; its answer is not told any more. */
void store_master_stop(struct store_master *master);

#endif
