/*
 * fuzz_leasebook.c - any bytes are read as the book of a former life: what is
 * found can be read and cleared, and the book works on.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/check.h"
#include "router/dispatch/leasebook.h"

struct seen {
    struct leasebook *book;
    size_t count;
};

static void see(void *context, const struct leasebook_entry *entry)
{
    struct seen *seen = context;
    CHECK(entry->lease != 0 && entry->message != 0);
    CHECK(strlen(entry->worker) < LEASEBOOK_NAME);
    if (++seen->count % 2 == 0)
        leasebook_clear(seen->book, entry->lease);
}

static size_t live(const char *path)
{
    struct fault fault;
    struct seen seen = { leasebook_open(path, &fault), 0 };
    CHECK(seen.book);
    leasebook_each(seen.book, see, &seen);
    (void)leasebook_missing(seen.book);
    for (uint64_t lease = 1; lease < 8; lease++)
        leasebook_note(seen.book, &(struct leasebook_entry){ .lease = lease,
                                                             .message = 1 });
    leasebook_clear(seen.book, 3);
    leasebook_close(&seen.book);
    return seen.count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    if (path[0] == '\0')
        (void)snprintf(path, sizeof path, "/tmp/fuzz-leasebook-%d",
                       (int)getpid());
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, data, size) == (ssize_t)size);
    (void)close(fd);
    (void)live(path);
    CHECK(live(path) >= 6);
    (void)unlink(path);
    return 0;
}
