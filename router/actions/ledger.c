/* ledger.c - the file that keeps actions. */
#include "router/actions/ledger.h"

#include <stdio.h>

#include "common/base/file.h"
#include "router/spool/framed.h"

#define NAME       "actions"
#define NAME_ASIDE "actions.damaged"

static const char magic[8] = { 'S', 'Y', 'D', 'A', 'C', 'T', 0, 1 };

void ledger_begin(struct buf *out)
{
    (void)buf_add(out, slice_of(magic, sizeof magic));
}

bool ledger_add(struct buf *out, const struct action *action,
                const struct progress *progress)
{
    scoped(buf_release) struct buf payload;
    buf_init(&payload, ACTION_BYTES_MAX);
    if (!action_pack(action, &payload) || !progress_pack(progress, &payload))
        return false;
    return framed_add(out, buf_slice(&payload));
}

struct hearer {
    ledger_fn *fn;
    void *context;
};

/* False when the payload says nothing. A kind of a later version is no damage:
 * there is nothing that we could do for it. */
static bool hear_record(void *context, struct slice payload)
{
    const struct hearer *hearer = context;
    struct action action;
    struct progress progress;
    const enum rc rc = action_unpack(payload, &action);
    if (rc == RC_NONE)
        return true;
    if (rc != RC_OK || progress_unpack(payload, &progress) != RC_OK)
        return false;
    hearer->fn(hearer->context, &action, &progress);
    return true;
}

bool ledger_parse(struct slice bytes, ledger_fn *fn, void *context)
{
    struct hearer hearer = { fn, context };
    return framed_each(bytes, slice_of(magic, sizeof magic), hear_record,
                       &hearer);
}

enum rc ledger_read(int folder_fd, struct buf *bytes, struct fault *fault)
{
    return file_read_at(folder_fd, NAME, bytes, fault);
}

enum rc ledger_write(int folder_fd, struct slice bytes, struct fault *fault)
{
    return file_replace_at(folder_fd, NAME, bytes, fault);
}

void ledger_set_aside(int folder_fd)
{
    (void)renameat(folder_fd, NAME, folder_fd, NAME_ASIDE);
}
