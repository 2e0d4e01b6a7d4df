/* tally.c - which complaints were counted. */
#include "router/control/tally.h"

#include "common/base/mem.h"
#include "common/base/siphash.h"

struct counted {
    uint64_t message; /* 0: the place is free */
    uint64_t who;
};

struct bucket {
    struct counted items[TALLY_WAYS];
    unsigned next; /* the oldest, once all are taken */
};

struct tally {
    struct siphash_key key;
    struct bucket buckets[TALLY_BUCKETS];
};

struct tally *tally_new(void)
{
    struct tally *tally = NEW(struct tally);
    siphash_key_make(&tally->key);
    return tally;
}

void tally_free(struct tally **tally)
{
    mem_free(steal(*tally));
}

bool tally_take(struct tally *tally, uint64_t message, uint32_t recipients,
                struct slice who)
{
    const uint64_t hash = siphash(&tally->key, who);
    const uint64_t place =
        siphash(&tally->key, slice_of((const char *)&message, sizeof message));
    struct bucket *bucket = &tally->buckets[place % TALLY_BUCKETS];
    unsigned count = 0;
    for (unsigned i = 0; i < TALLY_WAYS; i++) {
        if (bucket->items[i].message != message)
            continue;
        if (bucket->items[i].who == hash)
            return false;
        count++;
    }
    if (count >= recipients || count == TALLY_WAYS)
        return false;
    bucket->items[bucket->next] =
        (struct counted){ .message = message, .who = hash };
    bucket->next = (bucket->next + 1) % TALLY_WAYS;
    return true;
}
