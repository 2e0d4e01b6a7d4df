/* test_places - the table of places agrees with a plain list, whatever is added
 * and removed, and stays within its memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "router/spool/places.h"

#define IDS   5000u
#define STEPS 200000u

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Ids near one another, as they are made, and ids far apart. */
static uint64_t id_of(size_t at)
{
    return at % 2 == 0 ? at + 1 : (uint64_t)(at + 1) << 40;
}

static void assert_same(const struct places *places, const uint32_t *offsets)
{
    size_t count = 0;
    for (size_t i = 0; i < IDS; i++) {
        const struct place *place = places_find(places, id_of(i));
        assert_int_equal(place != NULL, offsets[i] != 0);
        if (!place)
            continue;
        assert_int_equal(place->offset, offsets[i]);
        count++;
    }
    assert_int_equal(count, places_count(places));
}

static void it_agrees_with_a_list(void **state)
{
    (void)state;
    struct places places;
    uint32_t *offsets = mem_new(IDS, sizeof *offsets);
    uint64_t seed = 88172645463325252u;
    places_init(&places);
    for (uint32_t step = 1; step <= STEPS; step++) {
        const size_t at = next_random(&seed) % IDS;
        if (offsets[at] == 0) {
            places_add(&places, id_of(at))->offset = step;
            offsets[at] = step;
        } else {
            places_remove(&places, places_find(&places, id_of(at)));
            offsets[at] = 0;
        }
        if (step % 20000 == 0)
            assert_same(&places, offsets);
    }
    assert_null(places_find(&places, 0));
    places_release(&places);
    mem_free(offsets);
}

static void a_message_costs_at_most_forty_bytes(void **state)
{
    (void)state;
    struct places places;
    places_init(&places);
    for (uint64_t id = 1; id <= 1000000; id++) {
        (void)places_add(&places, id);
        /* What was never used is not in memory. */
        const struct idmap *map = &places.map;
        if (id > 1000)
            assert_true(map->used * sizeof(struct place)
                            + map->bucket_size * sizeof *map->buckets
                        <= id * 40);
    }
    places_release(&places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_a_list),
        cmocka_unit_test(a_message_costs_at_most_forty_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
