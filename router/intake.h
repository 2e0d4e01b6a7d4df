/*
 * intake.h - from submission through the spool into the lanes.
 *
 * A message that is put here is on disk, or is nowhere. When the committer has
 * synced it the lanes get the message and the ticket goes back to the thread
 * that put it, with RC_OK: that is the moment for the 250. When it could not be
 * written the message is freed and the ticket says RC_IO or RC_LIMIT.
 */
#ifndef ROUTER_INTAKE_H
#define ROUTER_INTAKE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/rc.h"
#include "common/edge/loop.h"
#include "router/message.h"

struct intake;

/* Belongs to whoever puts a message, until it comes back through the mailbox
 * given; that mailbox must have room for every ticket out at a time. */
struct intake_ticket {
    struct mailbox *back_to;
    enum rc rc;
    uint64_t id;
};

/* Nothing is owned. `lanes` gets struct message pointers; `full` is true while
 * the lanes want no more. */
struct intake *intake_new(struct spool *spool, struct mailbox *lanes,
                          atomic_bool *full) must_check;
void intake_free(struct intake **intake);

/* Takes the message over when true. False: the spool has no room in its queue
 * or on its disk; the message stays the caller's, who answers 452. */
bool intake_put(struct intake *intake, struct message *message,
                struct intake_ticket *ticket) must_check;

/* Large messages (spool.h) that are on their way, told ahead. */
void intake_expect(struct intake *intake);
void intake_expect_no_more(struct intake *intake);

/* Whether a message of `size` bytes would be welcome now; cheap. */
bool intake_accepts(const struct intake *intake, uint64_t size);

#endif
