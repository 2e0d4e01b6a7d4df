/*
 * sites.h - all that a worker sends, by lane and source.
 *
 * Takes the frames of the routers, keeps one outlet for each lane and each
 * source of its pool that is bound on this host, and sees to it that each is
 * looked at when a limit changes, and every second.
 */
#ifndef WORKERS_SITES_SITES_H
#define WORKERS_SITES_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "workers/sites/outlet.h"

struct sites;

/* The ground is filled in by the caller but for deliveries and gates' on_change,
 * which is sites_run(); it must outlive the sites. */
struct sites *sites_new(struct outlet_ground *ground,
                        struct conf *conf) must_check;
void sites_free(struct sites **sites);

/* Looks which sources of the config are bound here; true when that changed. */
bool sites_find_sources(struct sites *sites);
struct wire_texts sites_sources(const struct sites *sites);

void sites_offer(struct sites *sites, struct link *router,
                 const struct wire_offer *offer);
void sites_job(struct sites *sites, struct link *router,
               const struct wire_job *job, struct slice head,
               struct slice body);

/* Lanes of this router are void; jobs under way go on. */
void sites_lost(struct sites *sites, struct link *router);

/* Adds what we have of the router's jobs, up to max in all. */
void sites_add_held(struct sites *sites, struct link *router, uint64_t *leases,
                    uint64_t *messages, size_t *count, size_t max);

/* Looks at every outlet. */
void sites_run(struct sites *sites);

void sites_reconf(struct sites *sites, struct conf *conf);

/* Hands back what was not begun; sites_is_empty() tells when the rest is
 * done. */
void sites_drain(struct sites *sites);
bool sites_is_empty(const struct sites *sites);

#endif
