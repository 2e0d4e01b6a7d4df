/*
 * mapped.h - a small file of fixed size that is memory, and outlives the
 * process.
 *
 * A store into it needs no system call and survives SIGKILL. What it says after
 * a crash of the host is the file system's affair: on a tmpfs it is gone. The
 * file is made when it is not there, and locked for as long as it is open; what
 * it holds is for the user to believe or not.
 *
 * All of it is allocated at once: a disk without room is told here, not by
 * SIGBUS later.
 */
#ifndef COMMON_EDGE_MAPPED_H
#define COMMON_EDGE_MAPPED_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/rc.h"

struct mapped {
    int fd; /* -1: not open */
    void *at;
    size_t bytes;
};

/* RC_IO: it cannot be, or another process has it; then *mapped can still be
 * closed. */
enum rc mapped_open(struct mapped *mapped, const char *path, size_t bytes,
                    struct fault *fault) must_check;

/* The file stays. Harmless when it is closed already. */
void mapped_close(struct mapped *mapped);

#endif
