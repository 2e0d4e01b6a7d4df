/*
 * view.h - what a filter is asked about: a recipient of a queued message.
 *
 * A view of the job alone costs no decoding; the envelope's part is added when
 * the filter needs it. Views are valid until the next change of the message.
 */
#ifndef ROUTER_DISPATCH_VIEW_H
#define ROUTER_DISPATCH_VIEW_H

#include "router/actions/filter.h"
#include "router/dispatch/core.h"

#define VIEW_CODE_SIZE 8

struct view {
    struct filter_view filter;
    char code[VIEW_CODE_SIZE]; /* of filter.texts[FILTER_CODE] */
};

/* All but what view_add_recipient() adds. Age is up to `utc_ms`. */
void view_of_job(struct dispatch *dispatch, const struct job *job,
                 uint64_t utc_ms, struct view *view);

/* The last reply, and with an envelope (NULL: not needed) what it tells. */
void view_add_recipient(struct view *view, const struct envelope *envelope,
                        const struct job_recipient *recipient);

/* Which recipients of the job the filter means: match[i] for each, in the
 * event's arena; NULL when it means none. Opens the envelope only when it must.
 * *count is how many. */
const bool *view_match(struct dispatch *dispatch, struct job *job,
                       const struct filter *filter, uint64_t utc_ms,
                       size_t *count);

/* The route that the job goes by. */
struct slice view_route(const struct dispatch *dispatch, const struct job *job);

/* "ready", "paused" ...: as people see it. */
struct slice view_state(const struct job *job);

#endif
