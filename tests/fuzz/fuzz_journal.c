/*
 * fuzz_journal.c - any bytes are read as the journal of a former life: what is
 * found can be read, and the journal works on. A damaged one vouches for nobody
 * whom the bytes do not name.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/check.h"
#include "workers/results/journal.h"

static bool see(void *context, struct slice frame)
{
    size_t *seen = context;
    CHECK(frame.len > 0);
    return ++*seen % 2 == 0;
}

static void live(const char *path, uint64_t boot)
{
    struct fault fault;
    size_t seen = 0;
    size_t count = 0;
    struct journal *journal = journal_open(path, boot, &fault);
    CHECK(journal);
    journal_each(journal, see, &seen);
    (void)journal_former(journal, &count);
    CHECK(count < JOURNAL_BOOTS_MAX && seen <= JOURNAL_SLOTS);
    for (uint64_t lease = 0; lease < 8; lease++)
        journal_note(journal, lease, JOURNAL_DOUBT, SLICE("frame"));
    journal_clear(journal, 3);
    journal_close(&journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    if (path[0] == '\0')
        (void)snprintf(path, sizeof path, "/tmp/fuzz-journal-%d",
                       (int)getpid());
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, data, size) == (ssize_t)size);
    (void)close(fd);
    live(path, 1);
    live(path, 2);
    (void)unlink(path);
    return 0;
}
