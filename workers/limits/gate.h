/*
 * gate.h - what this worker may do towards a site from a source, now.
 *
 * Connections and rates per (source x site) hold over all workers: Redis keeps
 * the count, and each worker lives on what it was granted. Connection slots are
 * leases that are renewed together; rate tokens come in runs, longer ones where
 * mail waits for them. So a message costs no round trip of its own.
 *
 * Redis gone: slots stay as last granted, a site never asked about before gets
 * this worker's share of its limit, and rates go on at one n-th for each of n
 * workers. Never unlimited, never stopped. Redis back, perhaps empty: for one
 * lease everybody keeps what he has, and only then the rest is given out.
 *
 * Gates are shared: whoever opens the same (source, site) gets the same gate.
 */
#ifndef WORKERS_LIMITS_GATE_H
#define WORKERS_LIMITS_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "common/edge/loop.h"
#include "common/edge/store.h"
#include "config/conf.h"

struct gates;
struct gate;

/* More than any limit: when none is set. */
#define GATE_UNLIMITED UINT32_MAX

struct gates_options {
    struct loop *loop;
    struct store *store; /* NULL: none configured, the share is all there is;
                          * else it must outlive the gates */
    const char *prefix;  /* of every key; must outlive the gates */
    const char *worker;  /* our name, unique in the cluster */
    uint64_t boot;       /* makes the name unique over restarts */
};

/* on_change is called when slots or tokens came that somebody waits for. */
struct gates *gates_new(const struct gates_options *options,
                        timer_fn *on_change, void *context) must_check;

/* Gives all slots back where Redis can be told: the words leave in the loop's
 * next turn. Gates still open are closed. Never from inside on_change. */
void gates_free(struct gates **gates);

/* Our place among the live workers, for the share: rank < workers. */
void gates_set_share(struct gates *gates, uint32_t rank, uint32_t workers);

struct gate_limits {
    uint32_t max_connections;  /* GATE_UNLIMITED: none */
    struct conf_rate messages; /* count 0: none */
    struct conf_rate connects; /* count 0: none */
};

/* Opens the gate or one more reference to it; the limits replace those that it
 * had (a reload). */
struct gate *gate_open(struct gates *gates, struct slice source,
                       struct slice site,
                       const struct gate_limits *limits) must_check;

/* Gives the reference and, with the last one, the slots back. */
void gate_close(struct gate **gate);

/* How many connections this reference's owner has open or wants to open, in
 * all. Asks for slots, or gives back those not wanted; the answer comes later
 * by on_change. The sum over all owners is what counts. */
void gate_want(struct gate *gate, uint32_t connections, uint32_t before);

/* Slots held now: connections that may be open in all, over all owners. */
uint32_t gate_slots(const struct gate *gate);

/* Connections open now, over all owners. */
uint32_t gate_connections(const struct gate *gate);

/* Count a connection in and out. False: there is no slot, or connections are
 * being opened too fast; then *wait_ms says when to try again (0: on_change
 * will tell). */
bool gate_open_connection(struct gate *gate, uint64_t now_ms,
                          uint64_t *wait_ms) must_check;
void gate_close_connection(struct gate *gate);

/* Takes the token for one message. False: none now; *wait_ms as above. */
bool gate_take_message(struct gate *gate, uint64_t now_ms,
                       uint64_t *wait_ms) must_check;

/* Tokens that hold within 100 ms, or GATE_UNLIMITED. Asks for none: tokens are
 * got for messages that are there, for one that lies unused is lost to all
 * workers. So a caller reckons with one message more than this. */
uint32_t gate_messages(const struct gate *gate, uint64_t now_ms);

#endif
