/*
 * book.h - every action that this router knows of, and its copy on disk.
 *
 *     book_open -> book_start -> book_add, book_end, book_add_json ... from any
 *     thread; progress by book_mailbox() -> book_free
 *
 * An action is on disk (ledger.h, in the spool's folder) before anybody acts
 * upon it. A damaged file never stops the start: whole records count, what is
 * not is reported, and the file is set aside.
 *
 * Copies with other routers merge (action.h); exchange.h brings them. What is
 * over is kept for a while (action_is_past()), ends of pauses for the longest: a
 * router that was away for longer than that could bring one back.
 *
 * A lock guards it, held while the file is written, so it is not for the lane
 * thread: that one hears of changes by the hook, and tells by the mailbox.
 */
#ifndef ROUTER_ACTIONS_BOOK_H
#define ROUTER_ACTIONS_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/edge/loop.h"
#include "router/actions/action.h"

#define BOOK_ACTIONS_MAX 4096u /* then the oldest that is over goes */
#define BOOK_NOTES_MAX   1024u /* progress on its way */
#define BOOK_ROUTERS_MAX 64u   /* whose progress is kept with an action */

struct book;

/* Somebody acts: the lane thread. Called under the lock, from any thread; must
 * not block. The action is borrowed. False: not now; it is called again. */
typedef bool book_tell_fn(void *context, const struct action *action);

struct book_options {
    const char *folder; /* of the spool; must be there, and be ours alone */
    const char *router; /* our name */
    uint64_t (*new_id)(void *context);
    void *id_context;
    book_tell_fn *tell;
    void *tell_context;
};

/* Progress from the lane thread; mem_new(), the mailbox takes it over. */
struct book_note {
    uint64_t id;
    struct progress progress;
};

/* Reads the file. `loop` is whose thread hears of progress. NULL only when the
 * folder cannot be opened. */
struct book *book_open(struct loop *loop, const struct book_options *options,
                       struct fault *fault) must_check;
void book_free(struct book **book);

/* Tells of every pause in force and every bulk action that is not done. */
void book_start(struct book *book);

/* Takes struct book_note pointers. */
struct mailbox *book_mailbox(struct book *book);

/* Writes a new action down, then tells; its id and time are made here. The
 * filter becomes canonical. RC_SYNTAX, RC_LIMIT: not taken, and why; RC_IO: the
 * disk refused. */
enum rc book_add(struct book *book, const struct action *wanted, uint64_t *id,
                 struct fault *fault) must_check;

/* Ends a pause, cancels a bulk action. RC_NONE: unknown; RC_LIMIT: over
 * already; RC_IO. */
enum rc book_end(struct book *book, uint64_t id, struct slice actor,
                 struct fault *fault) must_check;

/* Appends one as a JSON object, or all (id 0) as {"actions": [...]}. RC_NONE:
 * unknown; RC_LIMIT: no room. */
enum rc book_add_json(struct book *book, uint64_t id,
                      struct buf *out) must_check;

/* For exchange.h. A change that others should see calls the hook, under the
 * lock, in whatever thread made it. */
typedef void book_change_fn(void *context);
void book_on_change(struct book *book, book_change_fn *fn, void *context);

/* A copy came in: of an action, or of a router's progress with one. */
void book_merge(struct book *book, const struct action *action);
void book_merge_progress(struct book *book, uint64_t id, struct slice router,
                         const struct progress *progress);

/* After the last of many copies: writes them down at once, and tells. */
void book_merged(struct book *book);

/* What others may not have, in turn: begin with *at = 0. Calls `fn` under the
 * lock for each; it must not call the book. */
typedef void book_each_fn(void *context, const struct action *action,
                          const struct progress *ours);
void book_each(struct book *book, book_each_fn *fn, void *context);

#endif
