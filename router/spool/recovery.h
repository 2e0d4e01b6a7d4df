/*
 * recovery.h - from the files back to the chain, when a spool is opened.
 *
 * README.md, section 5. Runs before the committer does.
 */
#ifndef ROUTER_SPOOL_RECOVERY_H
#define ROUTER_SPOOL_RECOVERY_H

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "router/spool/directory.h"
#include "router/spool/roll.h"
#include "router/spool/spool.h"

struct chain;

struct recovery {
    struct directory *directory;
    struct chain *chain; /* empty before */
    struct spool_listener listener;
    bool is_writer;   /* false: an offline reader, changes nothing */
    uint64_t damaged; /* records, or runs of bytes, that were lost */
    struct roll roll;
};

/* Builds the chain. Damage is counted, not failed upon; RC_SYNTAX: a segment
 * is of a later version of the program; RC_IO. A read that fails is damage for an
 * offline reader, and RC_IO for the router: what it goes by must be whole. */
enum rc recovery_run(struct recovery *recovery, struct fault *fault) must_check;

/* Tells all live messages in the order of their PUTs; the first reads each of
 * them, the second none. */
void recovery_tell(struct recovery *recovery, spool_found_fn *found,
                   void *context);

void recovery_tell_live(const struct recovery *recovery, spool_live_fn *live,
                        void *context);

void recovery_release(struct recovery *recovery);

#endif
