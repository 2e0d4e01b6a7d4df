/* chain.c - the log in memory. */
#include "router/spool/chain.h"

#include "common/base/check.h"
#include "common/base/mem.h"

#include <unistd.h>

void chain_init(struct chain *chain)
{
    *chain = (struct chain){ .next_order = 1 };
    places_init(&chain->places);
}

void chain_release(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        (void)close(chain->segments[i]->fd);
        mem_free(chain->segments[i]);
    }
    mem_free(steal(chain->segments));
    chain->count = 0;
    places_release(&chain->places);
}

void chain_add(struct chain *chain, const struct segment *segment)
{
    const struct segment *last = chain_last(chain);
    CHECK(!last || segment->sequence > last->sequence);
    if (chain->count == chain->size) {
        chain->size = chain->size * 2 + 16;
        chain->segments =
            mem_resize(chain->segments, chain->size, sizeof(struct segment *));
    }
    struct segment *added = NEW(struct segment);
    *added = *segment;
    chain->segments[chain->count++] = added;
    chain->bytes += segment->end;
}

struct segment chain_take_first(struct chain *chain)
{
    struct segment *first = chain_first(chain);
    CHECK(first && first->live == 0 && first->readers == 0);
    const struct segment taken = *first;
    mem_free(first);
    chain->count--;
    memmove(chain->segments, chain->segments + 1,
            chain->count * sizeof(struct segment *));
    chain->bytes -= taken.end;
    return taken;
}

/* Sequences may have holes where files were lost, so this is a search. */
struct segment *chain_find(const struct chain *chain, uint64_t sequence)
{
    size_t low = 0;
    size_t high = chain->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (chain->segments[middle]->sequence == sequence)
            return chain->segments[middle];
        if (chain->segments[middle]->sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct segment *chain_segment(const struct chain *chain, uint16_t sequence)
{
    CHECK(chain->count > 0);
    const uint64_t last = chain_last(chain)->sequence;
    struct segment *segment =
        chain_find(chain, last - (uint16_t)(last - sequence));
    CHECK(segment);
    return segment;
}

bool chain_is_live(const struct chain *chain, const struct segment *segment,
                   uint64_t offset, uint64_t id)
{
    const struct place *place = places_find(&chain->places, id);
    return place && place->sequence == (uint16_t)segment->sequence
           && place->offset == offset / RECORD_ALIGN;
}

static void leave(struct chain *chain, const struct place *place)
{
    const uint64_t bytes = (uint64_t)place->size * RECORD_ALIGN;
    struct segment *segment = chain_segment(chain, place->sequence);
    segment->live--;
    segment->live_bytes -= bytes;
    chain->bytes_live -= bytes;
}

static void note_id(struct chain *chain, uint64_t id)
{
    if (id > chain->last_id)
        chain->last_id = id;
}

void chain_put(struct chain *chain, struct segment *segment, uint64_t offset,
               const struct record *record)
{
    note_id(chain, record->id);
    if (record->order >= chain->next_order)
        chain->next_order = record->order + 1;

    struct place *place = places_find(&chain->places, record->id);
    if (place)
        leave(chain, place);
    else
        place = places_add(&chain->places, record->id);
    /* Another message with this id; or a copy, whose STATE comes right behind it
     * if it could be read. The one before is in a segment that will leave. */
    place->state_offset = 0;

    place->sequence = (uint16_t)segment->sequence;
    place->offset = (uint32_t)(offset / RECORD_ALIGN);
    place->size = (uint32_t)(record_size(record) / RECORD_ALIGN);
    segment->live++;
    segment->live_bytes += record_size(record);
    chain->bytes_live += record_size(record);
}

void chain_state(struct chain *chain, const struct segment *segment,
                 uint64_t offset, const struct record *record)
{
    note_id(chain, record->id);
    struct place *place = places_find(&chain->places, record->id);
    if (!place)
        return;
    place->state_sequence = (uint16_t)segment->sequence;
    place->state_offset = (uint32_t)(offset / RECORD_ALIGN);
}

void chain_drop(struct chain *chain, uint64_t id)
{
    note_id(chain, id);
    struct place *place = places_find(&chain->places, id);
    if (!place)
        return;
    leave(chain, place);
    places_remove(&chain->places, place);
}

uint64_t chain_forget(struct chain *chain, const struct segment *segment,
                      const struct spool_listener *listener)
{
    uint64_t forgotten = 0;
    size_t at = 0;
    for (struct place *place; (place = places_next(&chain->places, &at));) {
        if (place->sequence != (uint16_t)segment->sequence)
            continue;
        notice_tell(listener, &(struct spool_notice){
                                  .event = SPOOL_MESSAGE_LOST,
                                  .sequence = segment->sequence,
                                  .id = place->item.id,
                              });
        chain_drop(chain, place->item.id);
        forgotten++;
    }
    return forgotten;
}
