/* settle.c - what changed goes to disk, and then the worker hears its ACK. */
#include "router/dispatch/settle.h"

#include <inttypes.h>
#include <sched.h>

#include "common/base/check.h"
#include "common/base/crash.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "router/dispatch/entry.h"
#include "router/dispatch/freeze.h"
#include "router/dispatch/notice.h"
#include "router/dispatch/room.h"
#include "router/dispatch/warn.h"

enum step { STEP_REPORT, STEP_STATE, STEP_DROP };

struct settlement {
    struct spool_write write;
    struct list link; /* in dispatch->troubled */
    struct dispatch *dispatch;
    enum step step;
    enum rc rc; /* of the write; set by the committer */
    uint64_t id;
    struct list ended;      /* BOUNCING jobs, until the report is on disk */
    struct message *report; /* NULL: none */
    struct outcome_ack ack; /* worker 0: nobody waits */
    char *packed;           /* the state being written */
};

static void free_settlement(struct settlement *settlement)
{
    if (settlement->ack.worker != 0)
        (void)table_take(&settlement->dispatch->unsettled,
                         settlement->ack.lease);
    settlement->dispatch->settled_count++;
    list_remove(&settlement->link);
    list_remove(&settlement->ended);
    message_free(&settlement->report);
    mem_free(settlement->packed);
    mem_free(settlement);
}

/* In the committer's thread. The lane thread empties its mailbox within a turn;
 * meanwhile the committer waits, and with it the 250s: push-back. */
static void written(struct spool_write *write, enum rc rc)
{
    struct settlement *settlement =
        container_of(write, struct settlement, write);
    settlement->rc = rc;
    while (!mailbox_post(settlement->dispatch->settled, settlement))
        (void)sched_yield();
}

static void post(struct settlement *settlement, enum spool_kind kind,
                 struct slice payload)
{
    struct dispatch *dispatch = settlement->dispatch;
    const bool is_put = kind == SPOOL_PUT;
    settlement->write = (struct spool_write){
        .kind = kind,
        .urgent = is_put && settlement->report->urgent,
        .id = is_put ? settlement->report->id : settlement->id,
        .payload = payload,
        .body = is_put ? settlement->report->body : NULL,
        .done = written,
    };
    list_init(&settlement->write.link);
    if (spool_post(dispatch->spool, &settlement->write))
        dispatch->settling++;
    else
        list_push_back(&dispatch->troubled, &settlement->link);
}

static void post_drop(struct settlement *settlement)
{
    settlement->step = STEP_DROP;
    CRASH_POINT("drop.posting");
    post(settlement, SPOOL_DROP, SLICE(""));
}

static void post_state(struct settlement *settlement, struct queued *queued)
{
    struct dispatch *dispatch = settlement->dispatch;
    struct state state;
    struct buf packed;
    settlement->step = STEP_STATE;
    buf_init(&packed, STATE_BYTES_MAX);
    const struct queued_names names = { dispatch->conf,
                                        &dispatch->workers.sources };
    enum rc rc = queued_state(queued, &names, dispatch_now_ms(dispatch),
                              time_utc_ms(), &dispatch->scratch, &state);
    CHECK(rc == RC_OK);
    rc = state_pack(&state, &packed);
    CHECK(rc == RC_OK); /* 10,000 recipients fit by STATE_BYTES_MAX */
    size_t len = 0;
    mem_free(settlement->packed);
    settlement->packed = buf_steal(&packed, &len);
    CRASH_POINT("state.posting");
    post(settlement, SPOOL_STATE, slice_of(settlement->packed, len));
}

static void finish(struct settlement *settlement)
{
    struct dispatch *dispatch = settlement->dispatch;
    struct queued *queued =
        table_get(&dispatch->lanes.messages, settlement->id);
    if (settlement->ack.worker != 0)
        settle_ack(dispatch, &settlement->ack);
    free_settlement(settlement);
    if (!queued)
        return;
    queued->writes--;
    freeze_if_idle(dispatch, queued);
}

static void drop_ended(struct settlement *settlement, struct queued *queued)
{
    for (struct list *link; (link = list_take(&settlement->ended));) {
        struct job *job = container_of(link, struct job, link);
        CHECK(queued && job->queued == queued);
        room_end_job(settlement->dispatch, &job);
    }
}

/* The recipients that are left, or the end of the message. */
static void write_rest(struct settlement *settlement)
{
    struct dispatch *dispatch = settlement->dispatch;
    struct queued *queued =
        table_get(&dispatch->lanes.messages, settlement->id);
    drop_ended(settlement, queued);
    if (!queued) {
        post_drop(settlement); /* another's, posted before, may be refused */
    } else if (queued->jobs) {
        post_state(settlement, queued);
    } else {
        entry_forget(dispatch, &queued);
        warn_forget(dispatch, settlement->id);
        post_drop(settlement);
    }
}

static void write_report(struct settlement *settlement)
{
    settlement->step = STEP_REPORT;
    CRASH_POINT("report.posting");
    post(settlement, SPOOL_PUT, message_packed(settlement->report));
}

void settle_begin(struct dispatch *dispatch, struct queued *queued,
                  struct message *report, const struct outcome_ack *ack)
{
    struct settlement *settlement = NEW(struct settlement);
    settlement->dispatch = dispatch;
    dispatch->settlements++;
    settlement->id = queued->id;
    queued->writes++;
    settlement->report = report;
    if (ack) {
        settlement->ack = *ack;
        table_put(&dispatch->unsettled, ack->lease, settlement);
    }
    list_init(&settlement->link);
    list_init(&settlement->ended);
    list_each (link, &dispatch->notices) {
        struct job *job = container_of(link, struct notice, link)->ends;
        if (job)
            list_push_back(&settlement->ended, &job->link);
    }
    if (report)
        write_report(settlement);
    else
        write_rest(settlement);
}

bool settle_has_result(const struct dispatch *dispatch, uint64_t lease)
{
    return table_get(&dispatch->unsettled, lease) != NULL;
}

bool settle_adopt(struct dispatch *dispatch, const struct outcome_ack *ack)
{
    struct settlement *settlement = table_get(&dispatch->unsettled, ack->lease);
    if (settlement)
        settlement->ack.worker = ack->worker;
    return settlement != NULL;
}

void settle_ack(struct dispatch *dispatch, const struct outcome_ack *ack)
{
    struct worker *worker = workers_by_number(&dispatch->workers, ack->worker);
    leases_forget(&dispatch->leases, ack->lease);
    if (!worker)
        return; /* when it comes back it brings the result again */
    if (!worker_add_ack(worker, ack->lease)) {
        settle_flush_acks(dispatch);
        if (!worker_add_ack(worker, ack->lease))
            return; /* its link is full: it brings the result again */
    }
    defer_set(dispatch->work);
}

void settle_flush_acks(struct dispatch *dispatch)
{
    list_each (link, &dispatch->workers.all) {
        struct worker *worker = container_of(link, struct worker, link);
        if (worker->ack_count == 0)
            continue;
        const struct wire_frame frame = {
            .kind = WIRE_ACK,
            .as.ack.leases = { worker->acks, worker->ack_count },
        };
        /* One that is lost is asked for again: the worker sends its result. */
        CRASH_POINT("ack.leaving");
        if (dispatch_say(dispatch, &worker->peer, &frame) != RC_LIMIT)
            worker->ack_count = 0;
        CRASH_POINT("ack.sent");
    }
}

void settle_written(struct dispatch *dispatch, void *item)
{
    struct settlement *settlement = item;
    dispatch->settling--;
    if (settlement->rc != RC_OK) {
        log_line(LOG_ERROR, "state_not_written", "id=%" PRIu64 " rc=%s",
                 settlement->id, rc_name(settlement->rc));
        list_push_back(&dispatch->troubled, &settlement->link);
        return;
    }
    switch (settlement->step) {
    case STEP_REPORT:
        CRASH_POINT("report.kept");
        /* The entry is an event of its own; this one goes on after it. */
        entry_accept(dispatch, steal(settlement->report));
        dispatch_begin(dispatch);
        write_rest(settlement);
        break;
    /* NOLINTNEXTLINE(bugprone-branch-clone): alike but for crash points */
    case STEP_STATE:
        CRASH_POINT("state.kept");
        finish(settlement);
        break;
    case STEP_DROP:
        CRASH_POINT("drop.kept");
        finish(settlement);
        break;
    }
}

void settle_retry(struct dispatch *dispatch)
{
    struct list again;
    list_init(&again);
    for (struct list *link; (link = list_take(&dispatch->troubled));)
        list_push_back(&again, link);
    for (struct list *link; (link = list_take(&again));) {
        struct settlement *settlement =
            container_of(link, struct settlement, link);
        dispatch_begin(dispatch);
        switch (settlement->step) {
        case STEP_REPORT:
            write_report(settlement);
            break;
        case STEP_STATE:
            write_rest(settlement);
            break;
        case STEP_DROP:
            post_drop(settlement);
            break;
        }
    }
}

void settle_abandon(struct dispatch *dispatch)
{
    for (struct list *link; (link = list_take(&dispatch->troubled));)
        free_settlement(container_of(link, struct settlement, link));
}
