/* inquiry.c - a question about a message that is cold. */
#include "router/dispatch/inquiry.h"

#include "common/base/mem.h"
#include "common/proto/message_id.h"
#include "router/dispatch/core.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/peek.h"
#include "router/dispatch/seeing.h"

struct inquiry {
    struct list link; /* in dispatch->inquiries */
    struct peeker peeker;
    struct call *call;
};

static void end(struct inquiry *inquiry, enum rc rc)
{
    call_answer(inquiry->call, rc);
    call_leave(&inquiry->call);
    peeker_release(&inquiry->peeker);
    list_remove(&inquiry->link);
    mem_free(inquiry);
}

static void seen(struct dispatch *dispatch, struct peeker *peeker, uint64_t id,
                 struct queued *queued, bool is_ghost)
{
    (void)id;
    struct inquiry *inquiry = container_of(peeker, struct inquiry, peeker);
    dispatch->ghost = is_ghost ? queued : NULL;
    const enum rc rc =
        seeing_answer(dispatch, call_question(inquiry->call),
                      call_arg(inquiry->call), call_json(inquiry->call));
    dispatch->ghost = NULL;
    end(inquiry, rc);
}

bool inquiry_begin(struct dispatch *dispatch, struct call *call)
{
    const enum dispatch_question question = call_question(call);
    uint64_t id = 0;
    if ((question != DISPATCH_MESSAGE && question != DISPATCH_WHY)
        || !id_parse(call_arg(call), &id) || !fetch_is_cold(dispatch, id))
        return false;
    struct inquiry *inquiry = NEW(struct inquiry);
    list_init(&inquiry->link);
    list_push_back(&dispatch->inquiries, &inquiry->link);
    peeker_init(&inquiry->peeker, seen);
    inquiry->call = call;
    peek(dispatch, &inquiry->peeker, id);
    return true;
}

void inquiry_release(struct dispatch *dispatch)
{
    while (!list_is_empty(&dispatch->inquiries))
        end(container_of(dispatch->inquiries.next, struct inquiry, link),
            RC_TIMEOUT);
}
