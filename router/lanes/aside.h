/*
 * aside.h - READY jobs of a lane that only one source may have, and that were
 * stepped over because it has no credit now.
 *
 * So that they hold nobody up they stand here, by source and in their order,
 * and not among the jobs of their tenants. They go back when the source has
 * credit again, or when nobody holds it any more. Costs nothing while empty.
 */
#ifndef ROUTER_LANES_ASIDE_H
#define ROUTER_LANES_ASIDE_H

#include <stdint.h>

#include "common/base/list.h"
#include "common/base/table.h"
#include "router/lanes/job.h"

struct aside {
    struct table by_source;
    uint32_t count;
};

void aside_init(struct aside *aside);

/* No job may be in it. */
void aside_release(struct aside *aside);

/* The job is in no list, and has a source (job_source). */
void aside_add(struct aside *aside, struct job *job);

/* The one that stands here longest for this source (job_source); NULL: none. */
struct job *aside_take(struct aside *aside, uint32_t source);

void aside_remove(struct aside *aside, struct job *job);

/* Walks over the sources: begin with *at = 0; 0 at the end. Jobs must not be
 * added meanwhile. */
uint32_t aside_next(const struct aside *aside, size_t *at);

#endif
