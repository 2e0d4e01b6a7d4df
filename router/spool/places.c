/* places.c - where in the log each live message is. */
#include "router/spool/places.h"

_Static_assert(sizeof(struct place) == 32, "a place grew");

void places_init(struct places *places)
{
    idmap_init(&places->map, sizeof(struct place));
}

void places_release(struct places *places)
{
    idmap_release(&places->map);
}

struct place *places_find(const struct places *places, uint64_t id)
{
    const uint32_t at = idmap_find(&places->map, id);
    return at == IDMAP_NONE ? NULL : idmap_at(&places->map, at);
}

struct place *places_add(struct places *places, uint64_t id)
{
    return idmap_at(&places->map, idmap_add(&places->map, id));
}

void places_remove(struct places *places, struct place *place)
{
    idmap_remove(&places->map, idmap_find(&places->map, place->item.id));
}

struct place *places_next(const struct places *places, size_t *at)
{
    while (*at < places->map.used) {
        struct place *place = idmap_at(&places->map, (uint32_t)(*at)++);
        if (place->item.id != 0)
            return place;
    }
    return NULL;
}
