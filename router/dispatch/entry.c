/* entry.c - a message comes in and is split into jobs. */
#include "router/dispatch/entry.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/crash.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "router/dispatch/events.h"
#include "router/dispatch/feedback.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/outcome.h"
#include "router/dispatch/place.h"
#include "router/dispatch/room.h"
#include "router/dispatch/warn.h"
#include "router/routing/sticky.h"

/* A recipient and what its job is told apart by. */
struct member {
    struct slice route;
    struct slice domain; /* as written */
    uint32_t index;
    uint32_t attempts;
    uint64_t next_utc_ms;
    bool held;
    struct slice source;
    const struct state_recipient *past; /* NULL: untried */
};

static int compare_nocase(struct slice a, struct slice b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < len; i++) {
        const int left = tolower((unsigned char)a.ptr[i]);
        const int right = tolower((unsigned char)b.ptr[i]);
        if (left != right)
            return left - right;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int same_job(const struct member *a, const struct member *b)
{
    int order = slice_compare(a->route, b->route);
    if (order == 0)
        order = compare_nocase(a->domain, b->domain);
    if (order == 0)
        order = (a->attempts > b->attempts) - (a->attempts < b->attempts);
    if (order == 0)
        order = (a->next_utc_ms > b->next_utc_ms)
                - (a->next_utc_ms < b->next_utc_ms);
    if (order == 0)
        order = (int)a->held - (int)b->held;
    if (order == 0)
        order = slice_compare(a->source, b->source);
    return order;
}

static int by_job(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;
    const int order = same_job(left, right);
    if (order != 0)
        return order;
    return (left->index > right->index) - (left->index < right->index);
}

static const struct conf_route *route_named(const struct conf *conf,
                                            struct slice name,
                                            const struct conf_stream *stream)
{
    const struct conf_route *route = conf_route(conf, name);
    return route ? route : stream->route;
}

void entry_name(struct dispatch *dispatch, const struct envelope *envelope,
                struct job *job)
{
    const struct conf *conf = dispatch->conf;
    const struct conf_stream *stream = conf_stream(conf, envelope->stream);
    if (!stream)
        stream = conf->classifier.streams[CLASS_NEUTRAL];
    const uint32_t index = job_recipients(job)[0].index;
    const struct conf_route *route =
        route_named(conf, envelope->recipients[index].route, stream);
    job->stream = (uint16_t)stream->index;
    job->rerouted = false;
    job->route = (uint16_t)(route - conf->routes);
    job->tenant = names_number(&dispatch->lanes.tenants, envelope->tenant);
}

bool entry_reroute(struct dispatch *dispatch, struct job *job,
                   struct slice name)
{
    const struct conf *conf = dispatch->conf;
    const struct conf_route *route =
        name.len > 0 ? conf_route(conf, name) : NULL;
    if (!route)
        return false;
    job->route = (uint16_t)(route - conf->routes);
    job->rerouted = true;
    return true;
}

static struct job *make_job(struct dispatch *dispatch,
                            const struct envelope *envelope,
                            const struct member *members, size_t count)
{
    struct job_recipient *recipients =
        arena_new(&dispatch->scratch, count, sizeof *recipients);
    CHECK(recipients);
    for (size_t i = 0; i < count; i++) {
        recipients[i].index = members[i].index;
        const struct state_recipient *past = members[i].past;
        if (past && (past->code != 0 || past->text.len > 0))
            job_set_note(&recipients[i], past->code, past->text);
        if (past && past->told)
            job_set_told(&recipients[i]);
    }
    struct job *job = job_new(recipients, count);
    job_add_attempts(job, members[0].attempts);
    job->held = members[0].held;
    const struct slice source = members[0].source;
    if (source.len > 0)
        job_set_source(job,
                       names_number(&dispatch->workers.sources, source) + 1);
    entry_name(dispatch, envelope, job);
    if (members[0].past)
        (void)entry_reroute(dispatch, job, members[0].past->route);
    return job;
}

/* Cuts the sorted members into jobs of the message. */
static void make_jobs(struct dispatch *dispatch, struct queued *queued,
                      const struct envelope *envelope, struct member *members,
                      size_t count)
{
    if (count > 1)
        qsort(members, count, sizeof *members, by_job);
    const uint64_t now_ms = dispatch_now_ms(dispatch);
    const uint64_t utc_ms = time_utc_ms();
    for (size_t from = 0, to = 1; from < count; from = to++) {
        while (to < count && same_job(&members[from], &members[to]) == 0)
            to++;
        struct job *job =
            make_job(dispatch, envelope, &members[from], to - from);
        const uint64_t next = members[from].next_utc_ms;
        job->alarm.at_ms = next > utc_ms ? now_ms + (next - utc_ms) : now_ms;
        queued_add(queued, job);
    }
}

/* A source that the last attempt left behind counts before the route's wish. */
static void stick(const struct conf *conf, const struct envelope *envelope,
                  struct member *member)
{
    const struct conf_route *route = conf_route(conf, member->route);
    if (!route || member->source.len > 0)
        return;
    const struct conf_source *source = sticky_source(
        route, envelope->id, envelope->recipients[member->index].address);
    if (source)
        member->source = slice_text(source->name);
}

static struct member member_of(const struct envelope *envelope, uint32_t index)
{
    const struct envelope_recipient *recipient = &envelope->recipients[index];
    return (struct member){
        .route = recipient->route,
        .domain = place_domain_of(recipient->address),
        .index = index,
        .source = SLICE(""),
    };
}

static struct member *all_members(struct dispatch *dispatch,
                                  const struct envelope *envelope,
                                  size_t *count)
{
    struct member *members = arena_new(
        &dispatch->scratch, envelope->recipient_count + 1, sizeof *members);
    CHECK(members);
    for (uint32_t i = 0; i < envelope->recipient_count; i++) {
        members[i] = member_of(envelope, i);
        stick(dispatch->conf, envelope, &members[i]);
    }
    *count = envelope->recipient_count;
    return members;
}

static struct member *pending_members(struct dispatch *dispatch,
                                      const struct envelope *envelope,
                                      const struct state *state, size_t *count)
{
    struct member *members = arena_new(
        &dispatch->scratch, state->pending_count + 1, sizeof *members);
    CHECK(members);
    *count = 0;
    for (size_t i = 0; i < state->pending_count; i++) {
        const struct state_recipient *past = &state->pending[i];
        if (past->index >= envelope->recipient_count)
            continue;
        struct member *member = &members[(*count)++];
        *member = member_of(envelope, past->index);
        member->attempts = past->attempts;
        member->next_utc_ms = past->next_utc_ms;
        member->held = past->held;
        member->source = past->source;
        member->past = past;
        if (past->route.len > 0)
            member->route = past->route;
        stick(dispatch->conf, envelope, member);
    }
    return members;
}

static void keep_body(struct dispatch *dispatch, struct queued *queued,
                      struct body *body, bool urgent)
{
    uint64_t room = dispatch->conf->spool.body_cache;
    if (!urgent)
        room -= room / DISPATCH_URGENT_DIVISOR;
    if (dispatch->bodies_bytes + body->len > room) {
        body_release(&body);
        return;
    }
    dispatch->bodies_bytes += body->len;
    queued->body = body;
}

void entry_drop_body(struct dispatch *dispatch, struct queued *queued)
{
    if (!queued->body)
        return;
    dispatch->bodies_bytes -= queued->body->len;
    body_release(&queued->body);
}

static bool needs_body_soon(const struct queued *queued)
{
    for (const struct job *job = queued->jobs; job; job = job->sibling)
        if (job->state == JOB_READY || job->state == JOB_LEASED
            || job->state == JOB_RESOLVING)
            return true;
    return false;
}

void entry_rest_body(struct dispatch *dispatch, struct queued *queued)
{
    if (!needs_body_soon(queued))
        entry_drop_body(dispatch, queued);
}

static bool is_urgent(const struct dispatch *dispatch,
                      const struct envelope *envelope)
{
    const struct conf_stream *stream =
        conf_stream(dispatch->conf, envelope->stream);
    return stream && stream->urgent;
}

/* NULL: it cannot be read, or the message is known already. */
static struct queued *enter(struct dispatch *dispatch, uint64_t id,
                            struct slice packed)
{
    struct envelope envelope;
    const enum rc rc = envelope_unpack(packed, &dispatch->scratch, &envelope);
    if (rc != RC_OK || envelope.id != id
        || table_get(&dispatch->lanes.messages, id)
        || fetch_is_cold(dispatch, id)) {
        log_line(LOG_ERROR, "message_unreadable", "id=%" PRIu64 " rc=%s", id,
                 rc_name(rc));
        return NULL;
    }
    struct queued *queued = queued_new(&envelope, packed, NULL);
    table_put(&dispatch->lanes.messages, id, queued);
    return queued;
}

void entry_accept(struct dispatch *dispatch, struct message *message)
{
    dispatch_begin(dispatch);
    struct queued *queued =
        enter(dispatch, message->id, message_packed(message));
    if (!queued) {
        message_free(&message);
        return;
    }
    const struct envelope *envelope = dispatch_open(dispatch, queued);
    if (message->body)
        keep_body(dispatch, queued, steal(message->body),
                  is_urgent(dispatch, envelope));
    message_free(&message);
    dispatch->counters.accepted++;
    verdicts_count(dispatch->verdicts, envelope);
    events_accepted(dispatch, envelope);
    feedback_accepted(dispatch, envelope);
    warn_watch(dispatch, envelope);

    size_t count = 0;
    struct member *members = all_members(dispatch, envelope, &count);
    make_jobs(dispatch, queued, envelope, members, count);
    room_add(dispatch, queued);
    place_message(dispatch, queued);
    outcome_close(dispatch, queued, NULL);
    CRASH_POINT("lanes.entered");
}

/* Its jobs as the state says: FOUND. */
static void make_found(struct dispatch *dispatch, struct queued *queued,
                       const struct spool_read *read)
{
    const struct envelope *envelope = dispatch_open(dispatch, queued);
    size_t count = 0;
    struct member *members = NULL;
    struct state known;
    if (read->state.len > 0
        && state_unpack(read->state, &dispatch->scratch, &known) == RC_OK)
        members = pending_members(dispatch, envelope, &known, &count);
    else
        members = all_members(dispatch, envelope, &count);
    make_jobs(dispatch, queued, envelope, members, count);
    for (struct job *job = queued->jobs; job; job = job->sibling)
        job->state = JOB_FOUND;
}

struct queued *entry_ghost(struct dispatch *dispatch,
                           const struct spool_read *read)
{
    struct envelope envelope;
    if (envelope_unpack(read->envelope, &dispatch->scratch, &envelope) != RC_OK
        || envelope.id != read->id)
        return NULL;
    struct queued *ghost = queued_new(&envelope, read->envelope, NULL);
    make_found(dispatch, ghost, read);
    return ghost;
}

struct queued *entry_thaw(struct dispatch *dispatch, struct spool_read *read)
{
    dispatch_begin(dispatch);
    struct queued *queued = enter(dispatch, read->id, read->envelope);
    if (!queued)
        return NULL;
    const struct envelope *envelope = dispatch_open(dispatch, queued);
    if (read->body)
        keep_body(dispatch, queued, body_hold(read->body),
                  is_urgent(dispatch, envelope));
    make_found(dispatch, queued, read);
    room_add(dispatch, queued);
    warn_watch(dispatch, envelope);
    for (struct job *job = queued->jobs; job; job = job->sibling)
        list_push_back(&dispatch->thawed, &job->link);
    return queued;
}

void entry_forget(struct dispatch *dispatch, struct queued **queued)
{
    (void)table_take(&dispatch->lanes.messages, (*queued)->id);
    entry_drop_body(dispatch, *queued);
    room_remove(dispatch, *queued);
    if (dispatch->opened == *queued)
        dispatch->opened = NULL;
    queued_free(queued);
}
