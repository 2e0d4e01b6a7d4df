/* cold.c - queued mail of which memory keeps no more than where it stands. */
#include "router/lanes/cold.h"

#include "common/base/check.h"
#include "common/base/mem.h"

#define NONE          UINT32_MAX
#define BUCKETS_FIRST 64u

/* Entries are linked by their positions. */
struct cold_entry {
    uint64_t id;       /* 0: free */
    uint32_t in_chain; /* the next of its bucket, or the next free one */
    uint32_t prev;
    uint32_t next;
    uint32_t queue; /* number */
    uint32_t due_s; /* on the caller's clock */
    bool waits;
};

_Static_assert(sizeof(struct cold_entry) == 32, "cold mail stays small");

struct cold {
    struct cold_entry *entries;
    uint32_t count;
    uint32_t size; /* of the array; all behind `used` were never used */
    uint32_t used;
    uint32_t free; /* first of the free ones, or NONE */

    uint32_t *buckets;
    uint32_t bucket_count;
    uint32_t bucket_size;
    uint32_t round; /* buckets when the round of splitting began, power of 2 */

    struct cold_queue **queues; /* by number - 1; NULL: closed */
    uint32_t queue_count;
    uint32_t all_open; /* numbers up to this one are */

    uint32_t ring[COLD_RING_S]; /* first entry of each second, or NONE */
    uint32_t later;             /* first of those that the ring does not hold */
    uint32_t now_s;             /* the slot looked at */
};

static uint32_t seconds_of(uint64_t ms)
{
    const uint64_t s = ms / 1000;
    return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

struct cold *cold_new(uint64_t now_ms)
{
    struct cold *cold = NEW(struct cold);
    cold->free = cold->later = NONE;
    cold->now_s = seconds_of(now_ms);
    for (uint32_t i = 0; i < COLD_RING_S; i++)
        cold->ring[i] = NONE;
    cold->round = cold->bucket_count = cold->bucket_size = BUCKETS_FIRST;
    cold->buckets = mem_new(BUCKETS_FIRST, sizeof *cold->buckets);
    for (uint32_t i = 0; i < BUCKETS_FIRST; i++)
        cold->buckets[i] = NONE;
    return cold;
}

void cold_free(struct cold **cold)
{
    struct cold *freed = steal(*cold);
    if (!freed)
        return;
    mem_free(freed->entries);
    mem_free(freed->buckets);
    mem_free(freed->queues);
    mem_free(freed);
}

/* Queues */

void cold_open(struct cold *cold, struct cold_queue *queue, enum cold_kind kind)
{
    uint32_t at = cold->all_open;
    while (at < cold->queue_count && cold->queues[at])
        at++;
    if (at == cold->queue_count)
        cold->queues =
            mem_resize(cold->queues, ++cold->queue_count, sizeof queue);
    cold->queues[at] = queue;
    cold->all_open = at + 1;
    *queue = (struct cold_queue){
        .kind = kind, .number = at + 1, .first = NONE, .last = NONE
    };
}

void cold_close(struct cold *cold, struct cold_queue *queue)
{
    CHECK(cold_queued(queue) == 0);
    if (queue->number == 0)
        return;
    cold->queues[queue->number - 1] = NULL;
    if (cold->all_open >= queue->number)
        cold->all_open = queue->number - 1;
    queue->number = 0;
}

static struct cold_queue *queue_of(const struct cold *cold,
                                   const struct cold_entry *entry)
{
    return cold->queues[entry->queue - 1];
}

/* Finding by id */

/* The finaliser of MurmurHash3, as in table.c. */
static uint32_t hash_of(uint64_t id)
{
    id ^= id >> 33;
    id *= UINT64_C(0xff51afd7ed558ccd);
    id ^= id >> 33;
    id *= UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(id >> 32);
}

static uint32_t bucket_of(const struct cold *cold, uint64_t id)
{
    const uint32_t hash = hash_of(id);
    const uint32_t wide = hash & (2 * cold->round - 1);
    return wide < cold->bucket_count ? wide : hash & (cold->round - 1);
}

static uint32_t find(const struct cold *cold, uint64_t id)
{
    uint32_t at = cold->buckets[bucket_of(cold, id)];
    while (at != NONE && cold->entries[at].id != id)
        at = cold->entries[at].in_chain;
    return at;
}

static void enchain(struct cold *cold, uint32_t at)
{
    uint32_t *bucket = &cold->buckets[bucket_of(cold, cold->entries[at].id)];
    cold->entries[at].in_chain = *bucket;
    *bucket = at;
}

static void unchain(struct cold *cold, uint32_t at)
{
    uint32_t *link = &cold->buckets[bucket_of(cold, cold->entries[at].id)];
    while (*link != at)
        link = &cold->entries[*link].in_chain;
    *link = cold->entries[at].in_chain;
}

/* One more bucket, with its share of the bucket that it comes from. */
static void split_bucket(struct cold *cold)
{
    if (cold->bucket_count == cold->bucket_size) {
        cold->bucket_size += cold->bucket_size / 4;
        cold->buckets =
            mem_resize(cold->buckets, cold->bucket_size, sizeof *cold->buckets);
    }
    uint32_t *from = &cold->buckets[cold->bucket_count - cold->round];
    uint32_t at = *from;
    *from = NONE;
    cold->buckets[cold->bucket_count++] = NONE;
    while (at != NONE) {
        const uint32_t next = cold->entries[at].in_chain;
        enchain(cold, at);
        at = next;
    }
    if (cold->bucket_count == 2 * cold->round)
        cold->round *= 2;
}

/* Entries */

static uint32_t add_entry(struct cold *cold, uint64_t id)
{
    CHECK(id != 0 && find(cold, id) == NONE && cold->count < NONE - 1);
    uint32_t at = cold->free;
    if (at != NONE) {
        cold->free = cold->entries[at].in_chain;
    } else {
        if (cold->used == cold->size) {
            cold->size += cold->size / 4 + 64;
            cold->entries =
                mem_resize(cold->entries, cold->size, sizeof *cold->entries);
        }
        at = cold->used++;
    }
    cold->entries[at] = (struct cold_entry){ .id = id };
    cold->count++;
    if (cold->count > cold->bucket_count)
        split_bucket(cold);
    enchain(cold, at);
    return at;
}

static void remove_entry(struct cold *cold, uint32_t at)
{
    unchain(cold, at);
    cold->entries[at] = (struct cold_entry){ .id = 0, .in_chain = cold->free };
    cold->free = at;
    cold->count--;
}

/* In line */

static void join(struct cold *cold, struct cold_queue *queue, uint32_t at,
                 bool in_front)
{
    struct cold_entry *entry = &cold->entries[at];
    entry->queue = queue->number;
    entry->waits = false;
    entry->prev = in_front ? NONE : queue->last;
    entry->next = in_front ? queue->first : NONE;
    *(entry->prev == NONE ? &queue->first : &cold->entries[entry->prev].next) =
        at;
    *(entry->next == NONE ? &queue->last : &cold->entries[entry->next].prev) =
        at;
    queue->in_line++;
}

static void leave(struct cold *cold, struct cold_queue *queue, uint32_t at)
{
    const struct cold_entry *entry = &cold->entries[at];
    *(entry->prev == NONE ? &queue->first : &cold->entries[entry->prev].next) =
        entry->next;
    *(entry->next == NONE ? &queue->last : &cold->entries[entry->next].prev) =
        entry->prev;
    queue->in_line--;
}

/* On the calendar */

/* Where an entry of this time belongs: those of the past in the slot of now. */
static uint32_t *slot_of(struct cold *cold, uint32_t due_s)
{
    const uint32_t at_s = due_s > cold->now_s ? due_s : cold->now_s;
    return at_s - cold->now_s < COLD_RING_S ? &cold->ring[at_s % COLD_RING_S]
                                            : &cold->later;
}

static void enter_slot(struct cold *cold, uint32_t at)
{
    struct cold_entry *entry = &cold->entries[at];
    uint32_t *slot = slot_of(cold, entry->due_s);
    entry->prev = NONE;
    entry->next = *slot;
    if (entry->next != NONE)
        cold->entries[entry->next].prev = at;
    *slot = at;
}

static void leave_slot(struct cold *cold, uint32_t at)
{
    const struct cold_entry *entry = &cold->entries[at];
    if (entry->next != NONE)
        cold->entries[entry->next].prev = entry->prev;
    if (entry->prev != NONE) {
        cold->entries[entry->prev].next = entry->next;
        return;
    }
    /* `later` may hold some that the ring could take by now. */
    uint32_t *slot =
        cold->later == at ? &cold->later : slot_of(cold, entry->due_s);
    CHECK(*slot == at);
    *slot = entry->next;
}

static void start_waiting(struct cold *cold, struct cold_queue *queue,
                          uint32_t at)
{
    cold->entries[at].queue = queue->number;
    cold->entries[at].waits = true;
    queue->waiting++;
    enter_slot(cold, at);
}

/* What is due before the next deal goes into the ring. */
static void deal(struct cold *cold)
{
    uint32_t at = cold->later;
    cold->later = NONE;
    while (at != NONE) {
        const uint32_t next = cold->entries[at].next;
        enter_slot(cold, at);
        at = next;
    }
}

uint64_t cold_due(struct cold *cold, uint64_t now_ms)
{
    const uint32_t now_s = seconds_of(now_ms);
    while (cold->ring[cold->now_s % COLD_RING_S] == NONE
           && cold->now_s < now_s) {
        cold->now_s++;
        if (cold->now_s % (COLD_RING_S / 2) == 0)
            deal(cold);
    }
    const uint32_t at = cold->ring[cold->now_s % COLD_RING_S];
    return at == NONE || cold->now_s > now_s ? 0 : cold->entries[at].id;
}

/* What users do */

static void put(struct cold *cold, struct cold_queue *queue, uint64_t id,
                uint64_t due_ms, bool in_front)
{
    const uint32_t at = add_entry(cold, id);
    cold->entries[at].due_s = seconds_of(due_ms);
    join(cold, queue, at, in_front);
}

void cold_push(struct cold *cold, struct cold_queue *queue, uint64_t id,
               uint64_t due_ms)
{
    put(cold, queue, id, due_ms, false);
}

void cold_push_front(struct cold *cold, struct cold_queue *queue, uint64_t id,
                     uint64_t due_ms)
{
    put(cold, queue, id, due_ms, true);
}

void cold_wait(struct cold *cold, struct cold_queue *queue, uint64_t id,
               uint64_t due_ms)
{
    const uint32_t at = add_entry(cold, id);
    cold->entries[at].due_s = seconds_of(due_ms);
    start_waiting(cold, queue, at);
}

uint64_t cold_first(const struct cold *cold, const struct cold_queue *queue)
{
    return queue->in_line > 0 ? cold->entries[queue->first].id : 0;
}

bool cold_first_is_due(const struct cold *cold, const struct cold_queue *queue,
                       uint64_t now_ms)
{
    return queue->in_line > 0
           && cold->entries[queue->first].due_s <= seconds_of(now_ms);
}

struct cold_queue *cold_find(const struct cold *cold, uint64_t id, bool *waits,
                             uint64_t *due_ms)
{
    const uint32_t at = find(cold, id);
    if (at == NONE)
        return NULL;
    *waits = cold->entries[at].waits;
    *due_ms = (uint64_t)cold->entries[at].due_s * 1000;
    return queue_of(cold, &cold->entries[at]);
}

/* Out of its queue, but still known. */
static void detach(struct cold *cold, uint32_t at)
{
    struct cold_queue *queue = queue_of(cold, &cold->entries[at]);
    if (cold->entries[at].waits) {
        leave_slot(cold, at);
        queue->waiting--;
    } else {
        leave(cold, queue, at);
    }
}

void cold_move(struct cold *cold, struct cold_queue *queue, uint64_t id)
{
    const uint32_t at = find(cold, id);
    CHECK(at != NONE);
    detach(cold, at);
    join(cold, queue, at, false);
}

void cold_take(struct cold *cold, uint64_t id)
{
    const uint32_t at = find(cold, id);
    CHECK(at != NONE);
    detach(cold, at);
    remove_entry(cold, at);
}

size_t cold_count(const struct cold *cold)
{
    return cold->count;
}

uint64_t cold_next(const struct cold *cold, size_t *at)
{
    while (*at < cold->used) {
        const uint64_t id = cold->entries[(*at)++].id;
        if (id != 0)
            return id;
    }
    return 0;
}
