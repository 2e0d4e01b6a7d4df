/* leases.c - which worker has which job. */
#include "router/dispatch/leases.h"

#include <stdio.h>

#include "common/base/mem.h"
#include "router/lanes/lanes.h"

/* How many claims a message has. */
struct claimed {
    uint32_t count;
};

void leases_init(struct leases *leases, uint64_t boot)
{
    *leases = (struct leases){ .id_last = boot };
    table_init(&leases->by_id);
    table_init(&leases->claims);
    table_init(&leases->claimed);
}

void leases_keep_book(struct leases *leases, struct leasebook *book)
{
    leases->book = book;
}

void leases_release(struct leases *leases)
{
    size_t at = 0;
    for (struct lease *lease; (lease = table_next(&leases->by_id, &at));)
        mem_free(lease);
    at = 0;
    for (struct claim *claim; (claim = table_next(&leases->claims, &at));)
        mem_free(claim);
    at = 0;
    for (struct claimed *claimed;
         (claimed = table_next(&leases->claimed, &at));)
        mem_free(claimed);
    leasebook_close(&leases->book);
    table_release(&leases->by_id);
    table_release(&leases->claims);
    table_release(&leases->claimed);
}

struct lease *leases_new(struct leases *leases, struct worker *worker,
                         struct job *job, uint64_t message)
{
    struct lease *lease = NEW(struct lease);
    lease->id = ++leases->id_last;
    lease->message = message;
    lease->worker = worker;
    lease->job = job;
    list_push_back(&worker->leases, &lease->link);
    worker->lease_count++;
    table_put(&leases->by_id, lease->id, lease);
    return lease;
}

struct lease *leases_get(const struct leases *leases, uint64_t id)
{
    return table_get(&leases->by_id, id);
}

struct lease *leases_of_job(const struct leases *leases, const struct job *job)
{
    size_t at = 0;
    for (struct lease *lease; (lease = table_next(&leases->by_id, &at));)
        if (lease->job == job)
            return lease;
    return NULL;
}

void leases_note(struct leases *leases, const struct lease *lease)
{
    struct leasebook_entry entry = {
        .lease = lease->id,
        .message = lease->message,
        .boot = lease->worker->boot,
    };
    (void)snprintf(entry.worker, sizeof entry.worker, "%.39s",
                   lease->worker->name);
    leasebook_note(leases->book, &entry);
}

void leases_forget(struct leases *leases, uint64_t id)
{
    leasebook_clear(leases->book, id);
}

void leases_end(struct leases *leases, struct lease **lease)
{
    struct lease *ended = steal(*lease);
    list_remove(&ended->link);
    ended->worker->lease_count--;
    (void)table_take(&leases->by_id, ended->id);
    mem_free(ended);
}

struct job *leases_take(struct leases *leases, struct lease **lease)
{
    struct job *job = (*lease)->job;
    leases_end(leases, lease);
    if (job)
        lanes_leave(job);
    return job;
}

struct job *leases_return(struct leases *leases, struct lease **lease)
{
    leases_forget(leases, (*lease)->id);
    return leases_take(leases, lease);
}

struct claim *leases_claim(struct leases *leases, uint64_t lease,
                           uint64_t message, uint32_t worker)
{
    if (table_get(&leases->claims, lease))
        return NULL;
    struct claim *claim = NEW(struct claim);
    *claim = (struct claim){ lease, message, worker, NULL };
    table_put(&leases->claims, lease, claim);
    struct claimed *claimed = table_get(&leases->claimed, message);
    if (!claimed) {
        claimed = NEW(struct claimed);
        table_put(&leases->claimed, message, claimed);
    }
    claimed->count++;
    return claim;
}

void leases_inherit(struct leases *leases, const struct leasebook_entry *entry)
{
    struct claim *claim = leases_claim(leases, entry->lease, entry->message, 0);
    if (claim)
        claim->entry = entry;
}

uint32_t leases_claims_of(const struct leases *leases, uint64_t message)
{
    const struct claimed *claimed = table_get(&leases->claimed, message);
    return claimed ? claimed->count : 0;
}

struct claim *leases_claimed(const struct leases *leases, uint64_t lease)
{
    return table_get(&leases->claims, lease);
}

void leases_end_claim(struct leases *leases, struct claim **claim)
{
    struct claim *ended = steal(*claim);
    struct claimed *claimed = table_get(&leases->claimed, ended->message);
    if (--claimed->count == 0) {
        (void)table_take(&leases->claimed, ended->message);
        mem_free(claimed);
    }
    (void)table_take(&leases->claims, ended->lease);
    leases_forget(leases, ended->lease);
    mem_free(ended);
}

void leases_doubt(struct leases *leases, uint64_t id)
{
    leases->doubted[leases->doubted_count++ % LEASES_DOUBTED_MAX] = id;
}

bool leases_is_doubted(const struct leases *leases, uint64_t id)
{
    for (size_t i = 0; i < leases->doubted_count && i < LEASES_DOUBTED_MAX; i++)
        if (leases->doubted[i] == id)
            return true;
    return false;
}
