/* aliases.c - ids that templates had before, and which they have now. */
#include "router/templates/aliases.h"

#include "common/base/mem.h"

/* An id is a hash, but for its last bits, which tell the shard. */
static uint32_t key_of_id(uint64_t id)
{
    return (uint32_t)(id >> 32);
}

static uint32_t alias_key(const void *array, uint32_t place)
{
    const struct aliases *aliases = array;
    return key_of_id(aliases->items[place].before);
}

void aliases_init(struct aliases *aliases)
{
    *aliases = (struct aliases){ .count = 0 };
    finder_init(&aliases->finder, alias_key, aliases);
}

void aliases_release(struct aliases *aliases)
{
    mem_free(aliases->items);
    finder_release(&aliases->finder);
}

static struct alias *find(const struct aliases *aliases, uint64_t before)
{
    uint32_t at = finder_start(&aliases->finder, key_of_id(before));
    for (uint32_t place;
         (place = finder_next(&aliases->finder, &at)) != FINDER_NONE;)
        if (aliases->items[place].before == before)
            return &aliases->items[place];
    return NULL;
}

const struct alias *aliases_find(const struct aliases *aliases, uint64_t before)
{
    return find(aliases, before);
}

static uint32_t new_place(struct aliases *aliases)
{
    if (aliases->count < ALIASES_MAX) {
        if ((aliases->count & (aliases->count - 1)) == 0)
            aliases->items =
                mem_resize(aliases->items,
                           aliases->count == 0 ? 1 : (size_t)2 * aliases->count,
                           sizeof *aliases->items);
        return aliases->count++;
    }
    const uint32_t place = aliases->oldest;
    aliases->oldest = (place + 1) % ALIASES_MAX;
    finder_remove(&aliases->finder, place);
    return place;
}

bool aliases_put(struct aliases *aliases, const struct alias *alias)
{
    struct alias *known = find(aliases, alias->before);
    if (known) {
        if (known->since_utc_s > alias->since_utc_s || known->now == alias->now)
            return false;
        *known = *alias;
        return true;
    }
    const uint32_t place = new_place(aliases);
    aliases->items[place] = *alias;
    finder_add(&aliases->finder, place);
    return true;
}
