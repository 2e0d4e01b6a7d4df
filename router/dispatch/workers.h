/*
 * workers.h - the workers that are alive, as far as we know.
 *
 * A worker is known from its HELLO until it was silent for a lease time or says
 * HELLO with a new boot id. It has a number that is never used again: credit
 * and leases point to it by that. Ranks are the places among the live ones in
 * the order of their names.
 */
#ifndef ROUTER_DISPATCH_WORKERS_H
#define ROUTER_DISPATCH_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/table.h"
#include "common/edge/bus.h"
#include "common/proto/wire.h"
#include "router/lanes/names.h"

#define WORKERS_MAX     1024u /* live at a time; more HELLOs are not heard */
#define WORKER_NAME_MAX 64u

struct worker {
    struct list link; /* in workers->all, by name */
    struct bus_peer peer;
    uint32_t number;
    uint32_t rank;
    char name[WORKER_NAME_MAX];
    char host[WORKER_NAME_MAX];
    uint64_t boot;
    uint64_t pid;
    uint64_t config_digest;
    uint64_t heard_ms; /* last frame */
    bool draining;     /* finishes what it has, gets no more */
    uint32_t *sources; /* numbers, in workers->sources */
    size_t source_count;
    struct list leases; /* oldest first */
    uint32_t lease_count;
    uint64_t jobs_sent;
    uint64_t *acks; /* leases to be acknowledged at the end of the turn */
    size_t ack_count;
};

struct workers {
    struct list all;
    struct table by_peer;
    struct table by_number;
    struct names sources;
    uint32_t number_last;
    uint32_t count;
};

void workers_init(struct workers *workers);
void workers_release(struct workers *workers);

struct worker *workers_by_peer(const struct workers *workers,
                               const struct bus_peer *peer);
struct worker *workers_by_number(const struct workers *workers,
                                 uint32_t number);
struct worker *workers_by_name(const struct workers *workers,
                               struct slice name);

/* A new one, or the known one of this peer with what HELLO says now. NULL: too
 * many workers, or a name that is too long. */
struct worker *workers_hello(struct workers *workers,
                             const struct bus_peer *peer,
                             const struct wire_hello *hello, uint64_t now_ms);

/* It must have no lease any more. */
void workers_drop(struct workers *workers, struct worker **worker);

/* Notes a lease to be acknowledged. False when WIRE_LEASES_MAX wait. */
bool worker_add_ack(struct worker *worker, uint64_t lease) must_check;

bool worker_has_source(const struct worker *worker, uint32_t source);

#endif
