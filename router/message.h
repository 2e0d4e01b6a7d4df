/*
 * message.h - one accepted message on its way from submission to the lanes.
 *
 * Submission makes it, the spool writes it, the lanes keep it. It changes
 * hands, and is never shared: at any time exactly one thread may touch it.
 *
 *     submission --message_new--> intake_put --> committer: on disk
 *         <-- ticket (the 250) --'                  '--> lanes: to be delivered
 */
#ifndef ROUTER_MESSAGE_H
#define ROUTER_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/slice.h"
#include "router/body.h"
#include "router/envelope.h"
#include "router/spool/spool.h"

struct intake_ticket;

struct message {
    struct spool_write put; /* while it is on its way to disk */
    struct intake_ticket *ticket;
    struct intake *intake;
    uint64_t id;
    bool urgent;       /* as its stream: set by whoever made it */
    struct body *body; /* NULL once it is only on disk */
    size_t packed_len;
    char packed[]; /* the packed envelope, see envelope.h */
};

/* Packs the envelope; takes over one reference to the body. NULL when the
 * envelope is over ENVELOPE_BYTES_MAX (the reference stays the caller's). */
struct message *message_new(const struct envelope *envelope,
                            struct body *body) must_check;
void message_free(struct message **message);

static inline struct slice message_packed(const struct message *message)
{
    return slice_of(message->packed, message->packed_len);
}

#endif
