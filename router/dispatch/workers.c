/* workers.c - the workers that are alive, as far as we know. */
#include "router/dispatch/workers.h"

#include "common/base/check.h"
#include "common/base/mem.h"

void workers_init(struct workers *workers)
{
    *workers = (struct workers){ 0 };
    list_init(&workers->all);
    table_init(&workers->by_peer);
    table_init(&workers->by_number);
    names_init(&workers->sources);
}

static void free_worker(struct worker *worker)
{
    list_remove(&worker->link);
    mem_free(worker->sources);
    mem_free(worker->acks);
    mem_free(worker);
}

void workers_release(struct workers *workers)
{
    list_each (link, &workers->all)
        free_worker(container_of(link, struct worker, link));
    table_release(&workers->by_peer);
    table_release(&workers->by_number);
    names_release(&workers->sources);
}

static struct slice peer_text(const struct bus_peer *peer)
{
    return slice_of((const char *)peer->id, peer->len);
}

static bool has_peer(const void *value, struct slice text)
{
    return slice_equal(peer_text(&((const struct worker *)value)->peer), text);
}

struct worker *workers_by_peer(const struct workers *workers,
                               const struct bus_peer *peer)
{
    return table_get_text(&workers->by_peer, peer_text(peer), has_peer);
}

struct worker *workers_by_number(const struct workers *workers, uint32_t number)
{
    return table_get(&workers->by_number, number);
}

struct worker *workers_by_name(const struct workers *workers, struct slice name)
{
    list_each (link, &workers->all) {
        struct worker *worker = container_of(link, struct worker, link);
        if (slice_equal(slice_text(worker->name), name))
            return worker;
    }
    return NULL;
}

static void rank_all(struct workers *workers)
{
    uint32_t rank = 0;
    list_each (link, &workers->all)
        container_of(link, struct worker, link)->rank = rank++;
}

static void insert_by_name(struct workers *workers, struct worker *worker)
{
    struct list *where = &workers->all;
    list_each (link, &workers->all) {
        const struct worker *other = container_of(link, struct worker, link);
        if (strcmp(other->name, worker->name) <= 0)
            continue;
        where = link;
        break;
    }
    list_insert(where, &worker->link);
    rank_all(workers);
}

static void copy_text(char text[WORKER_NAME_MAX], struct slice from)
{
    from = slice_head(from, WORKER_NAME_MAX - 1);
    if (from.len > 0)
        memcpy(text, from.ptr, from.len);
    text[from.len] = '\0';
}

static void note_sources(struct workers *workers, struct worker *worker,
                         const struct wire_texts *sources)
{
    mem_free(worker->sources);
    worker->sources = mem_new(sources->count + 1, sizeof *worker->sources);
    worker->source_count = sources->count;
    for (size_t i = 0; i < sources->count; i++)
        worker->sources[i] = names_number(&workers->sources, sources->items[i]);
}

static struct worker *new_worker(struct workers *workers,
                                 const struct bus_peer *peer,
                                 const struct wire_hello *hello)
{
    struct worker *worker = NEW(struct worker);
    worker->peer = *peer;
    worker->number = ++workers->number_last;
    copy_text(worker->name, hello->worker);
    list_init(&worker->link);
    list_init(&worker->leases);
    insert_by_name(workers, worker);
    table_put_text(&workers->by_peer, peer_text(&worker->peer), worker);
    table_put(&workers->by_number, worker->number, worker);
    workers->count++;
    return worker;
}

struct worker *workers_hello(struct workers *workers,
                             const struct bus_peer *peer,
                             const struct wire_hello *hello, uint64_t now_ms)
{
    struct worker *worker = workers_by_peer(workers, peer);
    if (!worker
        && (workers->count == WORKERS_MAX || slice_is_empty(hello->worker)
            || hello->worker.len >= WORKER_NAME_MAX))
        return NULL;
    if (!worker)
        worker = new_worker(workers, peer, hello);
    copy_text(worker->host, hello->host);
    worker->boot = hello->boot;
    worker->pid = hello->pid;
    worker->config_digest = hello->config_digest;
    worker->heard_ms = now_ms;
    worker->draining = false;
    note_sources(workers, worker, &hello->sources);
    return worker;
}

void workers_drop(struct workers *workers, struct worker **worker)
{
    struct worker *dropped = steal(*worker);
    CHECK(list_is_empty(&dropped->leases));
    (void)table_take_text(&workers->by_peer, peer_text(&dropped->peer),
                          has_peer);
    (void)table_take(&workers->by_number, dropped->number);
    workers->count--;
    free_worker(dropped);
    rank_all(workers);
}

bool worker_add_ack(struct worker *worker, uint64_t lease)
{
    if (!worker->acks)
        worker->acks = mem_new(WIRE_LEASES_MAX, sizeof *worker->acks);
    if (worker->ack_count == WIRE_LEASES_MAX)
        return false;
    worker->acks[worker->ack_count++] = lease;
    return true;
}

bool worker_has_source(const struct worker *worker, uint32_t source)
{
    for (size_t i = 0; i < worker->source_count; i++)
        if (worker->sources[i] == source)
            return true;
    return false;
}
