/*
 * operate.h - bulk actions, worked off a little in each turn of the thread.
 *
 *     WALK  --> RECHECK --> SETTLE --> done
 *                 ^  |
 *                 '--' while workers have some of what is meant
 *
 * WALK     the ids of all messages that were queued when it began, in batches;
 *          a message accepted later is not meant
 * RECHECK  those whose jobs were out, being reported on, or awaited from workers
 *          after a restart, are looked at again and again
 * SETTLE   all that was changed is written, as far as this action did it
 *
 * Only then is it told to be done: after a crash before that it begins anew, and
 * finds what it has not done yet (delete, bounce, expire) or does the same once
 * more (requeue, reroute, release), which changes nothing.
 *
 * A slice takes DISPATCH_OPERATE_SLICE_US of a turn, and none while
 * DISPATCH_OPERATE_SETTLING_MAX writes are under way, so that neither the thread
 * nor the disk is held up.
 *
 * A cold message is looked at where it is (peek.h), unless its line tells all;
 * if it is meant it is fetched, and stays in memory until it was acted upon. At
 * most DISPATCH_OPERATE_READS_MAX of an action are under way.
 */
#ifndef ROUTER_DISPATCH_OPERATE_H
#define ROUTER_DISPATCH_OPERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/list.h"
#include "common/base/table.h"
#include "common/edge/loop.h"
#include "router/actions/action.h"
#include "router/actions/filter.h"
#include "router/dispatch/peek.h"
#include "router/dispatch/tour.h"

struct dispatch;
struct queued;

enum operation_phase { OPERATION_WALK, OPERATION_RECHECK, OPERATION_SETTLE };

struct operation {
    struct list link; /* in operations->all, oldest first */
    struct action *action;
    struct filter filter;
    enum operation_phase phase;
    struct progress progress;
    struct tour walk;     /* of this round */
    struct tour busy;     /* for the next round */
    struct peeker peeker; /* at cold ones that may be meant */
    struct list awaits;   /* struct await: cold ones that are, on their way */
    uint32_t awaited;     /* of them */
    uint64_t again_ms;    /* RECHECK: not before */
    uint64_t settlement;  /* SETTLE: the last one that must be written */
    uint64_t told_ms;     /* progress, last */
};

struct operations {
    struct list all;
    struct table awaits;   /* by message */
    struct mailbox *notes; /* who hears of progress; NULL: nobody */
};

void operations_init(struct operations *operations);
void operations_release(struct operations *operations);

/* A bulk action to be carried out, or one that was cancelled. */
void operate_hear(struct dispatch *dispatch, const struct action *action);

/* Works until `until_us`; true when there is more to do at once. */
bool operate_work(struct dispatch *dispatch, uint64_t until_us);

/* Now and then: rounds that are due again, progress. */
void operate_tick(struct dispatch *dispatch);

/* Is the message kept in memory for an action? */
bool operate_wants(const struct dispatch *dispatch, uint64_t id);

/* It was fetched and placed, or could not be. A whole event. */
void operate_fetched(struct dispatch *dispatch, uint64_t id);

#endif
