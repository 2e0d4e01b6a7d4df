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

/* False when the payload says nothing. A kind of a later version is no damage:
 * there is nothing that we could do for it. */
static bool read_record(struct slice payload, ledger_fn *fn, void *context)
{
    struct action action;
    struct progress progress;
    const enum rc rc = action_unpack(payload, &action);
    if (rc == RC_NONE)
        return true;
    if (rc != RC_OK || progress_unpack(payload, &progress) != RC_OK)
        return false;
    fn(context, &action, &progress);
    return true;
}

bool ledger_parse(struct slice bytes, ledger_fn *fn, void *context)
{
    bool good = true;
    if (bytes.len == 0)
        return true;
    if (!slice_equal(slice_head(bytes, sizeof magic),
                     slice_of(magic, sizeof magic)))
        return false;
    struct cursor cursor = cursor_of(slice_from(bytes, sizeof magic));
    struct slice payload;
    enum rc rc;
    while ((rc = framed_next(&cursor, &payload)) == RC_OK || rc == RC_SYNTAX)
        good = rc == RC_OK && read_record(payload, fn, context) && good;
    return good && rc == RC_NONE;
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
