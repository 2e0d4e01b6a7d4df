/*
 * sites.h - all that a worker sends, by lane and source.
 *
 * Takes the frames of the routers, keeps one outlet for each lane and each
 * source of its pool that is bound on this host, and sees to it that each is
 * looked at every second, and when a limit changes that it waits for.
 *
 * An outlet whose lane or source is void retires: it finishes what is under
 * way and goes. One that has been quiet for long is freed; since both ends
 * count its credit, the router is greeted anew then, many at a time.
 */
#ifndef WORKERS_SITES_SITES_H
#define WORKERS_SITES_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "workers/lanes/link.h"
#include "workers/sites/ground.h"

struct sites;

/* The caller fills in the ground but for what outlets share among themselves
 * (deliveries, berths, waiting, wake, traces, absent); it must outlive the sites. */
struct sites *sites_new(struct outlet_ground *ground,
                        struct conf *conf) must_check;
void sites_free(struct sites **sites);

/* Looks which sources of the config are bound here; true when that changed.
 * Outlets of those that are gone retire. */
bool sites_find_sources(struct sites *sites);
struct wire_texts sites_sources(const struct sites *sites);

void sites_offer(struct sites *sites, struct link *router,
                 const struct wire_offer *offer);
void sites_job(struct sites *sites, struct link *router,
               const struct wire_job *job, struct slice head,
               struct slice body);

/* A router listens to our connections. */
void sites_trace(struct sites *sites, struct link *router,
                 const struct wire_trace *trace);

/* Lanes of this router are void; jobs under way go on. */
void sites_lost(struct sites *sites, struct link *router);

/* Jobs of this router are others' by now: those whose last byte was not said are
 * let go of, with the connections that they are on. */
void sites_stalled(struct sites *sites, struct link *router);

/* Credit of this router counts from 0 again. */
void sites_renewed(struct sites *sites, struct link *router);

/* Adds what we have of the router's jobs, up to max in all. */
void sites_add_held(struct sites *sites, struct link *router, uint64_t *leases,
                    uint64_t *messages, size_t *count, size_t max);

/* A gate has changed: soon looks at the outlets that wait for that. */
void sites_wake(struct sites *sites);

void sites_reconf(struct sites *sites, struct conf *conf);

/* Takes nothing more, hands back what was not begun; sites_is_empty() tells when
 * the rest is done. */
void sites_drain(struct sites *sites);

/* Takes what comes again. */
void sites_resume(struct sites *sites);
bool sites_is_empty(const struct sites *sites);

#endif
