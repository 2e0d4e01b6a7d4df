/*
 * finder.h - positions in an array, found by a 32-bit key.
 *
 * Four bytes for each: the keys stay in the array, and a function tells the key
 * of a position. Open addressing, linear probing, at most 7/8 full; a removal
 * closes the gap. A key may be there several times; whoever adds sees to it
 * that those are few.
 */
#ifndef ROUTER_TEMPLATES_FINDER_H
#define ROUTER_TEMPLATES_FINDER_H

#include <stddef.h>
#include <stdint.h>

#define FINDER_NONE UINT32_MAX

typedef uint32_t finder_key_fn(const void *array, uint32_t place);

struct finder {
    uint32_t *slots; /* place + 1; 0: free */
    uint32_t size;   /* 0 or a power of two */
    uint32_t count;
    finder_key_fn *key_of;
    const void *array;
};

void finder_init(struct finder *finder, finder_key_fn *key_of,
                 const void *array);
void finder_release(struct finder *finder);

/* Walks over all that may have the key, others among them: begin with *at =
 * finder_start(); FINDER_NONE at the end. */
uint32_t finder_start(const struct finder *finder, uint32_t key);
uint32_t finder_next(const struct finder *finder, uint32_t *at);

void finder_add(struct finder *finder, uint32_t place);

/* While the array still has its key. */
void finder_remove(struct finder *finder, uint32_t place);

#endif
