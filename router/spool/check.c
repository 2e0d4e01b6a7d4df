/* check.c - a spool read without a router. */
#include "router/spool/check.h"

#include "common/base/mem.h"
#include "router/spool/chain.h"
#include "router/spool/contents.h"
#include "router/spool/directory.h"
#include "router/spool/recovery.h"

#include <errno.h>
#include <inttypes.h>

struct check {
    struct directory directory;
    struct chain chain;
    struct recovery recovery;
};

/* How often a router may take files out of the log while they are looked into,
 * or put them to another use. */
#define LOOKS_MAX 5

static void forget(struct check *check)
{
    recovery_release(&check->recovery);
    chain_release(&check->chain);
    chain_init(&check->chain);
    check->recovery = (struct recovery){ .directory = &check->directory,
                                         .chain = &check->chain };
}

/* Beside a router: a segment may have left since the names were read, or become
 * another one since it was opened. Damage that is real is seen each time. */
static enum rc look(struct check *check, bool beside, struct fault *fault)
{
    enum rc rc = RC_IO;
    for (int i = 0; i < LOOKS_MAX; i++) {
        struct fault found = { .rc = RC_OK };
        forget(check);
        rc = recovery_run(&check->recovery, &found);
        if (rc != RC_OK && fault)
            *fault = found;
        const bool is_gone = rc == RC_IO && found.sys_errno == ENOENT;
        const bool is_damaged = rc == RC_OK && check->recovery.damaged > 0;
        if (!beside || (!is_gone && !is_damaged))
            break;
    }
    return rc;
}

enum rc check_open(const char *path, bool beside, struct check **check,
                   struct fault *fault)
{
    scoped(check_close) struct check *opened = NEW(struct check);
    opened->directory = (struct directory){ .fd = -1, .lock_fd = -1 };
    chain_init(&opened->chain);
    enum rc rc = directory_open(path, beside ? DIRECTORY_LOOK : DIRECTORY_READ,
                                &opened->directory, fault);
    if (rc == RC_OK)
        rc = look(opened, beside, fault);
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
