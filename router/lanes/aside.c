/* aside.c - READY jobs that were stepped over, by source. */
#include "router/lanes/aside.h"

#include "common/base/check.h"
#include "common/base/mem.h"

struct aside_source {
    uint32_t source;
    struct list jobs;
};

void aside_init(struct aside *aside)
{
    table_init(&aside->by_source);
    aside->count = 0;
}

static void free_empty(struct aside *aside, struct aside_source *at)
{
    if (!list_is_empty(&at->jobs))
        return;
    (void)table_take(&aside->by_source, at->source);
    mem_free(at);
}

void aside_release(struct aside *aside)
{
    CHECK(aside->count == 0);
    table_release(&aside->by_source);
}

void aside_add(struct aside *aside, struct job *job)
{
    const uint32_t source = job_source(job);
    CHECK(source != 0);
    struct aside_source *at = table_get(&aside->by_source, source);
    if (!at) {
        at = NEW(struct aside_source);
        at->source = source;
        list_init(&at->jobs);
        table_put(&aside->by_source, source, at);
    }
    list_push_back(&at->jobs, &job->link);
    job->aside = true;
    aside->count++;
}

void aside_remove(struct aside *aside, struct job *job)
{
    struct aside_source *at = table_get(&aside->by_source, job_source(job));
    CHECK(at && job->aside);
    list_remove(&job->link);
    job->aside = false;
    aside->count--;
    free_empty(aside, at);
}

struct job *aside_take(struct aside *aside, uint32_t source)
{
    struct aside_source *at = table_get(&aside->by_source, source);
    if (!at)
        return NULL;
    struct job *job = container_of(at->jobs.next, struct job, link);
    aside_remove(aside, job);
    return job;
}

uint32_t aside_next(const struct aside *aside, size_t *at)
{
    const struct aside_source *next = table_next(&aside->by_source, at);
    return next ? next->source : 0;
}
