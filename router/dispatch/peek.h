/*
 * peek.h - looks at cold messages where they are, without bringing them back.
 *
 * Envelope and state are read from the spool, and jobs are made of them that
 * stand nowhere: a *ghost*. Its state and lane are those of the line that the
 * message is cold in, so that filters, lists and `why` need not tell it from a
 * message in memory. It may be a moment old, and is never acted upon.
 *
 * A message that has come back, or has gone, while it was read is shown as it is
 * now.
 */
#ifndef ROUTER_DISPATCH_PEEK_H
#define ROUTER_DISPATCH_PEEK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"
#include "router/actions/filter.h"

struct dispatch;
struct queued;
struct peeker;

/* What was seen: in memory, or a ghost that lives until this returns; NULL when
 * the message is gone or cannot be read. */
typedef void peek_fn(struct dispatch *dispatch, struct peeker *peeker,
                     uint64_t id, struct queued *queued, bool is_ghost);

/* Who looks; embedded in its user. */
struct peeker {
    peek_fn *fn;
    struct list peeks;
    uint32_t out; /* of them */
};

void peeker_init(struct peeker *peeker, peek_fn *fn);
void peeker_release(struct peeker *peeker); /* answers are not heard any more */

/* Reads the message; the answer comes in a later turn. */
void peek(struct dispatch *dispatch, struct peeker *peeker, uint64_t id);

/* From the mailbox: an answer of the spool. */
void peek_done(struct dispatch *dispatch, void *item);

/* What the place alone of a cold message says. */
enum peek_guess {
    PEEK_NO,    /* the filter does not mean it, or it is not cold */
    PEEK_YES,   /* it does */
    PEEK_MAYBE, /* it has to be read */
};
enum peek_guess peek_guess(struct dispatch *dispatch,
                           const struct filter *filter, uint64_t id);

#endif
