/* operate.c - bulk actions. */
#include "router/dispatch/operate.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "router/actions/book.h"
#include "router/dispatch/core.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/events.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/freeze.h"
#include "router/dispatch/outcome.h"
#include "router/dispatch/place.h"
#include "router/dispatch/room.h"
#include "router/dispatch/view.h"

void operations_init(struct operations *operations)
{
    *operations = (struct operations){ .notes = NULL };
    list_init(&operations->all);
    table_init(&operations->awaits);
}

/* A cold message that is meant, on its way into memory. */
struct await {
    struct list link; /* in operation->awaits */
    struct operation *operation;
    uint64_t id;
};

static void forget(struct operations *operations, struct await *await)
{
    (void)table_take(&operations->awaits, await->id);
    list_remove(&await->link);
    await->operation->awaited--;
    mem_free(await);
}

static void drop(struct operations *operations, struct operation *operation)
{
    while (!list_is_empty(&operation->awaits))
        forget(operations,
               container_of(operation->awaits.next, struct await, link));
    peeker_release(&operation->peeker);
    list_remove(&operation->link);
    tour_release(&operation->walk);
    tour_release(&operation->busy);
    filter_release(&operation->filter);
    action_free(&operation->action);
    mem_free(operation);
}

void operations_release(struct operations *operations)
{
    while (!list_is_empty(&operations->all))
        drop(operations,
             container_of(operations->all.next, struct operation, link));
    table_release(&operations->awaits);
}

/* False: the mailbox is full; the next note tells more. */
static bool tell(struct dispatch *dispatch, uint64_t id,
                 const struct progress *progress)
{
    if (!dispatch->operations.notes)
        return true;
    struct book_note *note = NEW(struct book_note);
    note->id = id;
    note->progress = *progress;
    if (mailbox_post(dispatch->operations.notes, note))
        return true;
    mem_free(note);
    return false;
}

static peek_fn peeked;

/* The end is told or the operation stays: it would be done again later. */
static void finish(struct dispatch *dispatch, struct operation *operation,
                   enum progress_state state)
{
    operation->progress.state = state;
    operation->progress.busy = 0;
    if (operation->progress.ended_utc_ms == 0)
        operation->progress.ended_utc_ms = time_utc_ms();
    if (!tell(dispatch, operation->action->id, &operation->progress))
        return;
    events_action(dispatch,
                  state == PROGRESS_DONE ? "action_done" : "action_cancelled",
                  operation->action);
    drop(&dispatch->operations, operation);
}

static struct operation *find(struct dispatch *dispatch, uint64_t id)
{
    list_each (link, &dispatch->operations.all) {
        struct operation *operation =
            container_of(link, struct operation, link);
        if (operation->action->id == id)
            return operation;
    }
    return NULL;
}

static void begin(struct dispatch *dispatch, const struct action *action)
{
    struct fault fault;
    struct operation *operation = NEW(struct operation);
    list_init(&operation->link);
    list_init(&operation->awaits);
    peeker_init(&operation->peeker, peeked);
    filter_init(&operation->filter);
    operation->action = action_copy(action);
    if (filter_parse(&operation->filter, action->filter, &fault) != RC_OK) {
        log_fault(LOG_ERROR, "action_unreadable", &fault);
        drop(&dispatch->operations, operation);
        return;
    }
    tour_begin(&operation->walk, &dispatch->lanes, &operation->filter,
               action->created_utc_ms);
    operation->progress = (struct progress){
        .state = PROGRESS_RUNNING,
        .total = operation->walk.count,
        .started_utc_ms = time_utc_ms(),
    };
    list_push_back(&dispatch->operations.all, &operation->link);
    events_action(dispatch, "action_begun", action);
    defer_set(dispatch->operate);
}

void operate_hear(struct dispatch *dispatch, const struct action *action)
{
    struct operation *operation = find(dispatch, action->id);
    const struct progress none = { .state = PROGRESS_CANCELLED };
    if (action->ended_utc_ms == 0 && !operation)
        begin(dispatch, action);
    else if (action->ended_utc_ms > 0 && operation)
        finish(dispatch, operation, PROGRESS_CANCELLED);
    else if (action->ended_utc_ms > 0)
        (void)tell(dispatch, action->id, &none);
}

/* Somebody else has it now: it is looked at again later. */
static bool is_busy(enum job_state state)
{
    return state == JOB_LEASED || state == JOB_FOUND || state == JOB_CLAIMED
           || state == JOB_BOUNCING;
}

/* Is there something in this state that the action can do? */
static bool applies(enum action_kind kind, const struct job *job)
{
    switch (kind) {
    case ACTION_REQUEUE:
        return job->state == JOB_WAITING;
    case ACTION_RELEASE:
        return job->state == JOB_HELD;
    case ACTION_REROUTE:
    case ACTION_EXPIRE:
    case ACTION_BOUNCE:
    case ACTION_DELETE:
        return true;
    case ACTION_PAUSE:
        break;
    }
    return false;
}

/* Would waiting for a busy job make sense? What is on its way out needs no new
 * try, and what ends needs nothing. */
static bool waits_for(enum action_kind kind, enum job_state state)
{
    if (kind == ACTION_REQUEUE || kind == ACTION_RELEASE)
        return state == JOB_FOUND || state == JOB_CLAIMED;
    if (state == JOB_BOUNCING)
        return kind == ACTION_EXPIRE || kind == ACTION_BOUNCE;
    return true;
}

static void log_each(struct dispatch *dispatch, const char *event,
                     struct job *job, const struct action *action)
{
    const struct job_recipient *recipients = job_recipients(job);
    for (size_t i = 0; i < job->recipient_count; i++)
        events_operated(dispatch, event, job, recipients[i].index, action);
}

static void delete_job(struct dispatch *dispatch, struct job *job,
                       const struct action *action)
{
    log_each(dispatch, "deleted", job, action);
    room_end_job(dispatch, &job);
}

static void bounce_job(struct dispatch *dispatch, struct job *job,
                       const struct action *action)
{
    struct verdict verdict;
    const struct slice why =
        action->why.len > 0 ? action->why : SLICE("refused by the operator");
    verdict_local(&verdict, (struct enhanced){ 5, 7, 0 }, "%.*s",
                  SLICE_ARG(why));
    outcome_local(dispatch, job, &verdict);
}

static void try_now(struct dispatch *dispatch, struct job *job,
                    const char *event, const struct action *action)
{
    log_each(dispatch, event, job, action);
    wheel_clear(&job->alarm);
    job->held = false;
    job->alarm.at_ms = 0;
    place_again(dispatch, job);
}

static void reroute_job(struct dispatch *dispatch, struct job *job,
                        const struct action *action)
{
    if (entry_reroute(dispatch, job, action->route))
        log_each(dispatch, "rerouted_by_operator", job, action);
    place_rerouted(dispatch, job);
}

/* The job is in no list, and must not be used afterwards. */
static void apply(struct dispatch *dispatch, struct job *job,
                  const struct action *action)
{
    dispatch->changed = true;
    switch (action->kind) {
    case ACTION_DELETE:
        delete_job(dispatch, job, action);
        break;
    case ACTION_EXPIRE:
        outcome_expired(dispatch, job);
        break;
    case ACTION_BOUNCE:
        bounce_job(dispatch, job, action);
        break;
    case ACTION_REQUEUE:
        try_now(dispatch, job, "requeued", action);
        break;
    case ACTION_RELEASE:
        try_now(dispatch, job, "released", action);
        break;
    case ACTION_REROUTE:
        reroute_job(dispatch, job, action);
        break;
    case ACTION_PAUSE:
        break;
    }
}

/* The recipients that are meant, as a job in no list. A READY job stays in its
 * lane with the others. */
static struct job *take_meant(struct dispatch *dispatch, struct job *job,
                              const bool *match, size_t count)
{
    if (count == job->recipient_count) {
        lanes_leave(job);
        return job;
    }
    bool *keep = arena_new(&dispatch->scratch, job->recipient_count, 1);
    CHECK(keep); /* as for outcome.c: made for the largest envelope */
    for (size_t i = 0; i < job->recipient_count; i++)
        keep[i] = !match[i];
    struct job *part = queued_divide(job, keep);
    part->alarm.at_ms = job->alarm.at_ms;
    return part;
}

/* What one look at a message has found. */
struct findings {
    bool matched;
    bool busy;
};

static void look_at_job(struct dispatch *dispatch, struct operation *operation,
                        struct job *job, struct findings *findings)
{
    const struct action *action = operation->action;
    const bool busy = is_busy(job->state);
    size_t count = 0;
    if (busy ? !waits_for(action->kind, job->state)
             : !applies(action->kind, job))
        return;
    const bool *match = view_match(dispatch, job, &operation->filter,
                                   action->created_utc_ms, &count);
    if (count == 0)
        return;
    findings->matched = true;
    if (busy) {
        findings->busy = true;
        return;
    }
    operation->progress.done += count;
    apply(dispatch, take_meant(dispatch, job, match, count), action);
}

/* A message in memory. A whole event. */
static void look_at_message(struct dispatch *dispatch,
                            struct operation *operation, struct queued *queued)
{
    struct findings findings = { .busy = false };
    const uint64_t id = queued->id;
    dispatch_begin(dispatch);
    /* Acting upon a job may end it, and may add others before those to come. */
    struct job *next = NULL;
    for (struct job *job = queued->jobs; job; job = next) {
        next = job->sibling;
        look_at_job(dispatch, operation, job, &findings);
    }
    const bool reports = !list_is_empty(&dispatch->notices);
    outcome_close(dispatch, queued, NULL);
    if (operation->phase == OPERATION_WALK && findings.matched)
        operation->progress.matched++;
    if (findings.busy || reports)
        tour_add(&operation->busy, id);
}

/* Has it in memory, to act upon it there. One that another action waits for is
 * looked at again later. */
static void await(struct dispatch *dispatch, struct operation *operation,
                  uint64_t id)
{
    if (operate_wants(dispatch, id)) {
        tour_add(&operation->busy, id);
        return;
    }
    struct await *await = NEW(struct await);
    await->operation = operation;
    await->id = id;
    list_init(&await->link);
    list_push_back(&operation->awaits, &await->link);
    operation->awaited++;
    table_put(&dispatch->operations.awaits, id, await);
    fetch_now(dispatch, id);
}

static void peeked(struct dispatch *dispatch, struct peeker *peeker,
                   uint64_t id, struct queued *queued, bool is_ghost)
{
    struct operation *operation =
        container_of(peeker, struct operation, peeker);
    size_t sum = 0;
    if (queued && !is_ghost) {
        look_at_message(dispatch, operation, queued);
        return;
    }
    for (struct job *job = queued ? queued->jobs : NULL; job;
         job = job->sibling) {
        size_t count = 0;
        (void)view_match(dispatch, job, &operation->filter,
                         operation->action->created_utc_ms, &count);
        sum += count;
    }
    if (sum > 0)
        await(dispatch, operation, id);
}

/* Could the action do something with mail in such a line? */
static bool concerns(const struct dispatch *dispatch, enum action_kind kind,
                     uint64_t id)
{
    const struct cold_queue *queue = cold_find(dispatch->lanes.warmth.cold, id);
    if (!queue)
        return false;
    if (kind == ACTION_REQUEUE)
        return queue->kind != COLD_READY;
    if (kind == ACTION_RELEASE)
        return queue->kind == COLD_FOUND || queue->kind == COLD_FETCHING;
    return true;
}

static void step_cold(struct dispatch *dispatch, struct operation *operation,
                      uint64_t id)
{
    if (!concerns(dispatch, operation->action->kind, id))
        return;
    switch (peek_guess(dispatch, &operation->filter, id)) {
    case PEEK_NO:
        break;
    case PEEK_YES:
        await(dispatch, operation, id);
        break;
    case PEEK_MAYBE:
        peek(dispatch, &operation->peeker, id);
        break;
    }
}

/* One message of a walk. */
static void step(struct dispatch *dispatch, struct operation *operation,
                 uint64_t id)
{
    struct queued *queued = table_get(&dispatch->lanes.messages, id);
    if (operation->phase == OPERATION_WALK)
        operation->progress.seen++;
    if (queued)
        look_at_message(dispatch, operation, queued);
    else
        step_cold(dispatch, operation, id);
}

bool operate_wants(const struct dispatch *dispatch, uint64_t id)
{
    return table_get(&dispatch->operations.awaits, id) != NULL;
}

void operate_fetched(struct dispatch *dispatch, uint64_t id)
{
    struct await *await = table_get(&dispatch->operations.awaits, id);
    if (!await)
        return;
    struct operation *operation = await->operation;
    struct queued *queued = table_get(&dispatch->lanes.messages, id);
    forget(&dispatch->operations, await);
    if (queued)
        look_at_message(dispatch, operation, queued);
    else if (fetch_is_cold(dispatch, id)) /* the disk did not give it */
        tour_add(&operation->busy, id);
    queued = table_get(&dispatch->lanes.messages, id);
    if (queued)
        freeze_if_idle(dispatch, queued);
}

/* The walk of this round is over. */
static void next_phase(struct dispatch *dispatch, struct operation *operation)
{
    tour_release(&operation->walk);
    operation->walk = operation->busy;
    operation->busy = (struct tour){ .ids = NULL };
    operation->progress.busy = operation->walk.count;
    if (operation->walk.count > 0) {
        operation->phase = OPERATION_RECHECK;
        operation->again_ms =
            dispatch_now_ms(dispatch) + DISPATCH_RECHECK_EACH_MS;
        return;
    }
    operation->phase = OPERATION_SETTLE;
    operation->settlement = dispatch->settlements;
}

/* Writes are done in the order of their posting, but for those that the disk
 * refused. */
static bool is_settled(const struct dispatch *dispatch,
                       const struct operation *operation)
{
    return dispatch->settled_count >= operation->settlement
           && list_is_empty(&dispatch->troubled);
}

static uint32_t reads_of(const struct operation *operation)
{
    return operation->awaited + operation->peeker.out;
}

static bool is_crowded(const struct dispatch *dispatch,
                       const struct operation *operation)
{
    return dispatch->settling >= DISPATCH_OPERATE_SETTLING_MAX
           || reads_of(operation) >= DISPATCH_OPERATE_READS_MAX;
}

/* True while it has more to do at once. */
static bool work_on(struct dispatch *dispatch, struct operation *operation,
                    uint64_t until_us)
{
    uint64_t id = 0;
    if (dispatch->gathering)
        return false; /* workers may hold what is found */
    if (operation->phase == OPERATION_SETTLE) {
        if (is_settled(dispatch, operation))
            finish(dispatch, operation, PROGRESS_DONE);
        return false;
    }
    if (operation->phase == OPERATION_RECHECK
        && dispatch_now_ms(dispatch) < operation->again_ms)
        return false;
    while (!is_crowded(dispatch, operation) && time_now_us() < until_us) {
        if (!tour_next(&operation->walk, &id)) {
            if (reads_of(operation) > 0)
                return false;
            next_phase(dispatch, operation);
            return operation->phase == OPERATION_SETTLE;
        }
        step(dispatch, operation, id);
    }
    return !is_crowded(dispatch, operation);
}

bool operate_work(struct dispatch *dispatch, uint64_t until_us)
{
    bool more = false;
    list_each (link, &dispatch->operations.all) {
        if (time_now_us() >= until_us)
            return true;
        more = work_on(dispatch, container_of(link, struct operation, link),
                       until_us)
               || more;
    }
    return more;
}

void operate_tick(struct dispatch *dispatch)
{
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    list_each (link, &dispatch->operations.all) {
        struct operation *operation =
            container_of(link, struct operation, link);
        if (now_ms < operation->told_ms + DISPATCH_TELL_EACH_MS)
            continue;
        operation->told_ms = now_ms;
        (void)tell(dispatch, operation->action->id, &operation->progress);
    }
    if (!list_is_empty(&dispatch->operations.all))
        defer_set(dispatch->operate);
}
