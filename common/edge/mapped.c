/* mapped.c - a small file that is memory, and outlives the process. */
#include "common/edge/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum rc mapped_open(struct mapped *mapped, const char *path, size_t bytes,
                    struct fault *fault)
{
    *mapped = (struct mapped){ .bytes = bytes };
    mapped->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (mapped->fd < 0)
        return fault_set(fault, RC_IO, errno, "open %s", path);
    if (flock(mapped->fd, LOCK_EX | LOCK_NB) != 0)
        return fault_set(fault, RC_IO, errno, "lock %s", path);
    if (ftruncate(mapped->fd, (off_t)bytes) != 0)
        return fault_set(fault, RC_IO, errno, "size of %s", path);
    const int failed = posix_fallocate(mapped->fd, 0, (off_t)bytes);
    if (failed != 0)
        return fault_set(fault, RC_IO, failed, "room for %s", path);
    void *at =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, mapped->fd, 0);
    if (at == MAP_FAILED)
        return fault_set(fault, RC_IO, errno, "map %s", path);
    mapped->at = at;
    return RC_OK;
}

void mapped_close(struct mapped *mapped)
{
    if (mapped->at)
        (void)munmap(mapped->at, mapped->bytes);
    if (mapped->fd >= 0)
        (void)close(mapped->fd);
    *mapped = (struct mapped){ .fd = -1 };
}
