/* intake.c - from submission through the spool into the lanes. */
#include "router/intake.h"

#include <sched.h>

#include "common/base/crash.h"
#include "common/base/mem.h"

struct intake {
    struct spool *spool;
    struct mailbox *lanes;
    atomic_bool *full;
};

struct intake *intake_new(struct spool *spool, struct mailbox *lanes,
                          atomic_bool *full)
{
    struct intake *intake = NEW(struct intake);
    intake->spool = spool;
    intake->lanes = lanes;
    intake->full = full;
    return intake;
}

void intake_free(struct intake **intake)
{
    mem_free(steal(*intake));
}

/* The receiver makes room within a turn of its loop; a committer that waits for
 * it delays 250s, which is the push-back wanted. */
static void post_surely(struct mailbox *mailbox, void *item)
{
    while (!mailbox_post(mailbox, item))
        (void)sched_yield();
}

/* In the committer's thread. */
static void put_done(struct spool_write *write, enum rc rc)
{
    struct message *message = container_of(write, struct message, put);
    struct intake_ticket *ticket = message->ticket;
    ticket->rc = rc;
    if (rc == RC_OK)
        post_surely(message->intake->lanes, message);
    else
        message_free(&message);
    CRASH_POINT("intake.entered");
    post_surely(ticket->back_to, ticket);
    CRASH_POINT("intake.ticket_posted");
}

bool intake_put(struct intake *intake, struct message *message,
                struct intake_ticket *ticket)
{
    ticket->id = message->id;
    message->ticket = ticket;
    message->intake = intake;
    message->put = (struct spool_write){
        .kind = SPOOL_PUT,
        .urgent = message->urgent,
        .id = message->id,
        .payload = message_packed(message),
        .body = message->body,
        .done = put_done,
    };
    list_init(&message->put.link);
    return spool_post(intake->spool, &message->put);
}

void intake_expect(struct intake *intake)
{
    spool_expect(intake->spool);
}

void intake_expect_no_more(struct intake *intake)
{
    spool_expect_no_more(intake->spool);
}

bool intake_accepts(const struct intake *intake, uint64_t size)
{
    return !atomic_load(intake->full) && spool_accepts(intake->spool, size);
}
