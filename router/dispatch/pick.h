/*
 * pick.h - which job of a lane leaves next, and by whose credit.
 *
 * The job is the lane's next (lane.h), the credit that of the source whose turn
 * it is (credit.h). A retry that keeps to the source of its last attempt
 * (retry.h) waits for credit of that one, while a worker holds it and the pool
 * has it; else it may have any. Where it has to wait it is set aside (aside.h)
 * and the next job has its turn, so that it holds up nobody; when its source has
 * credit again it is the next of its tenant.
 */
#ifndef ROUTER_DISPATCH_PICK_H
#define ROUTER_DISPATCH_PICK_H

#include "router/dispatch/core.h"

struct pick {
    struct job *job; /* no longer in any list */
    struct credit *credit;
    enum wire_rank rank;
};

/* False: none can leave now. Looks at DISPATCH_STEPS_MAX jobs at most, and has
 * the lane served again soon where there are more. */
bool pick_next(struct dispatch *dispatch, struct lane *lane,
               struct pick *pick) must_check;

/* Workers came, went, or have other sources: what was set aside for a source
 * that nobody holds any more may have another. */
void pick_release(struct dispatch *dispatch);

#endif
