/* tour.c - the ids of queued messages. */
#include "router/dispatch/tour.h"

#include "common/base/mem.h"
#include "common/proto/message_id.h"

void tour_add(struct tour *tour, uint64_t id)
{
    if (tour->count == tour->size) {
        tour->size = tour->size * 2 + 64;
        tour->ids = mem_resize(tour->ids, tour->size, sizeof *tour->ids);
    }
    tour->ids[tour->count++] = id;
}

static bool is_queued(const struct lanes *lanes, uint64_t id)
{
    return table_get(&lanes->messages, id) || cold_find(lanes->warmth.cold, id);
}

static void add_until(struct tour *tour, uint64_t id, uint64_t last_utc_ms)
{
    if (id_utc_ms(id) <= last_utc_ms)
        tour_add(tour, id);
}

void tour_begin(struct tour *tour, const struct lanes *lanes,
                const struct filter *filter, uint64_t last_utc_ms)
{
    *tour = (struct tour){ .ids = NULL };
    for (size_t i = 0; i < filter->id_count; i++)
        if (is_queued(lanes, filter->ids[i])
            && id_utc_ms(filter->ids[i]) <= last_utc_ms)
            tour_add(tour, filter->ids[i]);
    if (filter->id_count > 0)
        return;
    tour->size = lanes->messages.count + cold_count(lanes->warmth.cold);
    tour->ids = mem_resize(NULL, tour->size + 1, sizeof *tour->ids);
    size_t at = 0;
    for (const struct queued *queued;
         (queued = table_next(&lanes->messages, &at));)
        add_until(tour, queued->id, last_utc_ms);
    at = 0;
    for (uint64_t id; (id = cold_next(lanes->warmth.cold, &at)) != 0;)
        add_until(tour, id, last_utc_ms);
}

void tour_release(struct tour *tour)
{
    mem_free(tour->ids);
    *tour = (struct tour){ .ids = NULL };
}

bool tour_next(struct tour *tour, uint64_t *id)
{
    if (tour->at == tour->count)
        return false;
    *id = tour->ids[tour->at++];
    return true;
}
