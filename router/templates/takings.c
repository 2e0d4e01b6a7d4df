/* takings.c - what is taken of budgets, written down as it is taken. */
#include "router/templates/takings.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/file.h"
#include "common/base/mem.h"

#define FILES 2u
static const char *const names[FILES] = { "templates.0", "templates.1" };

struct takings {
    int folder_fd;
    int fd; /* -1: none; it changes in the one thread alone */
    unsigned which;
    pthread_mutex_t lock; /* of a change of `fd`, and of what follows */
    size_t bytes;
    bool is_dirty;
    bool is_torn; /* what is added now could not be read */
};

static void lock(struct takings *takings)
{
    CHECK(pthread_mutex_lock(&takings->lock) == 0);
}

static void unlock(struct takings *takings)
{
    CHECK(pthread_mutex_unlock(&takings->lock) == 0);
}

struct takings *takings_new(int folder_fd)
{
    struct takings *takings = NEW(struct takings);
    takings->folder_fd = folder_fd;
    takings->fd = -1;
    CHECK(pthread_mutex_init(&takings->lock, NULL) == 0);
    return takings;
}

void takings_free(struct takings **takings)
{
    struct takings *freed = steal(*takings);
    if (!freed)
        return;
    if (freed->fd >= 0)
        (void)close(freed->fd);
    (void)pthread_mutex_destroy(&freed->lock);
    mem_free(freed);
}

static bool read_one(int folder_fd, const char *name, templates_file_fn *fn,
                     void *context)
{
    struct fault fault;
    scoped(buf_release) struct buf bytes;
    buf_init(&bytes, TEMPLATES_FILE_MAX);
    const enum rc rc = file_read_at(folder_fd, name, &bytes, &fault);
    if (rc == RC_NONE)
        return true;
    return rc == RC_OK && templates_file_parse(buf_slice(&bytes), fn, context);
}

bool takings_read(int folder_fd, templates_file_fn *fn, void *context)
{
    bool is_read = true;
    for (unsigned i = 0; i < FILES; i++)
        is_read = read_one(folder_fd, names[i], fn, context) && is_read;
    return is_read;
}

/* An empty one, of which the folder knows; -1 with errno. */
static int begin_file(int folder_fd, const char *name)
{
    scoped(buf_release) struct buf head;
    buf_init(&head, RECORD_PACKED_MAX);
    templates_file_begin(&head);
    const int fd = openat(
        folder_fd, name,
        O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    if (file_write(fd, buf_slice(&head)) && fsync(fd) == 0
        && fsync(folder_fd) == 0)
        return fd;
    const int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

enum rc takings_turn(struct takings *takings, struct fault *fault)
{
    const unsigned next = (takings->which + 1) % FILES;
    const int fd = begin_file(takings->folder_fd, names[next]);
    if (fd < 0)
        return fault_set(fault, RC_IO, errno, "begin %s", names[next]);
    const int before = takings->fd;
    lock(takings);
    takings->fd = fd;
    takings->which = next;
    takings->bytes = 0;
    takings->is_dirty = false;
    takings->is_torn = false;
    unlock(takings);
    if (before >= 0)
        (void)close(before);
    return RC_OK;
}

void takings_add(struct takings *takings, const struct template_record *record)
{
    scoped(buf_release) struct buf framed;
    buf_init(&framed, (size_t)2 * RECORD_PACKED_MAX);
    if (!templates_file_add(&framed, record))
        return;
    lock(takings);
    if (takings->fd >= 0 && !takings->is_torn) {
        takings->is_torn = !file_write(takings->fd, buf_slice(&framed));
        takings->bytes += framed.len;
        takings->is_dirty = true;
    }
    unlock(takings);
}

bool takings_is_whole(struct takings *takings)
{
    lock(takings);
    const bool is_whole = takings->fd >= 0 && !takings->is_torn;
    unlock(takings);
    return is_whole;
}

size_t takings_bytes(struct takings *takings)
{
    lock(takings);
    const size_t bytes = takings->bytes;
    unlock(takings);
    return bytes;
}

enum rc takings_sync(struct takings *takings, struct fault *fault)
{
    lock(takings);
    const bool is_dirty = takings->is_dirty;
    takings->is_dirty = false;
    unlock(takings);
    if (!is_dirty || fdatasync(takings->fd) == 0)
        return RC_OK;
    const int reason = errno;
    lock(takings);
    takings->is_torn = true; /* and a second sync would say nothing of it */
    unlock(takings);
    return fault_set(fault, RC_IO, reason, "sync %s", names[takings->which]);
}
