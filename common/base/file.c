/* file.c - bytes into a file, all of them. */
#include "common/base/file.h"

#include <errno.h>
#include <unistd.h>

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
