/* file.c - bytes into a file, all of them, and out of one. */
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define READ_BYTES (64u << 10)
#define NAME_SIZE  256

bool file_write(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        const ssize_t put = write(fd, bytes.ptr, bytes.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes = slice_from(bytes, (size_t)put);
    }
    return true;
}

bool file_read_open(int fd, struct buf *out)
{
    for (;;) {
        char *room = buf_room(out, READ_BYTES);
        if (!room) {
            errno = EFBIG;
            return false;
        }
        const ssize_t got = read(fd, room, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        buf_added(out, (size_t)got);
    }
}

/* Closes the fd. */
static bool read_and_close(int fd, struct buf *out)
{
    bool is_read = file_read_open(fd, out);
    int error = errno;
    (void)close(fd);
    errno = error;
    return is_read;
}

bool file_read(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read_and_close(fd, out);
}

enum rc file_read_at(int folder_fd, const char *name, struct buf *out,
                     struct fault *fault)
{
    const int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return RC_NONE;
    if (fd < 0)
        return fault_set(fault, RC_IO, errno, "open %s", name);
    if (read_and_close(fd, out))
        return RC_OK;
    return fault_set(fault, errno == EFBIG ? RC_LIMIT : RC_IO, errno, "read %s",
                     name);
}

enum rc file_replace_at(int folder_fd, const char *name, struct slice bytes,
                        struct fault *fault)
{
    char beside[NAME_SIZE];
    if (snprintf(beside, sizeof beside, "%s.new", name) >= NAME_SIZE)
        return fault_set(fault, RC_LIMIT, 0, "%s is too long", name);
    const int fd =
        openat(folder_fd, beside,
               O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fault_set(fault, RC_IO, errno, "make %s", beside);
    bool good = file_write(fd, bytes) && fsync(fd) == 0;
    int reason = errno;
    if (close(fd) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (!good)
        return fault_set(fault, RC_IO, reason, "write %s", beside);
    if (renameat(folder_fd, beside, folder_fd, name) != 0
        || fsync(folder_fd) != 0)
        return fault_set(fault, RC_IO, errno, "rename %s", beside);
    return RC_OK;
}
