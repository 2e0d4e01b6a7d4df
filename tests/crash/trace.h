/*
 * trace.h - what a run did to the files of one folder, event by event.
 *
 * record.c writes it, powercut.c reads it. A trace is a row of events, each a
 * struct trace_event and `len` bytes behind it, in the order in which the
 * kernel carried them out. It is read on the machine that wrote it.
 */
#ifndef TESTS_CRASH_TRACE_H
#define TESTS_CRASH_TRACE_H

#include <stddef.h>
#include <stdint.h>

enum trace_kind {
    TRACE_LIFE,   /* a process begins: all descriptors are new */
    TRACE_OPEN,   /* fd; number: 1 when it made the file; bytes: its name */
    TRACE_FOLDER, /* fd is the folder itself */
    TRACE_CLOSE,  /* fd */
    TRACE_WRITE,  /* fd, offset; bytes: what was written */
    TRACE_GROW,   /* fd; number: the file has at least this size now */
    TRACE_SIZE,   /* fd; number: the file has this size now */
    TRACE_SYNC,   /* fd: succeeded */
    TRACE_RENAME, /* bytes: from, NUL, to */
    TRACE_UNLINK, /* bytes: name */
    TRACE_MARK,   /* bytes: a struct mark */
};

struct trace_event {
    uint32_t kind;
    int32_t fd;
    uint64_t offset;
    uint64_t number;
    uint64_t len;
};

/* What the driver of the run says of itself. */
enum mark_kind {
    MARK_POSTED, /* before a write is handed over */
    MARK_DONE,   /* a write was told as done */
    MARK_FOUND,  /* recovery told of this message */
    MARK_OPENED, /* ... and of no other */
};

struct mark {
    uint32_t kind;
    uint32_t write; /* enum spool_kind */
    uint64_t id;
    uint64_t number; /* of the write, rising within a message */
    uint64_t len;    /* of the body */
};

/* Of the recorder, when it is loaded; else NULL. */
__attribute__((weak)) void trace_mark(const struct mark *mark);

#endif
