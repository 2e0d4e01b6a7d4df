/* body.c - the bytes of one message, shared without copy. */
#include "router/body.h"

#include "common/base/check.h"
#include "common/base/mem.h"

struct body *body_new(char *bytes, size_t len)
{
    struct body *body = NEW(struct body);
    atomic_init(&body->refs, 1);
    body->len = len;
    body->bytes = bytes;
    return body;
}

struct body *body_hold(struct body *body)
{
    atomic_fetch_add_explicit(&body->refs, 1, memory_order_relaxed);
    return body;
}

void body_release(struct body **body)
{
    struct body *held = steal(*body);
    if (!held)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&held->refs, 1, memory_order_acq_rel);
    CHECK(before > 0);
    if (before > 1)
        return;
    mem_free(held->bytes);
    mem_free(held);
}
