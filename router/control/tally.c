/* tally.c - which complaints were counted. */
#include "router/control/tally.h"

#include <pthread.h>

#include "common/base/check.h"
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
    pthread_mutex_t lock;
    struct siphash_key key;
    struct bucket buckets[TALLY_BUCKETS];
};

struct tally *tally_new(void)
{
    struct tally *tally = NEW(struct tally);
    siphash_key_make(&tally->key);
    CHECK(pthread_mutex_init(&tally->lock, NULL) == 0);
    return tally;
}

void tally_free(struct tally **tally)
{
    struct tally *held = steal(*tally);
    if (!held)
        return;
    (void)pthread_mutex_destroy(&held->lock);
    mem_free(held);
}

static bool take(struct bucket *bucket, const struct counted *counted,
                 uint32_t recipients)
{
    unsigned count = 0;
    struct counted *place = NULL;
    for (unsigned i = 0; i < TALLY_WAYS; i++) {
        if (bucket->items[i].message == 0)
            place = &bucket->items[i];
        if (bucket->items[i].message != counted->message)
            continue;
        if (bucket->items[i].who == counted->who)
            return false;
        count++;
    }
    if (count >= recipients || count == TALLY_WAYS)
        return false;
    if (!place) {
        place = &bucket->items[bucket->next];
        bucket->next = (bucket->next + 1) % TALLY_WAYS;
    }
    *place = *counted;
    return true;
}

static struct counted counted_of(const struct tally *tally, uint64_t message,
                                 struct slice who)
{
    return (struct counted){ .message = message,
                             .who = siphash(&tally->key, who) };
}

static struct bucket *bucket_of(struct tally *tally, uint64_t message)
{
    const uint64_t place =
        siphash(&tally->key, slice_of((const char *)&message, sizeof message));
    return &tally->buckets[place % TALLY_BUCKETS];
}

bool tally_take(struct tally *tally, uint64_t message, uint32_t recipients,
                struct slice who)
{
    const struct counted counted = counted_of(tally, message, who);
    CHECK(pthread_mutex_lock(&tally->lock) == 0);
    const bool is_taken = take(bucket_of(tally, message), &counted, recipients);
    CHECK(pthread_mutex_unlock(&tally->lock) == 0);
    return is_taken;
}

void tally_give_back(struct tally *tally, uint64_t message, struct slice who)
{
    const struct counted counted = counted_of(tally, message, who);
    struct bucket *bucket = bucket_of(tally, message);
    CHECK(pthread_mutex_lock(&tally->lock) == 0);
    for (unsigned i = 0; i < TALLY_WAYS; i++)
        if (bucket->items[i].message == counted.message
            && bucket->items[i].who == counted.who)
            bucket->items[i] = (struct counted){ .message = 0 };
    CHECK(pthread_mutex_unlock(&tally->lock) == 0);
}
