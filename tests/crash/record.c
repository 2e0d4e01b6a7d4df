/*
 * record.c - notes what a process does to the files of one folder.
 *
 * For LD_PRELOAD. RECORD_FOLDER is the folder, RECORD_TRACE the file that the
 * trace (trace.h) is appended to, RECORD_SYNC_US how much longer a sync takes,
 * so that writes gather. A call and its event are one step under a lock: the
 * order of the trace is the order of the calls. What it does not see is mmap
 * and links; the spool uses neither.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "trace.h"

#define FDS_MAX 1024

enum fd_kind { FD_OTHER, FD_FILE, FD_FOLDER };

static struct {
    pthread_mutex_t lock;
    char folder[PATH_MAX];
    size_t folder_len;
    int trace;
    useconds_t sync_us;
    unsigned char fds[FDS_MAX]; /* enum fd_kind */
} recorder = { .lock = PTHREAD_MUTEX_INITIALIZER, .trace = -1 };

static void put_event(struct trace_event event, const void *bytes)
{
    const struct iovec parts[2] = {
        { .iov_base = &event, .iov_len = sizeof event },
        { .iov_base = (void *)(uintptr_t)bytes, .iov_len = event.len },
    };
    const ssize_t want = (ssize_t)(sizeof event + event.len);
    if (syscall(SYS_writev, recorder.trace, parts, 2) != want)
        abort(); /* a trace with a hole proves nothing */
}

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("RECORD_FOLDER");
    const char *trace = getenv("RECORD_TRACE");
    const char *sync_us = getenv("RECORD_SYNC_US");
    if (!folder || !trace || !realpath(folder, recorder.folder))
        return;
    recorder.folder_len = strlen(recorder.folder);
    recorder.sync_us = sync_us ? (useconds_t)strtoul(sync_us, NULL, 10) : 0;
    recorder.trace =
        (int)syscall(SYS_openat, AT_FDCWD, trace,
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (recorder.trace < 0)
        abort();
    put_event((struct trace_event){ .kind = TRACE_LIFE }, NULL);
}

/* The kind of a descriptor that is being used now. */
static enum fd_kind kind_of(int fd)
{
    return recorder.trace >= 0 && fd >= 0 && fd < FDS_MAX
               ? (enum fd_kind)recorder.fds[fd]
               : FD_OTHER;
}

static void note_open(int fd, bool is_made)
{
    char link[64];
    char path[PATH_MAX];
    if (recorder.trace < 0 || fd < 0 || fd >= FDS_MAX)
        return;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof path - 1);
    recorder.fds[fd] = FD_OTHER;
    if (len < (ssize_t)recorder.folder_len)
        return;
    path[len] = '\0';
    if (strncmp(path, recorder.folder, recorder.folder_len) != 0)
        return;
    if (path[recorder.folder_len] == '\0') {
        recorder.fds[fd] = FD_FOLDER;
        put_event((struct trace_event){ .kind = TRACE_FOLDER, .fd = fd }, NULL);
    } else if (path[recorder.folder_len] == '/') {
        const char *name = path + recorder.folder_len + 1;
        recorder.fds[fd] = FD_FILE;
        put_event((struct trace_event){ .kind = TRACE_OPEN,
                                        .fd = fd,
                                        .number = is_made,
                                        .len = strlen(name) },
                  name);
    }
}

static int open_at(int folder, const char *path, int flags, mode_t mode)
{
    struct stat is;
    (void)pthread_mutex_lock(&recorder.lock);
    const bool is_made =
        (flags & O_CREAT)
        && fstatat(folder, path, &is, AT_SYMLINK_NOFOLLOW) != 0;
    const int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    const int reason = errno;
    note_open(fd, is_made);
    if (kind_of(fd) == FD_FILE && (flags & O_TRUNC) && !is_made)
        put_event((struct trace_event){ .kind = TRACE_SIZE, .fd = fd }, NULL);
    (void)pthread_mutex_unlock(&recorder.lock);
    errno = reason;
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_at(folder, path, flags, mode);
}

/* What a hardened build calls when there is no mode. */
int __open_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}

int __openat_2(int folder, const char *path, int flags)
{
    return open_at(folder, path, flags, 0);
}

int close(int fd)
{
    (void)pthread_mutex_lock(&recorder.lock);
    if (kind_of(fd) != FD_OTHER) {
        put_event((struct trace_event){ .kind = TRACE_CLOSE, .fd = fd }, NULL);
        recorder.fds[fd] = FD_OTHER;
    }
    const int result = (int)syscall(SYS_close, fd);
    (void)pthread_mutex_unlock(&recorder.lock);
    return result;
}

/* The first `done` bytes of the pieces reached the file. */
static void note_write(int fd, const struct iovec *pieces, int count,
                       off_t offset, ssize_t done)
{
    const int reason = errno;
    for (int i = 0; i < count && done > 0; i++) {
        const size_t len =
            pieces[i].iov_len < (size_t)done ? pieces[i].iov_len : (size_t)done;
        put_event((struct trace_event){ .kind = TRACE_WRITE,
                                        .fd = fd,
                                        .offset = (uint64_t)offset,
                                        .len = len },
                  pieces[i].iov_base);
        offset += (off_t)len;
        done -= (ssize_t)len;
    }
    errno = reason;
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    (void)pthread_mutex_lock(&recorder.lock);
    const ssize_t done = syscall(SYS_pwritev, fd, pieces, count, offset, 0);
    if (kind_of(fd) == FD_FILE)
        note_write(fd, pieces, count, offset, done);
    (void)pthread_mutex_unlock(&recorder.lock);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    const struct iovec piece = { .iov_base = (void *)(uintptr_t)bytes,
                                 .iov_len = len };
    return pwritev(fd, &piece, 1, offset);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    (void)pthread_mutex_lock(&recorder.lock);
    const ssize_t done = syscall(SYS_writev, fd, pieces, count);
    if (kind_of(fd) == FD_FILE && done > 0) {
        const off_t end = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
        note_write(fd, pieces, count, end - (off_t)done, done);
    }
    (void)pthread_mutex_unlock(&recorder.lock);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    const struct iovec piece = { .iov_base = (void *)(uintptr_t)bytes,
                                 .iov_len = len };
    return writev(fd, &piece, 1);
}

static void note_size(int fd, enum trace_kind kind, off_t size, bool is_done)
{
    if (is_done && kind_of(fd) == FD_FILE)
        put_event((struct trace_event){ .kind = kind,
                                        .fd = fd,
                                        .number = (uint64_t)size },
                  NULL);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
    (void)pthread_mutex_lock(&recorder.lock);
    const int result = (int)syscall(SYS_fallocate, fd, mode, offset, len);
    note_size(fd, TRACE_GROW, offset + len, result == 0 && mode == 0);
    (void)pthread_mutex_unlock(&recorder.lock);
    return result;
}

int ftruncate(int fd, off_t size)
{
    (void)pthread_mutex_lock(&recorder.lock);
    const int result = (int)syscall(SYS_ftruncate, fd, size);
    note_size(fd, TRACE_SIZE, size, result == 0);
    (void)pthread_mutex_unlock(&recorder.lock);
    return result;
}

static int sync_fd(int fd, long number)
{
    if (recorder.sync_us > 0 && kind_of(fd) != FD_OTHER)
        (void)usleep(recorder.sync_us);
    (void)pthread_mutex_lock(&recorder.lock);
    const int result = (int)syscall(number, fd);
    if (result == 0 && kind_of(fd) != FD_OTHER)
        put_event((struct trace_event){ .kind = TRACE_SYNC, .fd = fd }, NULL);
    (void)pthread_mutex_unlock(&recorder.lock);
    return result;
}

int fsync(int fd)
{
    return sync_fd(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_fd(fd, SYS_fdatasync);
}

/* Both names lie in the folder, which is what its owner does. */
int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    (void)pthread_mutex_lock(&recorder.lock);
    const int result =
        (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
    if (result == 0 && kind_of(from_folder) == FD_FOLDER) {
        char names[2 * NAME_MAX + 2];
        const size_t from_len = strlen(from);
        const size_t to_len = strlen(to);
        if (from_len > NAME_MAX || to_len > NAME_MAX)
            abort();
        memcpy(names, from, from_len + 1);
        memcpy(names + from_len + 1, to, to_len);
        put_event((struct trace_event){ .kind = TRACE_RENAME,
                                        .len = from_len + 1 + to_len },
                  names);
    }
    (void)pthread_mutex_unlock(&recorder.lock);
    return result;
}

int unlinkat(int folder, const char *name, int flags)
{
    (void)pthread_mutex_lock(&recorder.lock);
    const int result = (int)syscall(SYS_unlinkat, folder, name, flags);
    const int reason = errno;
    if (result == 0 && kind_of(folder) == FD_FOLDER)
        put_event(
            (struct trace_event){ .kind = TRACE_UNLINK, .len = strlen(name) },
            name);
    (void)pthread_mutex_unlock(&recorder.lock);
    errno = reason;
    return result;
}

/* The names that programs built for large files call. */
int open64(const char *, int, ...) __attribute__((alias("open")));
int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
int __open64_2(const char *, int) __attribute__((alias("__open_2")));
int __openat64_2(int, const char *, int) __attribute__((alias("__openat_2")));
ssize_t pwritev64(int, const struct iovec *, int, off64_t)
    __attribute__((alias("pwritev")));
ssize_t pwrite64(int, const void *, size_t, off64_t)
    __attribute__((alias("pwrite")));
int fallocate64(int, int, off64_t, off64_t) __attribute__((alias("fallocate")));
int ftruncate64(int, off64_t) __attribute__((alias("ftruncate")));

void trace_mark(const struct mark *mark)
{
    (void)pthread_mutex_lock(&recorder.lock);
    if (recorder.trace >= 0)
        put_event(
            (struct trace_event){ .kind = TRACE_MARK, .len = sizeof *mark },
            mark);
    (void)pthread_mutex_unlock(&recorder.lock);
}
