/* cold.c - queued mail of which memory keeps no more than where it stands. */
#include "router/lanes/cold.h"

#include "common/base/check.h"
#include "common/base/idmap.h"
#include "common/base/mem.h"

#define NONE IDMAP_NONE

/* Entries are linked by their positions. */
struct cold_entry {
    struct idmap_item item; /* extra: recipients beyond the first */
    uint32_t prev;
    uint32_t next;
    uint32_t due_s;      /* on the caller's clock */
    uint32_t queue : 31; /* number */
    bool waits : 1;
};

_Static_assert(sizeof(struct cold_entry) == 32, "cold mail stays small");

struct cold {
    struct idmap entries;

    struct cold_queue **queues; /* by number - 1; NULL: closed */
    uint32_t queue_count;
    uint32_t all_open; /* numbers up to this one are */

    uint64_t more; /* recipients beyond the first of each message */

    uint32_t ring[COLD_RING_S]; /* first entry of each second, or NONE */
    uint32_t later;             /* first of those that the ring does not hold */
    uint32_t now_s;             /* the slot looked at */
};

static struct cold_entry *entry_at(const struct cold *cold, uint32_t at)
{
    return idmap_at(&cold->entries, at);
}

static uint32_t seconds_of(uint64_t ms)
{
    const uint64_t s = ms / 1000;
    return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

struct cold *cold_new(uint64_t now_ms)
{
    struct cold *cold = NEW(struct cold);
    idmap_init(&cold->entries, sizeof(struct cold_entry));
    cold->later = NONE;
    cold->now_s = seconds_of(now_ms);
    for (uint32_t i = 0; i < COLD_RING_S; i++)
        cold->ring[i] = NONE;
    return cold;
}

void cold_free(struct cold **cold)
{
    struct cold *freed = steal(*cold);
    if (!freed)
        return;
    idmap_release(&freed->entries);
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
        cold->queues = mem_resize(cold->queues, ++cold->queue_count,
                                  sizeof(struct cold_queue *));
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

/* In line */

static void join(struct cold *cold, struct cold_queue *queue, uint32_t at,
                 bool in_front)
{
    struct cold_entry *entry = entry_at(cold, at);
    entry->queue = queue->number & INT32_MAX;
    entry->waits = false;
    entry->prev = in_front ? NONE : queue->last;
    entry->next = in_front ? queue->first : NONE;
    *(entry->prev == NONE ? &queue->first
                          : &entry_at(cold, entry->prev)->next) = at;
    *(entry->next == NONE ? &queue->last : &entry_at(cold, entry->next)->prev) =
        at;
    queue->in_line++;
}

static void leave(struct cold *cold, struct cold_queue *queue, uint32_t at)
{
    const struct cold_entry *entry = entry_at(cold, at);
    *(entry->prev == NONE ? &queue->first
                          : &entry_at(cold, entry->prev)->next) = entry->next;
    *(entry->next == NONE ? &queue->last : &entry_at(cold, entry->next)->prev) =
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
    struct cold_entry *entry = entry_at(cold, at);
    uint32_t *slot = slot_of(cold, entry->due_s);
    entry->prev = NONE;
    entry->next = *slot;
    if (entry->next != NONE)
        entry_at(cold, entry->next)->prev = at;
    *slot = at;
}

static void leave_slot(struct cold *cold, uint32_t at)
{
    const struct cold_entry *entry = entry_at(cold, at);
    if (entry->next != NONE)
        entry_at(cold, entry->next)->prev = entry->prev;
    if (entry->prev != NONE) {
        entry_at(cold, entry->prev)->next = entry->next;
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
    entry_at(cold, at)->queue = queue->number & INT32_MAX;
    entry_at(cold, at)->waits = true;
    queue->waiting++;
    enter_slot(cold, at);
}

/* What is due before the next deal goes into the ring. */
static void deal(struct cold *cold)
{
    uint32_t at = cold->later;
    cold->later = NONE;
    while (at != NONE) {
        const uint32_t next = entry_at(cold, at)->next;
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
    return at == NONE || cold->now_s > now_s ? 0 : entry_at(cold, at)->item.id;
}

/* What users do */

static void put(struct cold *cold, struct cold_queue *queue, uint64_t id,
                uint64_t due_ms, bool in_front)
{
    const uint32_t at = idmap_add(&cold->entries, id);
    entry_at(cold, at)->due_s = seconds_of(due_ms);
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
    const uint32_t at = idmap_add(&cold->entries, id);
    entry_at(cold, at)->due_s = seconds_of(due_ms);
    start_waiting(cold, queue, at);
}

uint64_t cold_first(const struct cold *cold, const struct cold_queue *queue)
{
    return queue->in_line > 0 ? entry_at(cold, queue->first)->item.id : 0;
}

bool cold_first_is_due(const struct cold *cold, const struct cold_queue *queue,
                       uint64_t now_ms)
{
    return queue->in_line > 0
           && entry_at(cold, queue->first)->due_s <= seconds_of(now_ms);
}

struct cold_queue *cold_find(const struct cold *cold, uint64_t id)
{
    const uint32_t at = idmap_find(&cold->entries, id);
    return at == NONE ? NULL : queue_of(cold, entry_at(cold, at));
}

/* Out of its queue, but still known. */
static void detach(struct cold *cold, uint32_t at)
{
    struct cold_queue *queue = queue_of(cold, entry_at(cold, at));
    if (entry_at(cold, at)->waits) {
        leave_slot(cold, at);
        queue->waiting--;
    } else {
        leave(cold, queue, at);
    }
}

void cold_move(struct cold *cold, struct cold_queue *queue, uint64_t id)
{
    const uint32_t at = idmap_find(&cold->entries, id);
    CHECK(at != NONE);
    detach(cold, at);
    join(cold, queue, at, false);
}

void cold_take(struct cold *cold, uint64_t id)
{
    const uint32_t at = idmap_find(&cold->entries, id);
    CHECK(at != NONE);
    detach(cold, at);
    cold->more -= entry_at(cold, at)->item.extra;
    idmap_remove(&cold->entries, at);
}

void cold_set_recipients(struct cold *cold, uint64_t id, uint32_t recipients)
{
    const uint32_t at = idmap_find(&cold->entries, id);
    CHECK(at != NONE && recipients > 0);
    cold->more -= entry_at(cold, at)->item.extra;
    entry_at(cold, at)->item.extra = recipients - 1;
    cold->more += recipients - 1;
}

uint32_t cold_recipients(const struct cold *cold, uint64_t id)
{
    const uint32_t at = idmap_find(&cold->entries, id);
    CHECK(at != NONE);
    return entry_at(cold, at)->item.extra + 1;
}

uint64_t cold_recipients_all(const struct cold *cold)
{
    return cold->entries.count + cold->more;
}

size_t cold_count(const struct cold *cold)
{
    return cold->entries.count;
}

uint64_t cold_next(const struct cold *cold, size_t *at)
{
    while (*at < cold->entries.used) {
        const uint64_t id = entry_at(cold, (uint32_t)(*at)++)->item.id;
        if (id != 0)
            return id;
    }
    return 0;
}
