/*
 * leases.h - which worker has which job, and what workers say that they have.
 *
 * A lease stands from the JOB frame until its RESULT, its HANDBACK or the loss
 * of the worker. Ids are unique over restarts, since workers bring results of an
 * earlier boot.
 *
 * A claim is a lease that we do not know: its worker said in HELLO that it
 * still holds it, from before we restarted or gave it up; or the book says that
 * it was out when we died (leasebook.h). As long as a message has claims, what
 * is pending of it is not given to others.
 */
#ifndef ROUTER_DISPATCH_LEASES_H
#define ROUTER_DISPATCH_LEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/table.h"
#include "router/dispatch/leasebook.h"
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
    uint32_t worker; /* its number; 0: see `entry` */
    /* Until its worker says HELLO the book of our former life claims it for him;
     * NULL from then on. */
    const struct leasebook_entry *entry;
};

struct leases {
    struct leasebook *book; /* NULL: none */
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

/* From now on leases are noted there; it is closed by leases_release(). */
void leases_keep_book(struct leases *leases, struct leasebook *book);
void leases_release(struct leases *leases);

struct lease *leases_new(struct leases *leases, struct worker *worker,
                         struct job *job, uint64_t message);
struct lease *leases_get(const struct leases *leases, uint64_t id);

/* The lease of a LEASED job; walks all of them. */
struct lease *leases_of_job(const struct leases *leases, const struct job *job);

/* Its JOB leaves: noted in the book, until leases_forget(). */
void leases_note(struct leases *leases, const struct lease *lease);

/* Nothing of it is in doubt any more; harmless when it is not in the book. */
void leases_forget(struct leases *leases, uint64_t id);

/* Its JOB did not leave. */
void leases_end(struct leases *leases, struct lease **lease);

/* Its result is here, and has to be written before it is forgotten: ends it and
 * takes its LEASED job out of the lane's list; NULL: it was settled
 * meanwhile. */
struct job *leases_take(struct leases *leases, struct lease **lease);

/* The same when there is no result; it is forgotten. */
struct job *leases_return(struct leases *leases, struct lease **lease);

/* NULL when it is claimed already. */
struct claim *leases_claim(struct leases *leases, uint64_t lease,
                           uint64_t message, uint32_t worker);

/* The book claims it. */
void leases_inherit(struct leases *leases, const struct leasebook_entry *entry);
struct claim *leases_claimed(const struct leases *leases, uint64_t lease);

/* Claims of a message. */
uint32_t leases_claims_of(const struct leases *leases, uint64_t message);

/* It is forgotten, too. */
void leases_end_claim(struct leases *leases, struct claim **claim);

/* The event log owns up to it as a possible duplicate, which is done once. */
void leases_doubt(struct leases *leases, uint64_t id);
bool leases_is_doubted(const struct leases *leases, uint64_t id);

#endif
