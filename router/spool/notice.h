/*
 * notice.h - what the operator is told: the spool itself does not log.
 *
 * From whichever thread finds it, now and then with a lock held: the function
 * must not call the spool.
 */
#ifndef ROUTER_SPOOL_NOTICE_H
#define ROUTER_SPOOL_NOTICE_H

#include <stdint.h>

enum spool_event {
    SPOOL_SEGMENT_GIVEN_UP, /* a write or sync of it failed */
    SPOOL_SEGMENT_REFUSED,  /* none could be begun: no PUT is written */
    SPOOL_REFUSES,          /* new mail is unwelcome; `reason` is the cause */
    SPOOL_ACCEPTS,          /* and is welcome again */
    SPOOL_DAMAGED,          /* a record, or bytes that were records */
    SPOOL_MESSAGE_LOST,     /* it cannot be read, and is not queued any more */
    SPOOL_UNREADABLE, /* the cleaner cannot read a segment now: it waits */
    SPOOL_SET_ASIDE,  /* a segment became a .damaged file */
};

struct spool_notice {
    enum spool_event event;
    uint64_t sequence;  /* of the segment; 0: none */
    uint64_t id;        /* of the message; 0: none, or unknown */
    int sys_errno;      /* 0: no system call was the cause */
    const char *reason; /* a constant word; NULL: none */
};

typedef void spool_notice_fn(void *context, const struct spool_notice *notice);

/* Whom to tell; a NULL function hears nothing. */
struct spool_listener {
    spool_notice_fn *hear;
    void *context;
};

static inline void notice_tell(const struct spool_listener *listener,
                               const struct spool_notice *notice)
{
    if (listener->hear)
        listener->hear(listener->context, notice);
}

#endif
