/*
 * fault.c - a disk that fails, and programs that lie about it.
 *
 * For LD_PRELOAD. FAULT_FOLDER is the folder whose files are hit; FAULT_FILE a
 * file of struct control, shared with the test: it sets `mode`, and finds
 * counted what was done. Two modes make the program wrong instead of the disk,
 * so that a test can show that it would see it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX     4096
#define RECORD_DROP 3
#define HEADER_SIZE 64u

enum mode {
    SYNC_EIO = 's',
    SYNC_EIO_ONCE = 'o',
    SYNC_ENOSPC = 'n',
    SYNC_SLOW = 'd',
    WRITE_EIO = 'w',
    WRITE_ENOSPC = 'f', /* nor is there a new file */
    WRITE_SHORT = 'h',
    WRITE_BYTE = '1',
    WRITE_EINTR = 'i',
    OPEN_EMFILE = 'e',
    OPEN_ENFILE = 'E',
    ACCEPT_EMFILE = 'a',
    ACCEPT_ENFILE = 'A',
    READ_EIO = 'r',
    READ_SYNC_EIO = 'R', /* and the first sync fails: a new segment begins */
    LIE_BEHIND = 'b',    /* each write is done when the next one comes */
    LIE_DROPS = 'u',     /* DROP records are not written */
};

struct control {
    atomic_uint_least64_t mode;
    atomic_uint_least64_t injected;
    atomic_uint_least64_t second_syncs; /* of a descriptor that failed */
    atomic_uint_least64_t syncs;        /* that succeeded */
};

static struct {
    struct control *control;
    char folder[PATH_MAX];
    size_t folder_len;
    atomic_bool failed[FDS_MAX]; /* a sync of this descriptor did */
    atomic_uint turn;
    char *held; /* LIE_BEHIND: what is to be written, and where */
    size_t held_len;
    int held_fd;
    off_t held_at;
} fault;

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("FAULT_FOLDER");
    const char *path = getenv("FAULT_FILE");
    if (!folder || !path || strlen(folder) >= sizeof fault.folder)
        return;
    fault.folder_len = strlen(folder);
    memcpy(fault.folder, folder, fault.folder_len + 1);
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
    if (fd < 0)
        abort();
    fault.control = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE,
                         MAP_SHARED, fd, 0);
    (void)syscall(SYS_close, fd);
    if (fault.control == MAP_FAILED)
        abort();
}

static enum mode mode_now(void)
{
    return fault.control ? (enum mode)atomic_load(&fault.control->mode) : 0;
}

static bool is_ours(int fd)
{
    char link[64];
    char path[PATH_MAX];
    if (!fault.control)
        return false;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof path);
    return len >= (ssize_t)fault.folder_len
           && memcmp(path, fault.folder, fault.folder_len) == 0;
}

static int fail(int reason)
{
    atomic_fetch_add(&fault.control->injected, 1);
    errno = reason;
    return -1;
}

static int sync_fault(enum mode mode)
{
    uint64_t once = SYNC_EIO_ONCE;
    if (mode == SYNC_EIO_ONCE
        && atomic_compare_exchange_strong(&fault.control->mode, &once, '-'))
        return EIO;
    uint64_t first = READ_SYNC_EIO;
    if (mode == READ_SYNC_EIO
        && atomic_compare_exchange_strong(&fault.control->mode, &first,
                                          READ_EIO))
        return EIO;
    if (mode == SYNC_EIO)
        return EIO;
    return mode == SYNC_ENOSPC ? ENOSPC : 0;
}

static int sync_fd(int fd, long number)
{
    const bool is_file = fd >= 0 && fd < FDS_MAX && is_ours(fd);
    if (!is_file)
        return (int)syscall(number, fd);
    if (atomic_load(&fault.failed[fd]))
        atomic_fetch_add(&fault.control->second_syncs, 1);
    const enum mode mode = mode_now();
    const int reason = sync_fault(mode);
    if (reason != 0) {
        atomic_store(&fault.failed[fd], number == SYS_fdatasync);
        return fail(reason);
    }
    if (mode == SYNC_SLOW) {
        atomic_fetch_add(&fault.control->injected, 1);
        (void)usleep(1000000);
    }
    const int result = (int)syscall(number, fd);
    if (result == 0)
        atomic_fetch_add(&fault.control->syncs, 1);
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

int close(int fd)
{
    if (fd >= 0 && fd < FDS_MAX)
        atomic_store(&fault.failed[fd], false);
    return (int)syscall(SYS_close, fd);
}

static ssize_t write_some(int fd, const struct iovec *pieces, int count,
                          off_t offset, size_t len)
{
    struct iovec some[IOV_MAX];
    int used = 0;
    for (; used < count && len > 0; used++) {
        some[used] = pieces[used];
        if (some[used].iov_len > len)
            some[used].iov_len = len;
        len -= some[used].iov_len;
    }
    atomic_fetch_add(&fault.control->injected, 1);
    return syscall(SYS_pwritev, fd, some, used, offset, 0);
}

static size_t length_of(const struct iovec *pieces, int count)
{
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += pieces[i].iov_len;
    return len;
}

static void write_held(void)
{
    if (fault.held
        && syscall(SYS_pwrite64, fault.held_fd, fault.held, fault.held_len,
                   fault.held_at)
               < 0)
        abort();
    free(fault.held);
    fault.held = NULL;
}

static ssize_t hold(int fd, const struct iovec *pieces, int count, off_t offset)
{
    write_held();
    fault.held_len = length_of(pieces, count);
    fault.held = malloc(fault.held_len + 1);
    fault.held_fd = fd;
    fault.held_at = offset;
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        memcpy(fault.held + at, pieces[i].iov_base, pieces[i].iov_len);
        at += pieces[i].iov_len;
    }
    return (ssize_t)fault.held_len;
}

static ssize_t write_no_drops(int fd, const struct iovec *pieces, int count,
                              off_t offset)
{
    static const char zeros[HEADER_SIZE];
    struct iovec some[IOV_MAX];
    for (int i = 0; i < count; i++) {
        const char *bytes = pieces[i].iov_base;
        some[i] = pieces[i];
        if (pieces[i].iov_len == HEADER_SIZE && memcmp(bytes, "SYRC", 4) == 0
            && bytes[4] == RECORD_DROP)
            some[i].iov_base = (void *)(uintptr_t)zeros;
    }
    return syscall(SYS_pwritev, fd, some, count, offset, 0);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    const enum mode mode = mode_now();
    const size_t len = length_of(pieces, count);
    const unsigned turn = atomic_fetch_add(&fault.turn, 1);
    if (is_ours(fd)) {
        if (mode == WRITE_EIO)
            return fail(EIO);
        if (mode == WRITE_ENOSPC)
            return fail(ENOSPC);
        if (mode == WRITE_EINTR && turn % 2 == 0)
            return fail(EINTR);
        if (mode == WRITE_BYTE && len > 1)
            return write_some(fd, pieces, count, offset,
                              len > 64 ? len - 1 : 1);
        if (mode == WRITE_SHORT && len > 1)
            return write_some(fd, pieces, count, offset,
                              1 + turn * 7919u % (len - 1));
        if (mode == LIE_BEHIND)
            return hold(fd, pieces, count, offset);
        if (mode == LIE_DROPS)
            return write_no_drops(fd, pieces, count, offset);
    }
    return syscall(SYS_pwritev, fd, pieces, count, offset, 0);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    const enum mode mode = mode_now();
    if ((mode == WRITE_EIO || mode == WRITE_ENOSPC) && is_ours(fd))
        return fail(mode == WRITE_EIO ? EIO : ENOSPC);
    return syscall(SYS_pwrite64, fd, bytes, len, offset);
}

ssize_t pread(int fd, void *bytes, size_t len, off_t offset)
{
    const enum mode mode = mode_now();
    if ((mode == READ_EIO || mode == READ_SYNC_EIO) && is_ours(fd))
        return fail(EIO);
    return syscall(SYS_pread64, fd, bytes, len, offset);
}

/* What a hardened build calls. */
ssize_t __pread_chk(int fd, void *bytes, size_t len, off_t offset, size_t room);

ssize_t __pread_chk(int fd, void *bytes, size_t len, off_t offset, size_t room)
{
    if (len > room)
        abort();
    return pread(fd, bytes, len, offset);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
    if (mode_now() == WRITE_ENOSPC && is_ours(fd))
        return fail(ENOSPC);
    return (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

static int open_at(int folder, const char *path, int flags, mode_t access)
{
    const enum mode mode = mode_now();
    if ((mode == OPEN_EMFILE || mode == OPEN_ENFILE) && folder != AT_FDCWD
        && is_ours(folder))
        return fail(mode == OPEN_EMFILE ? EMFILE : ENFILE);
    return (int)syscall(SYS_openat, folder, path, flags, access);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t access = (flags & O_CREAT) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_at(folder, path, flags, access);
}

int __openat_2(int folder, const char *path, int flags);

int __openat_2(int folder, const char *path, int flags)
{
    return open_at(folder, path, flags, 0);
}

int accept4(int fd, struct sockaddr *restrict peer, socklen_t *restrict len,
            int flags)
{
    const enum mode mode = mode_now();
    if (mode == ACCEPT_EMFILE || mode == ACCEPT_ENFILE)
        return fail(mode == ACCEPT_EMFILE ? EMFILE : ENFILE);
    return (int)syscall(SYS_accept4, fd, peer, len, flags);
}

/* The names that programs built for large files call. */
int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
int __openat64_2(int, const char *, int) __attribute__((alias("__openat_2")));
ssize_t pwritev64(int, const struct iovec *, int, off64_t)
    __attribute__((alias("pwritev")));
ssize_t pwrite64(int, const void *, size_t, off64_t)
    __attribute__((alias("pwrite")));
ssize_t pread64(int, void *, size_t, off64_t) __attribute__((alias("pread")));
ssize_t __pread64_chk(int, void *, size_t, off64_t, size_t)
    __attribute__((alias("__pread_chk")));
int fallocate64(int, int, off64_t, off64_t) __attribute__((alias("fallocate")));
