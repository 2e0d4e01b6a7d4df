/* ledger.c - the file that keeps actions. */
#include "router/actions/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/file.h"
#include "router/spool/bytes.h"
#include "router/spool/record.h"

#define NAME       "actions"
#define NAME_NEW   "actions.new"
#define NAME_ASIDE "actions.damaged"
#define HEAD_SIZE  12u /* length and sum */
#define READ_SIZE  (64u << 10)

static const char magic[8] = { 'S', 'Y', 'D', 'A', 'C', 'T', 0, 1 };

void ledger_begin(struct buf *out)
{
    (void)buf_add(out, slice_of(magic, sizeof magic));
}

bool ledger_add(struct buf *out, const struct action *action,
                const struct progress *progress)
{
    char head[HEAD_SIZE];
    scoped(buf_release) struct buf payload;
    buf_init(&payload, ACTION_BYTES_MAX);
    if (!action_pack(action, &payload) || !progress_pack(progress, &payload))
        return false;
    bytes_put32(head, (uint32_t)payload.len);
    bytes_put64(head + 4, record_sum(buf_slice(&payload)));
    return buf_add(out, slice_of(head, sizeof head))
           && buf_add(out, buf_slice(&payload));
}

/* False when the payload says nothing. A kind of a later version is no damage:
 * there is nothing that we could do for it. */
static bool read_record(struct slice payload, uint64_t sum, ledger_fn *fn,
                        void *context)
{
    struct action action;
    struct progress progress;
    if (record_sum(payload) != sum)
        return false;
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
    bytes = slice_from(bytes, sizeof magic);
    while (bytes.len >= HEAD_SIZE) {
        const size_t len = bytes_get32(bytes.ptr);
        const uint64_t sum = bytes_get64(bytes.ptr + 4);
        bytes = slice_from(bytes, HEAD_SIZE);
        if (len > bytes.len)
            return false;
        good = read_record(slice_head(bytes, len), sum, fn, context) && good;
        bytes = slice_from(bytes, len);
    }
    return good && bytes.len == 0;
}

static enum rc read_all(int fd, struct buf *bytes)
{
    for (;;) {
        char *room = buf_room(bytes, READ_SIZE);
        if (!room)
            return RC_LIMIT;
        const ssize_t got = read(fd, room, READ_SIZE);
        if (got > 0)
            buf_added(bytes, (size_t)got);
        else if (got == 0)
            return RC_OK;
        else if (errno != EINTR)
            return RC_IO;
    }
}

enum rc ledger_read(int folder_fd, struct buf *bytes, struct fault *fault)
{
    const int fd = openat(folder_fd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return RC_NONE;
    if (fd < 0)
        return fault_set(fault, RC_IO, errno, "open %s", NAME);
    const enum rc rc = read_all(fd, bytes);
    const int reason = errno;
    (void)close(fd);
    if (rc != RC_OK)
        return fault_set(fault, rc, rc == RC_IO ? reason : 0, "read %s", NAME);
    return RC_OK;
}

enum rc ledger_write(int folder_fd, struct slice bytes, struct fault *fault)
{
    const int fd =
        openat(folder_fd, NAME_NEW,
               O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fault_set(fault, RC_IO, errno, "make %s", NAME_NEW);
    bool good = file_write(fd, bytes) && fsync(fd) == 0;
    int reason = errno;
    if (close(fd) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (!good)
        return fault_set(fault, RC_IO, reason, "write %s", NAME_NEW);
    if (renameat(folder_fd, NAME_NEW, folder_fd, NAME) != 0
        || fsync(folder_fd) != 0)
        return fault_set(fault, RC_IO, errno, "rename %s", NAME_NEW);
    return RC_OK;
}

void ledger_set_aside(int folder_fd)
{
    (void)renameat(folder_fd, NAME, folder_fd, NAME_ASIDE);
}
