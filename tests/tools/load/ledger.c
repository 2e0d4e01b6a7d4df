/* ledger.c - a file of one line per message, for the audit of losses. */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool ledger_open(struct ledger *ledger, const char *path)
{
    *ledger = (struct ledger){ .fd = -1 };
    if (path == NULL)
        return true;
    ledger->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return ledger->fd >= 0;
}

struct bytes *ledger_lines(struct ledger *ledger)
{
    return ledger->fd >= 0 ? &ledger->lines : NULL;
}

bool ledger_flush(struct ledger *ledger)
{
    while (ledger->lines.len > 0) {
        const ssize_t wrote =
            write(ledger->fd, ledger->lines.ptr, ledger->lines.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        bytes_drop(&ledger->lines, (size_t)wrote);
    }
    return true;
}

void ledger_release(struct ledger *ledger)
{
    if (ledger->fd >= 0)
        close(ledger->fd);
    ledger->fd = -1;
    bytes_release(&ledger->lines);
}
