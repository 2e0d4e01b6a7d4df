/*
 * arena.h - memory that is freed all at once.
 *
 * One arena per message, session or config: whatever is made in it lives until
 * arena_release or arena_clear, and nothing is freed alone. The cap bounds what
 * a peer can make us hold; reaching it gives NULL, which callers turn into
 * RC_LIMIT. Nothing may keep a pointer into an arena that it outlives.
 */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes handed out */
    size_t max;
};

/* An empty arena that hands out at most `max` bytes. */
void arena_init(struct arena *arena, size_t max);

/* Frees everything; the arena may be used again with the same cap. */
void arena_release(struct arena *arena);

/* Like arena_release, but keeps the first block for the next use. */
void arena_clear(struct arena *arena);

/* Zeroed memory aligned for any type; NULL at the cap. */
void *arena_new(struct arena *arena, size_t count, size_t size) must_check;

/* A NUL-terminated copy; NULL at the cap. */
char *arena_text(struct arena *arena, struct slice text) must_check;

/* A copy as a slice (NUL-terminated, too); .ptr is NULL at the cap. */
struct slice arena_slice(struct arena *arena, struct slice bytes) must_check;

#endif
