/* test_heap.c - the smallest key comes first, whatever happens in between. */
#include "common/base/heap.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MANY 200u

static void the_first_is_always_the_smallest(void **state)
{
    (void)state;
    struct heap_place places[MANY] = { { 0, 0 } };
    struct heap heap;
    heap_init(&heap);
    assert_null(heap_first(&heap));
    heap_remove(&heap, &places[0]); /* in none: harmless */
    uint64_t seed = 1;
    for (unsigned step = 0; step < 20000; step++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        struct heap_place *place = &places[(seed >> 33) % MANY];
        if (seed >> 63)
            heap_set(&heap, place, (seed >> 20) % 1000);
        else
            heap_remove(&heap, place);
        uint64_t least = UINT64_MAX;
        size_t count = 0;
        for (unsigned i = 0; i < MANY; i++) {
            count += heap_has(&places[i]);
            if (heap_has(&places[i]) && places[i].key < least)
                least = places[i].key;
        }
        assert_int_equal(heap.count, count);
        const struct heap_place *first = heap_first(&heap);
        assert_int_equal(first ? first->key : UINT64_MAX, least);
    }
    heap_release(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_always_the_smallest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
