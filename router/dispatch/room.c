/* room.c - how many recipients are queued, and whether more are welcome. */
#include "router/dispatch/room.h"

#include <inttypes.h>

#include "common/edge/log.h"

uint64_t room_taken(const struct dispatch *dispatch)
{
    return dispatch->recipients
           + cold_recipients_all(dispatch->lanes.warmth.cold);
}

void room_add(struct dispatch *dispatch, const struct queued *queued)
{
    dispatch->recipients += queued_recipients(queued);
}

void room_remove(struct dispatch *dispatch, const struct queued *queued)
{
    dispatch->recipients -= queued_recipients(queued);
}

void room_end_job(struct dispatch *dispatch, struct job **job)
{
    dispatch->recipients -= (*job)->recipient_count;
    queued_drop((*job)->queued, job);
}

void room_review(struct dispatch *dispatch)
{
    const uint64_t max = dispatch->conf->spool.max_recipients;
    const uint64_t taken = room_taken(dispatch);
    const bool was_full = atomic_load(&dispatch->full);
    const bool is_full = taken >= (was_full ? max - max / 100 : max);
    if (is_full == was_full)
        return;
    atomic_store(&dispatch->full, is_full);
    log_line(is_full ? LOG_WARNING : LOG_INFO,
             is_full ? "queue_full" : "queue_has_room",
             "recipients=%" PRIu64 " max=%" PRIu64, taken, max);
}
