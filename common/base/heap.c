/* heap.c - which member has the smallest key. */
#include "common/base/heap.h"

#include "common/base/mem.h"

void heap_init(struct heap *heap)
{
    *heap = (struct heap){ 0 };
}

void heap_release(struct heap *heap)
{
    mem_free(heap->items);
    heap_init(heap);
}

static struct heap_place *item_at(const struct heap *heap, size_t at)
{
    return heap->items[at - 1];
}

static void put_at(struct heap *heap, struct heap_place *place, size_t at)
{
    heap->items[at - 1] = place;
    place->at = at;
}

static void sift_up(struct heap *heap, struct heap_place *place)
{
    size_t at = place->at;
    for (; at > 1 && item_at(heap, at / 2)->key > place->key; at /= 2)
        put_at(heap, item_at(heap, at / 2), at);
    put_at(heap, place, at);
}

static void sift_down(struct heap *heap, struct heap_place *place)
{
    size_t at = place->at;
    for (size_t child = 2 * at; child <= heap->count; child = 2 * at) {
        if (child < heap->count
            && item_at(heap, child + 1)->key < item_at(heap, child)->key)
            child++;
        if (item_at(heap, child)->key >= place->key)
            break;
        put_at(heap, item_at(heap, child), at);
        at = child;
    }
    put_at(heap, place, at);
}

void heap_set(struct heap *heap, struct heap_place *place, uint64_t key)
{
    if (!heap_has(place)) {
        if (heap->count == heap->size) {
            heap->size = heap->size ? 2 * heap->size : 4;
            heap->items = mem_resize(heap->items, heap->size,
                                     sizeof(struct heap_place *));
        }
        place->at = ++heap->count;
    }
    place->key = key;
    sift_up(heap, place);
    sift_down(heap, place);
}

void heap_remove(struct heap *heap, struct heap_place *place)
{
    if (!heap_has(place))
        return;
    struct heap_place *last = item_at(heap, heap->count--);
    if (last != place) {
        put_at(heap, last, place->at);
        sift_up(heap, last);
        sift_down(heap, last);
    }
    place->at = 0;
}
