/*
 * journal.h - what a worker's next life must know of this one.
 *
 * A small file that is mapped and outlives the process: a store into it needs no
 * system call and survives SIGKILL (a host that goes takes it along). For each
 * lease it holds a RESULT frame, what is true if the process dies now:
 *
 *     DOUBT   from before the message's last byte is said: "in doubt"
 *     RESULT  from the receiver's answer on: what it said
 *     -       until the last byte, and again from the router's ACK on
 *
 * Who opens the file again hands these frames to the router as its own. So what
 * is not in the journal of a life was not sent, or is settled: such a life is
 * named to the router by its boot (journal_former). That stands only when
 * nothing is missing from it: a frame that found no room is counted in the file,
 * and as long as the count is not 0 that life is not named, nor those before it.
 *
 * One page of head, then slots of 512 bytes; a frame takes a chain of them. The
 * first of a chain is written last, and is what makes the frame be there: a
 * death between any two stores leaves the old frame, the new one, or both, of
 * which RESULT counts. The file is locked for as long as it is open, and what it
 * holds is believed as far as it makes sense.
 *
 * For one thread. About power cuts it promises nothing.
 */
#ifndef WORKERS_RESULTS_JOURNAL_H
#define WORKERS_RESULTS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

#define JOURNAL_SLOTS      4096u /* as many as leases in one HELLO */
#define JOURNAL_SLOT_BYTES 488u  /* of a frame, in each */
#define JOURNAL_BOOTS_MAX  16u   /* lives that are remembered, ours included */

enum journal_kind { JOURNAL_DOUBT = 1, JOURNAL_RESULT };

struct journal;

/* Opens or makes the file for a life with this boot. NULL: it cannot be, or
 * another process has it; then there is nothing to be done but to go on without
 * one, as whose boot is in no file. */
struct journal *journal_open(const char *path, uint64_t boot,
                             struct fault *fault) must_check;

/* What is noted stays in the file. NULL is no journal. */
void journal_close(struct journal **journal);

/* In place of what is noted of the lease. */
void journal_note(struct journal *journal, uint64_t lease,
                  enum journal_kind kind, struct slice frame);

/* Nothing is to be known of it any more; harmless when nothing is noted. */
void journal_clear(struct journal *journal, uint64_t lease);

/* Boots of the lives before this one of which nothing is missing. Ends with the
 * journal. */
const uint64_t *journal_former(const struct journal *journal, size_t *count);

/* False: it makes no sense, or is known already; it is cleared. */
typedef bool journal_fn(void *context, struct slice frame);

/* The frames in the file; to be called before the first is noted. */
void journal_each(struct journal *journal, journal_fn *fn, void *context);

#endif
