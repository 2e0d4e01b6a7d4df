/*
 * leasebook.h - what this router's next life must know of its leases.
 *
 * Which jobs are out is in no record of the spool: that would be a write for
 * each job, before it leaves. Instead each lease has an entry in a small mapped
 * file, from before its JOB leaves until nothing of it can be in doubt any more:
 * what came of it is on disk, its worker handed it back, or the event log has
 * named it as a possible duplicate. The file outlives the process; a host that
 * goes takes it along.
 *
 * So a router that was killed knows which jobs its workers had. What they still
 * hold they say in their HELLO; of one that does not come back all is in doubt
 * (claims.h).
 *
 * One page of head, then entries of 64 bytes. The number of the lease is
 * written last, and is what makes an entry be there. What the file holds is
 * believed as far as it makes sense.
 *
 * For one thread. NULL is no book, in which nothing is noted.
 */
#ifndef ROUTER_DISPATCH_LEASEBOOK_H
#define ROUTER_DISPATCH_LEASEBOOK_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"

#define LEASEBOOK_ENTRIES 32768u /* leases at a time that have one: 2 MB */
#define LEASEBOOK_NAME    40u    /* of a worker's name; what is over is cut */

struct leasebook_entry {
    uint64_t lease; /* 0: the entry is free */
    uint64_t message;
    uint64_t boot; /* of the worker's life */
    char worker[LEASEBOOK_NAME];
};

struct leasebook;

/* Opens or makes the file. NULL: it cannot be, or another process has it. */
struct leasebook *leasebook_open(const char *path,
                                 struct fault *fault) must_check;

/* What is noted stays in the file. */
void leasebook_close(struct leasebook **book);

/* Copies the entry; its lease is not 0. When the book is full it is missing. */
void leasebook_note(struct leasebook *book,
                    const struct leasebook_entry *entry);

/* Harmless when nothing is noted of the lease. */
void leasebook_clear(struct leasebook *book, uint64_t lease);

/* What former lives left. An entry stays where it is until it is cleared, which
 * `fn` may do. */
typedef void leasebook_fn(void *context, const struct leasebook_entry *entry);
void leasebook_each(struct leasebook *book, leasebook_fn *fn, void *context);

/* How many leases of the life before this one found no room. */
uint64_t leasebook_missing(const struct leasebook *book);

#endif
