/*
 * action.h - what an operator wants done: a pause, or one thing for many.
 *
 * An action is written once and never changed, but for its end: a pause that
 * was resumed, a bulk action that was cancelled. An end is never taken back, so
 * copies of an action (on disk, in Redis, at other routers) merge without a
 * word on which is newer: one that has ended beats one that has not, and of two
 * ends the earlier counts.
 *
 *     PAUSE     a rule: what matches is not handed to workers until its end
 *     REQUEUE   what waits for its next attempt may go now
 *     REROUTE   what is left goes by another route
 *     EXPIRE    fails now as if its time were over, with a report
 *     BOUNCE    fails now with the operator's text, with a report
 *     DELETE    is gone, without a report; an event each
 *     RELEASE   what is held in doubt is sent again
 *
 * All but PAUSE are for mail accepted before the action was made, and each
 * router carries them out on its own queue: its progress stands beside.
 *
 * On disk and in Redis both are TLV (common/proto/tlv.h); their tags do not
 * overlap, so that one run of bytes may hold both. Pure.
 */
#ifndef ROUTER_ACTIONS_ACTION_H
#define ROUTER_ACTIONS_ACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "router/actions/filter.h"

#define ACTION_NAME_MAX  128u /* bytes of an actor or a route's name */
#define ACTION_TEXT_MAX  400u /* of a reason; a reply's line is 512 */
#define ACTION_BYTES_MAX ((size_t)2 * FILTER_TEXT_MAX)

/* What is over is kept so long; a pause longer, so that no router that was away
 * brings it back. */
#define ACTION_KEEP_MS       (UINT64_C(7) * 86400 * 1000)
#define ACTION_KEEP_PAUSE_MS (UINT64_C(90) * 86400 * 1000)

enum action_kind {
    ACTION_PAUSE,
    ACTION_REQUEUE,
    ACTION_REROUTE,
    ACTION_EXPIRE,
    ACTION_BOUNCE,
    ACTION_DELETE,
    ACTION_RELEASE,
};
#define ACTION_KINDS 7

struct action {
    uint64_t id; /* unique in the cluster; rises with time */
    enum action_kind kind;
    uint64_t created_utc_ms;
    uint64_t until_utc_ms; /* of a pause; 0: until it is resumed */
    uint64_t ended_utc_ms; /* resumed or cancelled; 0: it was not */
    struct slice filter;   /* canonical text */
    struct slice actor;
    struct slice why;      /* for BOUNCE what the sender is told */
    struct slice route;    /* for REROUTE */
    struct slice ended_by; /* the actor of its end */
};

enum progress_state {
    PROGRESS_WAITING, /* not begun */
    PROGRESS_RUNNING, /* walks the queue, or waits for jobs that are out */
    PROGRESS_DONE,
    PROGRESS_CANCELLED, /* what was done before stays done */
};
#define PROGRESS_STATES 4

/* How far one router has come with an action. Messages, but for `done`. */
struct progress {
    enum progress_state state;
    uint64_t total;   /* queued when it began */
    uint64_t seen;    /* looked at */
    uint64_t matched; /* with a recipient that matches */
    uint64_t done;    /* recipients acted upon */
    uint64_t busy;    /* matched, but a worker has them now */
    uint64_t started_utc_ms;
    uint64_t ended_utc_ms;
};

/* A copy in one piece of memory, to be freed with action_free(). */
struct action *action_copy(const struct action *action) must_check;
void action_free(struct action **action);

/* Is it complete, and can its filter be read? RC_SYNTAX or RC_LIMIT with the
 * reason otherwise. */
enum rc action_check(const struct action *action,
                     struct fault *fault) must_check;

/* Appends; false when it does not fit. */
bool action_pack(const struct action *action, struct buf *out);
bool progress_pack(const struct progress *progress, struct buf *out);

/* Total over any bytes. RC_OK: and it passes action_check(); the texts point
 * into `packed`. RC_NONE: of a kind that we do not know; RC_SYNTAX, RC_LIMIT. */
enum rc action_unpack(struct slice packed, struct action *action) must_check;
enum rc progress_unpack(struct slice packed,
                        struct progress *progress) must_check;

/* Does the end of `other`, a copy of the same action, count more? */
bool action_is_outdone(const struct action *action, const struct action *other);

/* A pause in force; or a bulk action that nobody has cancelled. */
bool action_is_live(const struct action *action, uint64_t utc_ms);

/* Is it so old that nobody needs it any more, if it is over? */
bool action_is_past(const struct action *action, uint64_t utc_ms);

/* "pause", "delete" ... */
const char *action_kind_name(enum action_kind kind);
bool action_kind_parse(struct slice name, enum action_kind *kind);
const char *progress_state_name(enum progress_state state);

#endif
