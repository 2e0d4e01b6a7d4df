/*
 * gates.h - all gates of a worker, and their talk with Redis; for gate.c alone.
 *
 * Slots of all gates are renewed together by one beat, and in between at most
 * every GATES_GAP_MS when more are wanted, or given back for others; who has
 * less than its part looks every GATES_OWED_MS. A rate asks for itself when its
 * tokens run low. An answer may come late: a gate lives until the last one that
 * it waits for, and so do the gates when they are freed before that.
 */
#ifndef WORKERS_LIMITS_GATES_H
#define WORKERS_LIMITS_GATES_H

#include "common/base/list.h"
#include "workers/limits/gate.h"
#include "workers/limits/rates.h"
#include "workers/limits/server_clock.h"
#include "workers/limits/share.h"
#include "workers/limits/slots.h"

#define GATES_BEAT_MS  4000u
#define GATES_LEASE_MS 9000u
#define GATES_GAP_MS   100u
#define GATES_OWED_MS  250u
#define GATES_BUCKETS  256u
#define GATES_BATCH    13u /* gates in one call, by STORE_ARGS_MAX */
#define GATES_ME_SIZE  128

_Static_assert(GATES_LEASE_MS + GATES_OWED_MS < 10000,
               "a dead worker's slots are free within 10 s");
_Static_assert(GATES_LEASE_MS > 2 * GATES_BEAT_MS,
               "a time in which no lease is renewed is seen before one ends");
_Static_assert(2 * GATES_BATCH + 5 <= STORE_ARGS_MAX,
               "marker, worker, lease, beat, birth; a key and a text for each "
               "gate");

/* The rates of a gate: the one and the other kind. */
enum gate_rate { GATE_MESSAGES, GATE_CONNECTS };
#define GATE_RATES 2

struct gate {
    struct list link; /* in its bucket */
    struct gates *gates;
    struct slots slots;
    struct rate rates[GATE_RATES];
    uint32_t references;
    uint32_t answers; /* that it waits for */
    uint32_t name_len;
    char name[]; /* "source|site" */
};

struct gates {
    struct gates_options options;
    struct share share;
    char me[GATES_ME_SIZE];
    char marker[GATES_ME_SIZE];
    struct server_clock clock;
    uint64_t birth; /* see scripts.h; 0: not yet known */
    timer_fn *on_change;
    void *context;
    struct timer *beat;
    struct timer *soon; /* between two beats */
    uint64_t soon_ms;   /* when that is; 0: not set */
    uint64_t renewed_ms;
    struct list questions; /* on their way */
    bool is_freed;
    struct ending *ending; /* when freed with questions on their way */
    struct list buckets[GATES_BUCKETS];
};

/* The gate's list in the table. */
struct list *gates_bucket(struct gates *gates, struct slice name);

/* Frees the gate when nobody holds it and no answer is on its way. */
void gates_drop(struct gate *gate);

/* Asks for slots, or gives some back, soon. */
void gates_hurry(struct gates *gates);

/* Gives the gate's slots back. */
void gates_give_back(struct gate *gate);

/* Sees to it that the rate gets tokens: asks, or helps itself. */
void gates_fetch(struct gate *gate, enum gate_rate which);

#endif
