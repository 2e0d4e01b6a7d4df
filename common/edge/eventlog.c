/* eventlog.c - JSON lines into a file that many threads append to. */
#include "common/edge/eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/edge/log.h"

#define FLUSH_BYTES    ((size_t)64 * 1024)
#define LINE_BYTES_MAX ((size_t)64 * 1024)

struct eventlog {
    char *path; /* NULL: stdout */
    int fd;
    bool is_file; /* writes do not wait for a reader */
    bool failing; /* the outage was told */
    bool torn;    /* the file ends amid a line */
    size_t ended; /* bytes of whole lines in `lines` */
    struct buf lines;
};

static int open_log(const char *path, struct fault *fault)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        (void)fault_set(fault, RC_IO, errno, "open %s", path);
    return fd;
}

static bool is_regular(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* Who was killed amid a write left a part of a line. */
static bool ends_torn(const char *path)
{
    char last = '\n';
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (is_regular(fd) && lseek(fd, -1, SEEK_END) >= 0
        && read(fd, &last, 1) != 1)
        last = '\n';
    (void)close(fd);
    return last != '\n';
}

struct eventlog *eventlog_open(const char *path, struct fault *fault)
{
    bool to_stdout = strcmp(path, "-") == 0;
    int fd = to_stdout ? STDOUT_FILENO : open_log(path, fault);
    if (fd < 0)
        return NULL;
    struct eventlog *log = NEW(struct eventlog);
    log->fd = fd;
    log->is_file = is_regular(fd);
    if (!to_stdout) {
        log->path = mem_copy_text(path, strlen(path));
        log->torn = ends_torn(path);
    }
    buf_init(&log->lines, FLUSH_BYTES + LINE_BYTES_MAX);
    return log;
}

void eventlog_close(struct eventlog **log)
{
    struct eventlog *l = steal(*log);
    if (!l)
        return;
    eventlog_flush(l);
    if (l->path)
        (void)close(l->fd);
    mem_free(l->path);
    buf_release(&l->lines);
    mem_free(l);
}

struct buf *eventlog_line(struct eventlog *log)
{
    return &log->lines;
}

void eventlog_end_line(struct eventlog *log)
{
    bool fits = !log->lines.full && buf_add_byte(&log->lines, '\n');
    if (!fits) {
        log_line(LOG_ERROR, "event_line_lost", "bytes_max=%zu", LINE_BYTES_MAX);
        buf_cut(&log->lines, log->ended);
        log->lines.full = false;
        return;
    }
    log->ended = log->lines.len;
    if (log->ended >= FLUSH_BYTES)
        eventlog_flush(log);
}

static void tell_outage(struct eventlog *log, int sys_errno)
{
    if (log->failing)
        return;
    log->failing = true;
    struct fault fault;
    (void)fault_set(&fault, RC_IO, sys_errno, "write %s",
                    log->path ? log->path : "stdout");
    log_fault(LOG_ERROR, "event_log_failing", &fault);
}

/* How much goes into the next write: as many whole lines as a pipe takes as
 * one (PIPE_BUF), at least one. */
static struct slice next_write(const struct eventlog *log, struct slice lines)
{
    if (log->is_file || lines.len <= PIPE_BUF)
        return lines;
    const char *last = memrchr(lines.ptr, '\n', PIPE_BUF);
    if (last)
        return slice_head(lines, (size_t)(last - lines.ptr) + 1);
    return slice_head(lines, slice_find(lines, '\n') + 1);
}

static bool takes_more(const struct eventlog *log)
{
    struct pollfd reader = { .fd = log->fd, .events = POLLOUT };
    return log->is_file || poll(&reader, 1, 0) != 0;
}

static ssize_t write_some(struct eventlog *log, struct slice bytes)
{
    if (!takes_more(log)) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t written = write(log->fd, bytes.ptr, bytes.len);
    while (written < 0 && errno == EINTR)
        written = write(log->fd, bytes.ptr, bytes.len);
    return written;
}

/* Drops what cannot be written: later lines matter more than older ones that
 * would be kept in memory. */
static void write_lines(struct eventlog *log, struct slice lines)
{
    CHECK(lines.ptr);
    if (log->torn) {
        if (write_some(log, SLICE("\n")) != 1) {
            tell_outage(log, errno);
            return;
        }
        log->torn = false;
    }
    while (lines.len > 0) {
        struct slice part = next_write(log, lines);
        errno = ENOSPC; /* of a short write, which leaves no errno */
        ssize_t written = write_some(log, part);
        if (written != (ssize_t)part.len) {
            log->torn = written > 0 && part.ptr[written - 1] != '\n';
            tell_outage(log, errno);
            return;
        }
        lines = slice_from(lines, part.len);
    }
    log->failing = false;
}

void eventlog_flush(struct eventlog *log)
{
    if (log->ended == 0)
        return;
    write_lines(log, slice_head(buf_slice(&log->lines), log->ended));
    buf_take(&log->lines, log->ended);
    log->ended = 0;
}

void eventlog_reopen(struct eventlog *log)
{
    if (!log->path)
        return;
    eventlog_flush(log);
    struct fault fault;
    int fd = open_log(log->path, &fault);
    if (fd < 0) {
        log_fault(LOG_ERROR, "event_log_not_reopened", &fault);
        return;
    }
    (void)close(log->fd);
    log->fd = fd;
    log->is_file = is_regular(fd);
    log->torn = ends_torn(log->path);
}
