/*
 * notice.h - what the sender may have to hear of some recipients.
 *
 * An event collects its notices in dispatch->notices; bounce.h makes one report
 * of them, for those who are to be told. Everything lives in the event's arena.
 */
#ifndef ROUTER_DISPATCH_NOTICE_H
#define ROUTER_DISPATCH_NOTICE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/list.h"
#include "common/base/slice.h"
#include "common/proto/dsn.h"
#include "common/proto/verdict.h"
#include "router/lanes/job.h"

struct notice {
    struct list link; /* in dispatch->notices */
    enum dsn_action action;
    const uint32_t *indexes;        /* in the message's envelope */
    const struct verdict *verdicts; /* one each */
    size_t count;
    struct slice remote;          /* who said it; or empty */
    uint64_t last_attempt_utc_ms; /* 0: none in this event */
    struct job *ends; /* BOUNCING: ends once the report is on disk; NULL: the
                         recipients stay queued */
};

#endif
