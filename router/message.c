/* message.c - one accepted message on its way to the lanes. */
#include "router/message.h"

#include "common/base/buf.h"
#include "common/base/mem.h"

struct message *message_new(const struct envelope *envelope, struct body *body)
{
    struct buf packed;
    buf_init(&packed, ENVELOPE_BYTES_MAX);
    struct message *message = NULL;
    if (envelope_pack(envelope, &packed) == RC_OK) {
        message = mem_new(1, sizeof *message + packed.len);
        message->id = envelope->id;
        message->body = body;
        message->packed_len = packed.len;
        memcpy(message->packed, buf_slice(&packed).ptr, packed.len);
    }
    buf_release(&packed);
    return message;
}

void message_free(struct message **message)
{
    struct message *held = steal(*message);
    if (!held)
        return;
    body_release(&held->body);
    mem_free(held);
}
