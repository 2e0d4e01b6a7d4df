/* check.c - a spool read without a router. */
#include "router/spool/check.h"

#include "common/base/mem.h"
#include "router/spool/chain.h"
#include "router/spool/contents.h"
#include "router/spool/directory.h"
#include "router/spool/recovery.h"

#include <inttypes.h>

struct check {
    struct directory directory;
    struct chain chain;
    struct recovery recovery;
};

enum rc check_open(const char *path, bool beside, struct check **check,
                   struct fault *fault)
{
    scoped(check_close) struct check *opened = NEW(struct check);
    opened->directory = (struct directory){ .fd = -1, .lock_fd = -1 };
    chain_init(&opened->chain);
    opened->recovery.directory = &opened->directory;
    opened->recovery.chain = &opened->chain;
    enum rc rc = directory_open(path, beside ? DIRECTORY_LOOK : DIRECTORY_READ,
                                &opened->directory, fault);
    if (rc == RC_OK)
        rc = recovery_run(&opened->recovery, fault);
    if (rc == RC_OK)
        *check = steal(opened);
    return rc;
}

void check_close(struct check **check)
{
    struct check *closed = steal(*check);
    if (!closed)
        return;
    recovery_release(&closed->recovery);
    chain_release(&closed->chain);
    directory_close(&closed->directory);
    mem_free(closed);
}

void check_each(struct check *check, spool_found_fn *found, void *context)
{
    recovery_tell(&check->recovery, found, context);
}

enum rc check_read_body(struct check *check, uint64_t id, struct body **body,
                        struct fault *fault)
{
    const struct place *place = places_find(&check->chain.places, id);
    if (!place)
        return fault_set(fault, RC_NONE, 0, "no message %" PRIu64, id);
    return contents_read_body(chain_segment(&check->chain, place->sequence),
                              (uint64_t)place->offset * RECORD_ALIGN, id, body,
                              fault);
}

struct check_totals check_totals(const struct check *check)
{
    return (struct check_totals){
        .segments = check->chain.count,
        .messages = places_count(&check->chain.places),
        .bytes = check->chain.bytes,
        .bytes_live = check->chain.bytes_live,
        .damaged = check->recovery.damaged,
    };
}
