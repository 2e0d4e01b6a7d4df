/* peek.c - looks at cold messages where they are. */
#include "router/dispatch/peek.h"

#include <sched.h>

#include "common/base/mem.h"
#include "router/dispatch/core.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/view.h"

struct peeked {
    struct spool_read read;
    struct list link; /* in peeker->peeks */
    struct dispatch *dispatch;
    struct peeker *peeker; /* NULL: nobody hears any more */
};

void peeker_init(struct peeker *peeker, peek_fn *fn)
{
    *peeker = (struct peeker){ .fn = fn };
    list_init(&peeker->peeks);
}

void peeker_release(struct peeker *peeker)
{
    for (struct list *link; (link = list_take(&peeker->peeks));)
        container_of(link, struct peeked, link)->peeker = NULL;
    peeker->out = 0;
}

/* In the reader's thread. The lane thread empties its mailbox within a turn. */
static void answered(struct spool_read *read)
{
    struct peeked *peeked = container_of(read, struct peeked, read);
    while (!mailbox_post(peeked->dispatch->peeked, peeked))
        (void)sched_yield();
}

void peek(struct dispatch *dispatch, struct peeker *peeker, uint64_t id)
{
    struct peeked *peeked = NEW(struct peeked);
    peeked->read = (struct spool_read){ .id = id, .done = answered };
    peeked->dispatch = dispatch;
    peeked->peeker = peeker;
    list_init(&peeked->read.link);
    list_init(&peeked->link);
    list_push_back(&peeker->peeks, &peeked->link);
    peeker->out++;
    spool_read(dispatch->spool, &peeked->read);
}

/* The lane that the line belongs to; NULL: none. */
static struct lane *lane_of(const struct dispatch *dispatch,
                            struct cold_queue *queue)
{
    uint16_t stream = 0;
    uint32_t tenant = 0;
    if (queue->kind == COLD_READY)
        return lane_of_line(queue, &stream, &tenant);
    if (queue->kind == COLD_WAITING && queue != &dispatch->cold_homeless)
        return container_of(queue, struct lane, cold_waiting);
    return NULL;
}

static enum job_state state_of(const struct cold_queue *queue)
{
    switch (queue->kind) {
    case COLD_READY:
        return JOB_READY;
    case COLD_WAITING:
        return JOB_WAITING;
    case COLD_FOUND:
    case COLD_FETCHING:
        break;
    }
    return JOB_FOUND;
}

static struct queued *ghost_of(struct dispatch *dispatch,
                               const struct peeked *peeked)
{
    struct cold_queue *queue =
        cold_find(dispatch->lanes.warmth.cold, peeked->read.id);
    struct queued *ghost = NULL;
    if (queue && peeked->read.rc == RC_OK)
        ghost = entry_ghost(dispatch, &peeked->read);
    for (struct job *job = ghost ? ghost->jobs : NULL; job;
         job = job->sibling) {
        job->state = state_of(queue);
        job->lane = lane_of(dispatch, queue);
    }
    return ghost;
}

static void show(struct dispatch *dispatch, struct peeked *peeked)
{
    struct peeker *peeker = peeked->peeker;
    const uint64_t id = peeked->read.id;
    struct queued *queued = table_get(&dispatch->lanes.messages, id);
    if (queued) {
        peeker->fn(dispatch, peeker, id, queued, false);
        return;
    }
    dispatch_begin(dispatch);
    struct queued *ghost = ghost_of(dispatch, peeked);
    peeker->fn(dispatch, peeker, id, ghost, true);
    if (ghost && dispatch->opened == ghost)
        dispatch->opened = NULL;
    queued_free(&ghost);
}

void peek_done(struct dispatch *dispatch, void *item)
{
    struct peeked *peeked = item;
    list_remove(&peeked->link);
    if (peeked->peeker)
        peeked->peeker->out--;
    if (peeked->peeker && !dispatch->stopping)
        show(dispatch, peeked);
    spool_read_release(&peeked->read);
    mem_free(peeked);
    defer_set(dispatch->operate);
}

enum peek_guess peek_guess(struct dispatch *dispatch,
                           const struct filter *filter, uint64_t id)
{
    uint16_t stream = 0;
    uint32_t tenant = 0;
    struct cold_queue *queue = cold_find(dispatch->lanes.warmth.cold, id);
    if (!queue)
        return PEEK_NO;
    if (filter->all)
        return PEEK_YES;
    if (queue->kind != COLD_READY)
        return PEEK_MAYBE;
    const struct lane *lane = lane_of_line(queue, &stream, &tenant);
    const struct filter_view view = view_share(dispatch, lane, stream, tenant);
    if (!filter_match_share(filter, &view))
        return PEEK_NO;
    return filter_is_of_share(filter) ? PEEK_YES : PEEK_MAYBE;
}
