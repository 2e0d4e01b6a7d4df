/*
 * heap.h - which member has the smallest key: a binary heap of its members.
 *
 * The place sits inside the member, so that one in the middle can be moved or
 * taken out; the heap owns nothing but an array of pointers. All but
 * heap_first() cost O(log n). Members with the same key come in any order.
 */
#ifndef COMMON_BASE_HEAP_H
#define COMMON_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in the member; all zeros: in no heap. */
struct heap_place {
    uint64_t key;
    size_t at; /* position, from 1; 0: in no heap */
};

struct heap {
    struct heap_place **items; /* items[0] is at position 1 */
    size_t count;
    size_t size;
};

/* An empty heap; allocates nothing yet. */
void heap_init(struct heap *heap);

/* Frees the array; members stay as they are and must not be used as such. */
void heap_release(struct heap *heap);

static inline bool heap_has(const struct heap_place *place)
{
    return place->at > 0;
}

/* Puts the member in, or gives it another key when it is in already. */
void heap_set(struct heap *heap, struct heap_place *place, uint64_t key);

/* Harmless when it is in no heap. */
void heap_remove(struct heap *heap, struct heap_place *place);

/* The member with the smallest key; NULL: the heap is empty. */
static inline struct heap_place *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}

#endif
