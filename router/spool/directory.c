/* directory.c - the spool's folder. */
#include "router/spool/directory.h"

#include "common/base/chars.h"
#include "common/base/crash.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/slice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME       "lock"
#define SEQUENCE_DIGITS 16u

static const char *const suffixes[] = {
    [DIRECTORY_SEGMENT] = ".seg",
    [DIRECTORY_SPARE] = ".spare",
    [DIRECTORY_DAMAGED] = ".damaged",
    [DIRECTORY_INDEX] = ".index",
};

/* A new folder is there for good only when its parent was synced. */
static bool sync_parent(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    scoped(mem_free_at) char *parent = mem_copy_text(path, len);
    const int fd =
        open(len > 0 ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool synced = fsync(fd) == 0;
    (void)close(fd);
    return synced;
}

static enum rc make_folder(const char *path, struct fault *fault)
{
    if (mkdir(path, 0700) == 0 && sync_parent(path))
        return RC_OK;
    if (errno == EEXIST)
        return RC_OK;
    return fault_set(fault, RC_IO, errno, "make folder %s", path);
}

/* The lock belongs to the open file, not to the process: a second opening in
 * this very process is refused as well, and closing some other descriptor of
 * the file does not give it up. */
static enum rc take_lock(const char *path, enum directory_mode mode,
                         struct directory *directory, struct fault *fault)
{
    const bool write = mode == DIRECTORY_WRITE;
    const int flags = write ? O_RDWR | O_CREAT : O_RDONLY;
    const int fd =
        openat(directory->fd, LOCK_NAME, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == ENOENT)
        return RC_OK; /* no router was ever here: nobody to keep out */
    if (fd < 0)
        return fault_set(fault, RC_IO, errno, "open %s/%s", path, LOCK_NAME);
    directory->lock_fd = fd;
    struct flock lock = {
        .l_type = write ? F_WRLCK : F_RDLCK,
        .l_whence = SEEK_SET,
    };
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return RC_OK;
    if (errno == EAGAIN || errno == EACCES)
        return fault_set(fault, RC_LIMIT, 0, "spool %s is in use", path);
    return fault_set(fault, RC_IO, errno, "lock %s/%s", path, LOCK_NAME);
}

enum rc directory_open(const char *path, enum directory_mode mode,
                       struct directory *directory, struct fault *fault)
{
    struct directory opened = { .fd = -1, .lock_fd = -1 };
    enum rc rc = mode == DIRECTORY_WRITE ? make_folder(path, fault) : RC_OK;
    if (rc != RC_OK)
        return rc;
    opened.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened.fd < 0)
        return fault_set(fault, errno == ENOENT ? RC_NONE : RC_IO, errno,
                         "open folder %s", path);
    if (mode != DIRECTORY_LOOK)
        rc = take_lock(path, mode, &opened, fault);
    if (rc == RC_OK)
        *directory = opened;
    else
        directory_close(&opened);
    return rc;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void directory_close(struct directory *directory)
{
    close_fd(&directory->lock_fd);
    close_fd(&directory->fd);
}

struct directory_name directory_name_of(enum directory_kind kind,
                                        uint64_t sequence)
{
    struct directory_name name;
    (void)snprintf(name.text, sizeof name.text, "%016" PRIx64 "%s", sequence,
                   suffixes[kind]);
    return name;
}

static bool parse_name(const char *name, enum directory_kind kind,
                       uint64_t *sequence)
{
    uint64_t number = 0;
    for (size_t i = 0; i < SEQUENCE_DIGITS; i++) {
        const int digit = char_hex_value(name[i]);
        if (digit < 0)
            return false;
        number = number << 4 | (uint64_t)digit;
    }
    *sequence = number;
    /* Names are ours in one spelling: no upper-case digits. */
    return strcmp(directory_name_of(kind, number).text, name) == 0;
}

static int compare_sequences(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

enum rc directory_list(const struct directory *directory,
                       enum directory_kind kind, uint64_t **sequences,
                       size_t *count, struct fault *fault)
{
    const int fd =
        openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        const int reason = errno;
        if (fd >= 0)
            (void)close(fd);
        return fault_set(fault, RC_IO, reason, "read the spool's folder");
    }
    uint64_t *found = NULL;
    size_t found_count = 0;
    size_t size = 0;
    for (;;) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
        const struct dirent *entry = readdir(folder);
        if (!entry)
            break;
        uint64_t sequence = 0;
        if (!parse_name(entry->d_name, kind, &sequence))
            continue;
        if (found_count == size) {
            size = size * 2 + 16;
            found = mem_resize(found, size, sizeof *found);
        }
        found[found_count++] = sequence;
    }
    (void)closedir(folder);
    if (found_count > 0)
        qsort(found, found_count, sizeof *found, compare_sequences);
    *sequences = found;
    *count = found_count;
    return RC_OK;
}

int directory_open_file(const struct directory *directory, const char *name,
                        bool write)
{
    return openat(directory->fd, name,
                  (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
}

/* Where the file system cannot allocate ahead we go on without: a full disk
 * then shows at a write, which is as safe, only later. */
static bool allocate(int fd, uint64_t size)
{
    if (fallocate(fd, 0, 0, (off_t)size) == 0)
        return true;
    return errno == EOPNOTSUPP && ftruncate(fd, (off_t)size) == 0;
}

int directory_make_file(const struct directory *directory, const char *name,
                        uint64_t size)
{
    if (unlinkat(directory->fd, name, 0) != 0 && errno != ENOENT)
        return -1;
    const int fd =
        openat(directory->fd, name,
               O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    if (allocate(fd, size))
        return fd;
    const int reason = errno;
    (void)close(fd);
    (void)unlinkat(directory->fd, name, 0);
    errno = reason;
    return -1;
}

bool directory_rename(const struct directory *directory, const char *from,
                      const char *to)
{
    if (renameat(directory->fd, from, directory->fd, to) != 0)
        return false;
    CRASH_POINT("folder.renamed");
    return fsync(directory->fd) == 0;
}

bool directory_remove(const struct directory *directory, const char *name)
{
    if (unlinkat(directory->fd, name, 0) != 0)
        return false;
    CRASH_POINT("folder.removed");
    return fsync(directory->fd) == 0;
}

bool directory_note_file(const struct directory *directory, const char *name,
                         struct slice bytes)
{
    directory_forget_file(directory, name);
    const int fd =
        openat(directory->fd, name,
               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    const bool is_whole = file_write(fd, bytes);
    const int reason = errno;
    (void)close(fd);
    if (!is_whole)
        directory_forget_file(directory, name);
    errno = reason;
    return is_whole;
}

void directory_forget_file(const struct directory *directory, const char *name)
{
    (void)unlinkat(directory->fd, name, 0);
}
