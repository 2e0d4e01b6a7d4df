/*
 * window.h - a run of a segment's bytes in memory, so that many small looks
 * cost one read.
 *
 * The reads go through a function: a file for the spool, a run of bytes for the
 * fuzzer. Nothing at or behind `end` is looked at.
 */
#ifndef ROUTER_SPOOL_WINDOW_H
#define ROUTER_SPOOL_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

/* Reads exactly `len` bytes at `offset`; false with errno when it cannot. */
typedef bool window_read_fn(void *context, uint64_t offset, char *bytes,
                            size_t len);

struct window_source {
    window_read_fn *read;
    void *context;
    uint64_t end;
};

struct window {
    struct window_source source;
    char *bytes;
    size_t size; /* of the memory */
    uint64_t at; /* what is in it, from where */
    size_t len;
};

/* Forgets what was read, keeps the memory. A window begins as zeros. */
void window_open(struct window *window, const struct window_source *source);
void window_release(struct window *window);

/* The `len` bytes at `offset`, valid until the next call. When they have to be
 * read, up to `ahead` bytes are read at once, if they can be. NULL when the
 * bytes cannot be read (errno), or reach over the end (errno 0). */
const char *window_see(struct window *window, uint64_t offset, size_t len,
                       size_t ahead) must_check;

#endif
