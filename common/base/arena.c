/* arena.c - memory that is freed all at once. */
#include "common/base/arena.h"

#include <stdalign.h>

#include "common/base/mem.h"

#define ARENA_BLOCK_SIZE 4096

struct arena_block {
    struct arena_block *older;
    size_t size;
    size_t used;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t max)
{
    *arena = (struct arena){ .max = max };
}

void arena_release(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->older;
        mem_free(block);
    }
    arena->used = 0;
}

void arena_clear(struct arena *arena)
{
    while (arena->blocks && arena->blocks->older) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->older;
        mem_free(block);
    }
    if (arena->blocks) {
        memset(arena->blocks->bytes, 0, arena->blocks->used);
        arena->blocks->used = 0;
    }
    arena->used = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t need)
{
    size_t size = need > ARENA_BLOCK_SIZE ? need : ARENA_BLOCK_SIZE;
    struct arena_block *block = mem_new(1, sizeof *block + size);
    block->size = size;
    block->older = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_new(struct arena *arena, size_t count, size_t size)
{
    size_t need = 0;
    if (__builtin_mul_overflow(count, size, &need) || need > arena->max)
        return NULL;
    need = (need + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (need > arena->max - arena->used)
        return NULL;

    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < need)
        block = add_block(arena, need);
    void *memory = block->bytes + block->used;
    block->used += need;
    arena->used += need;
    return memory;
}

char *arena_text(struct arena *arena, struct slice text)
{
    char *copy = arena_new(arena, text.len + 1, 1);
    if (copy && text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

struct slice arena_slice(struct arena *arena, struct slice bytes)
{
    char *copy = arena_text(arena, bytes);
    return slice_of(copy, copy ? bytes.len : 0);
}
