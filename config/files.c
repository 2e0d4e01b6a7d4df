/* files.c - small files that the config names, read whole; and their paths. */
#include "config/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#define READ_SIZE 65536

static void close_at(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

enum rc files_read(const char *path, struct buf *text, struct stat *info,
                   struct fault *fault)
{
    /* Not blocking: opening a FIFO must not wait for its writer. */
    scoped(close_at) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, info) != 0)
        return fault_set(fault, RC_IO, errno, "cannot open '%s'", path);
    if (!S_ISREG(info->st_mode))
        return fault_set(fault, RC_IO, 0, "'%s' is not a regular file", path);
    for (;;) {
        char bytes[READ_SIZE];
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got == 0)
            return RC_OK;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fault_set(fault, RC_IO, errno, "cannot read '%s'", path);
        if (!buf_add(text, slice_of(bytes, (size_t)got)))
            return fault_set(fault, RC_LIMIT, 0, "'%s' is too big", path);
    }
}

void files_join(struct buf *out, const char *folder, const char *path)
{
    if (path[0] != '/') {
        if (folder[0])
            (void)buf_add_text(out, folder);
        (void)buf_add_byte(out, '/');
    }
    (void)buf_add_text(out, path);
    (void)buf_add_byte(out, '\0');
}

enum rc files_folder(struct buf *out, const char *path, struct fault *fault)
{
    if (path[0] != '/') {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here))
            return fault_set(fault, RC_IO, errno, "current folder");
        (void)buf_add_text(out, here);
        (void)buf_add_byte(out, '/');
    }
    (void)buf_add_text(out, path);
    struct slice whole = buf_slice(out);
    size_t len = whole.len;
    while (len > 0 && whole.ptr[len - 1] != '/')
        len--;
    while (len > 1 && whole.ptr[len - 1] == '/')
        len--;
    buf_cut(out, len);
    (void)buf_add_byte(out, '\0');
    return out->full ? fault_set(fault, RC_LIMIT, 0, "path is too long")
                     : RC_OK;
}
