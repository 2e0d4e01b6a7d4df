/*
 * body.h - the bytes of one message as they will be sent, shared without copy.
 *
 * A body is written once by submission (header and text, CRLF lines, no dot
 * stuffing) and only read afterwards: by the committer, by ZeroMQ and by whom
 * it is lent to. References are counted atomically; the last one frees.
 */
#ifndef ROUTER_BODY_H
#define ROUTER_BODY_H

#include <stdatomic.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/slice.h"

struct body {
    atomic_uint refs;
    size_t len;
    char *bytes;
};

/* Takes over `bytes` (from buf_steal or mem_new); one reference. */
struct body *body_new(char *bytes, size_t len) must_check;
struct body *body_hold(struct body *body);
void body_release(struct body **body); /* accepts NULL inside */

static inline struct slice body_slice(const struct body *body)
{
    return slice_of(body->bytes, body->len);
}

#endif
