/* crowd.c - who is connected to one listener. */
#include "router/submission/crowd.h"

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/check.h"
#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/base/siphash.h"

#define BUCKETS 1024u

struct client {
    struct list link;
    struct net net;
    uint32_t count;
};

struct crowd {
    atomic_uint refs;
    struct siphash_key key;
    pthread_mutex_t lock; /* guards what follows */
    uint32_t total;
    struct list buckets[BUCKETS];
};

struct crowd *crowd_new(void)
{
    struct crowd *crowd = NEW(struct crowd);
    atomic_init(&crowd->refs, 1);
    siphash_key_make(&crowd->key);
    (void)pthread_mutex_init(&crowd->lock, NULL);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&crowd->buckets[i]);
    return crowd;
}

struct crowd *crowd_hold(struct crowd *crowd)
{
    (void)atomic_fetch_add_explicit(&crowd->refs, 1, memory_order_relaxed);
    return crowd;
}

void crowd_release(struct crowd **crowd)
{
    struct crowd *held = steal(*crowd);
    if (!held
        || atomic_fetch_sub_explicit(&held->refs, 1, memory_order_acq_rel) > 1)
        return;
    CHECK(held->total == 0);
    (void)pthread_mutex_destroy(&held->lock);
    mem_free(held);
}

static struct list *bucket_of(struct crowd *crowd, const struct net *net)
{
    return &crowd->buckets[siphash(&crowd->key, net_slice(net)) % BUCKETS];
}

static struct client *find(struct list *bucket, const struct net *net)
{
    list_each (link, bucket) {
        struct client *client = container_of(link, struct client, link);
        if (net_equal(&client->net, net))
            return client;
    }
    return NULL;
}

static bool enter(struct crowd *crowd, const struct net *net,
                  struct crowd_limits limits)
{
    struct list *bucket = bucket_of(crowd, net);
    struct client *client = find(bucket, net);
    uint32_t count = client ? client->count : 0;
    if (crowd->total >= limits.total || count >= limits.per_client)
        return false;
    if (!client) {
        client = NEW(struct client);
        client->net = *net;
        list_push_front(bucket, &client->link);
    }
    client->count++;
    crowd->total++;
    return true;
}

bool crowd_enter(struct crowd *crowd, const struct net *net,
                 struct crowd_limits limits)
{
    (void)pthread_mutex_lock(&crowd->lock);
    bool is_in = enter(crowd, net, limits);
    (void)pthread_mutex_unlock(&crowd->lock);
    return is_in;
}

void crowd_leave(struct crowd *crowd, const struct net *net)
{
    (void)pthread_mutex_lock(&crowd->lock);
    struct client *client = find(bucket_of(crowd, net), net);
    CHECK(client && crowd->total > 0);
    crowd->total--;
    if (--client->count == 0) {
        list_remove(&client->link);
        mem_free(client);
    }
    (void)pthread_mutex_unlock(&crowd->lock);
}
