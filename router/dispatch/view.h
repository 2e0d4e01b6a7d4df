/*
 * view.h - what a filter is asked about: a recipient of a queued message.
 *
 * The job alone costs no decoding; the envelope is opened when the filter needs
 * it.
 */
#ifndef ROUTER_DISPATCH_VIEW_H
#define ROUTER_DISPATCH_VIEW_H

#include "router/actions/filter.h"
#include "router/dispatch/core.h"

/* Which recipients of the job the filter means: match[i] for each, in the
 * event's arena; NULL when it means none. Opens the envelope only when it must.
 * *count is how many. */
const bool *view_match(struct dispatch *dispatch, struct job *job,
                       const struct filter *filter, uint64_t utc_ms,
                       size_t *count);

/* All that a filter of shares can ask for; other texts are not set. */
struct filter_view view_share(const struct dispatch *dispatch,
                              const struct lane *lane, uint16_t stream,
                              uint32_t tenant);

/* The route that the job goes by. */
struct slice view_route(const struct dispatch *dispatch, const struct job *job);

/* "ready", "paused" ...: as people see it. */
struct slice view_state(const struct job *job);

#endif
