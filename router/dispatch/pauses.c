/* pauses.c - what operators keep from being handed out. */
#include "router/dispatch/pauses.h"

#include <inttypes.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "router/dispatch/core.h"
#include "router/dispatch/events.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/place.h"
#include "router/dispatch/view.h"

void pauses_init(struct pauses *pauses)
{
    *pauses = (struct pauses){ .share_rules = 0 };
    list_init(&pauses->rules);
    list_init(&pauses->returning);
}

static void drop(struct pauses *pauses, struct pause *pause)
{
    list_remove(&pause->link);
    if (pause->is_of_share)
        pauses->share_rules--;
    else
        pauses->job_rules--;
    filter_release(&pause->filter);
    action_free(&pause->action);
    mem_free(pause);
}

void pauses_release(struct pauses *pauses)
{
    while (!list_is_empty(&pauses->rules))
        drop(pauses, container_of(pauses->rules.next, struct pause, link));
}

static bool closes(void *context, const struct lane *lane, uint16_t stream,
                   uint32_t tenant)
{
    struct dispatch *dispatch = context;
    const struct filter_view view = view_share(dispatch, lane, stream, tenant);
    list_each (link, &dispatch->pauses.rules) {
        const struct pause *pause = container_of(link, struct pause, link);
        if (pause->is_of_share && filter_match_share(&pause->filter, &view))
            return true;
    }
    return false;
}

static void apply_to_lane(struct dispatch *dispatch, struct lane *lane)
{
    const uint32_t before = lane_depth(lane);
    lane_close_by(lane, closes, dispatch);
    if (lane_depth(lane) <= before)
        return;
    fetch_want(dispatch, lane);
    if (lane->pool && dispatch->pools.items[lane->pool->index].given_up)
        place_lane_again(dispatch, lane);
    else
        dispatch_wake(dispatch, lane);
}

/* place_lane_again() may make lanes, so the walk is over numbers. */
void pauses_apply(struct dispatch *dispatch)
{
    struct lanes *lanes = &dispatch->lanes;
    lanes->closes = dispatch->pauses.share_rules > 0 ? closes : NULL;
    lanes->closes_context = dispatch;
    const size_t count = lanes->by_number.count;
    uint32_t *numbers = mem_new(count + 1, sizeof *numbers);
    size_t at = 0;
    size_t found = 0;
    for (const struct lane *lane; (lane = table_next(&lanes->by_number, &at));)
        numbers[found++] = lane->number;
    for (size_t i = 0; i < found; i++) {
        struct lane *lane = lanes_by_number(lanes, numbers[i]);
        if (lane)
            apply_to_lane(dispatch, lane);
    }
    mem_free(numbers);
}

void pauses_lift(struct dispatch *dispatch)
{
    size_t at = 0;
    dispatch->lanes.closes = NULL;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));)
        lane_close_by(lane, NULL, NULL);
}

/* Moves all of `from` to the end of `to`. */
static void append(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* All that is aside is looked at again. The lanes must stay meanwhile. */
static void recall(struct dispatch *dispatch)
{
    size_t at = 0;
    for (struct lane *lane;
         (lane = table_next(&dispatch->lanes.by_number, &at));) {
        if (list_is_empty(&lane->paused))
            continue;
        lane->idle_ms = dispatch_now_ms(dispatch);
        append(&dispatch->pauses.returning, &lane->paused);
    }
    defer_set(dispatch->operate);
}

static struct pause *rule_of(const struct pauses *pauses, uint64_t id)
{
    list_each (link, &pauses->rules) {
        struct pause *pause = container_of(link, struct pause, link);
        if (pause->action->id == id)
            return pause;
    }
    return NULL;
}

static void begin(struct dispatch *dispatch, const struct action *action)
{
    struct fault fault;
    struct pauses *pauses = &dispatch->pauses;
    struct pause *pause = NEW(struct pause);
    list_init(&pause->link);
    filter_init(&pause->filter);
    if (filter_parse(&pause->filter, action->filter, &fault) != RC_OK) {
        log_fault(LOG_ERROR, "pause_unreadable", &fault);
        filter_release(&pause->filter);
        mem_free(pause);
        return;
    }
    pause->action = action_copy(action);
    pause->is_of_share = filter_is_of_share(&pause->filter);
    list_push_back(&pauses->rules, &pause->link);
    if (pause->is_of_share)
        pauses->share_rules++;
    else
        pauses->job_rules++;
    events_action(dispatch, "paused", action);
    if (pause->is_of_share)
        pauses_apply(dispatch);
}

static void end(struct dispatch *dispatch, struct pause *pause,
                const struct action *action)
{
    const bool is_of_share = pause->is_of_share;
    events_action(dispatch, "resumed", action);
    drop(&dispatch->pauses, pause);
    if (is_of_share)
        pauses_apply(dispatch);
    recall(dispatch);
}

void pauses_hear(struct dispatch *dispatch, const struct action *action)
{
    struct pause *pause = rule_of(&dispatch->pauses, action->id);
    const bool is_live = action_is_live(action, time_utc_ms());
    if (is_live && !pause)
        begin(dispatch, action);
    else if (!is_live && pause)
        end(dispatch, pause, action);
}

void pauses_tick(struct dispatch *dispatch)
{
    const uint64_t utc_ms = time_utc_ms();
    list_each (link, &dispatch->pauses.rules) {
        struct pause *pause = container_of(link, struct pause, link);
        if (!action_is_live(pause->action, utc_ms))
            end(dispatch, pause, pause->action);
    }
}

/* Adds the recipients that the rule means to meant[]; how many are meant now. */
static size_t add_meant(struct dispatch *dispatch, struct job *job,
                        const struct pause *pause, uint64_t utc_ms, bool *meant)
{
    size_t count = 0;
    const bool *match =
        view_match(dispatch, job, &pause->filter, utc_ms, &count);
    size_t sum = 0;
    for (size_t i = 0; i < job->recipient_count; i++) {
        meant[i] = meant[i] || (match && match[i]);
        sum += meant[i];
    }
    return sum;
}

/* The part that is meant is a job of its own, aside. */
static void divide(struct dispatch *dispatch, struct job *job,
                   const bool *meant, bool *keep)
{
    for (size_t i = 0; i < job->recipient_count; i++)
        keep[i] = !meant[i];
    place_paused(dispatch, queued_divide(job, keep));
}

bool pauses_keep(struct dispatch *dispatch, struct job *job)
{
    if (dispatch->pauses.job_rules == 0)
        return false;
    const uint64_t utc_ms = time_utc_ms();
    const size_t count = job->recipient_count;
    size_t sum = 0;
    dispatch_begin(dispatch);
    bool *meant = arena_new(&dispatch->scratch, count, 2);
    CHECK(meant); /* as for outcome.c: made for the largest envelope */
    list_each (link, &dispatch->pauses.rules) {
        const struct pause *pause = container_of(link, struct pause, link);
        if (!pause->is_of_share && sum < count)
            sum = add_meant(dispatch, job, pause, utc_ms, meant);
    }
    if (sum == count) {
        place_paused(dispatch, job);
        return true;
    }
    if (sum > 0)
        divide(dispatch, job, meant, meant + count);
    return false;
}

static void return_one(struct dispatch *dispatch, struct job *job)
{
    list_remove(&job->link);
    struct lane *lane = job->lane;
    if (pauses_keep(dispatch, job)) {
        /* It was put at the end, and stood before all that is there. */
        list_remove(&job->link);
        list_push_front(&lane->paused, &job->link);
    } else {
        place_ready(dispatch, job, LANE_FRONT);
    }
}

/* From the last to the first, each to the front: their order is as before. */
bool pauses_return(struct dispatch *dispatch, uint64_t until_us)
{
    struct list *returning = &dispatch->pauses.returning;
    while (!list_is_empty(returning) && time_now_us() < until_us)
        return_one(dispatch, container_of(returning->prev, struct job, link));
    return !list_is_empty(returning);
}

const struct pause *pauses_find(struct dispatch *dispatch, struct job *job,
                                size_t position)
{
    size_t count = 0;
    const uint64_t utc_ms = time_utc_ms();
    list_each (link, &dispatch->pauses.rules) {
        const struct pause *pause = container_of(link, struct pause, link);
        const bool *match =
            view_match(dispatch, job, &pause->filter, utc_ms, &count);
        if (match && match[position])
            return pause;
    }
    return NULL;
}
