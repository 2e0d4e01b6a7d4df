/*
 * leases.h - which worker has which job, and what workers say that they have.
 *
 * A lease stands from the JOB frame until its RESULT, its HANDBACK or the loss
 * of the worker. Ids are unique over restarts, since workers bring results of an
 * earlier boot.
 *
 * A claim is a lease that we do not know: its worker said in HELLO that it
 * still holds it, from before we restarted or gave it up. As long as a message
 * has claims, what is pending of it is not given to others.
 */
#ifndef ROUTER_DISPATCH_LEASES_H
#define ROUTER_DISPATCH_LEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/table.h"
#include "router/dispatch/workers.h"
#include "router/lanes/job.h"

/* Of leases in doubt we know so many: a worker holds WIRE_LEASES_MAX at most. */
#define LEASES_DOUBTED_MAX ((size_t)8 * WIRE_LEASES_MAX)

struct lease {
    struct list link; /* in worker->leases */
    uint64_t id;
    uint64_t message;
    uint64_t since_ms;
    uint64_t until_ms; /* then we do not believe in it any more */
    uint32_t source;
    uint32_t lane;       /* number of the one that it left */
    bool is_fetching;    /* its body is being read: the job did not leave yet */
    enum wire_rank rank; /* of the job when it left */
    struct worker *worker;
    struct job *job; /* NULL: settled by another's result meanwhile */
};

struct claim {
    uint64_t lease;
    uint64_t message;
    uint32_t worker; /* its number */
};

struct leases {
    struct table by_id;
    struct table claims;  /* by lease id */
    struct table claimed; /* how many claims a message has, by its id */
    uint64_t id_last;
    uint64_t doubted[LEASES_DOUBTED_MAX]; /* ids; a ring */
    size_t doubted_count;                 /* ever */
};

/* Ids begin after `boot`, which grows from start to start faster than leases
 * are made. */
void leases_init(struct leases *leases, uint64_t boot);
void leases_release(struct leases *leases);

struct lease *leases_new(struct leases *leases, struct worker *worker,
                         struct job *job, uint64_t message);
struct lease *leases_get(const struct leases *leases, uint64_t id);

/* The lease of a LEASED job; walks all of them. */
struct lease *leases_of_job(const struct leases *leases, const struct job *job);

void leases_end(struct leases *leases, struct lease **lease);

/* Ends it and takes its LEASED job out of the lane's list; NULL: it was settled
 * meanwhile. */
struct job *leases_return(struct leases *leases, struct lease **lease);

/* NULL when it is claimed already. */
struct claim *leases_claim(struct leases *leases, uint64_t lease,
                           uint64_t message, uint32_t worker);
struct claim *leases_claimed(const struct leases *leases, uint64_t lease);

/* Claims of a message. */
uint32_t leases_claims_of(const struct leases *leases, uint64_t message);

void leases_end_claim(struct leases *leases, struct claim **claim);

/* The event log owns up to it as a possible duplicate, which is done once. */
void leases_doubt(struct leases *leases, uint64_t id);
bool leases_is_doubted(const struct leases *leases, uint64_t id);

#endif
