/*
 * queued.h - one accepted message as the lanes keep it.
 *
 * Most mail that waits has one recipient and was not tried yet, and 100,000 of
 * them should cost little: the packed envelope stays packed, a message is one
 * piece of memory and a job another; the body is held only while there is room
 * for it, and is read back from the spool otherwise. What is still to be served
 * is what its jobs name, and nothing else.
 */
#ifndef ROUTER_LANES_QUEUED_H
#define ROUTER_LANES_QUEUED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "router/body.h"
#include "router/envelope.h"
#include "router/lanes/job.h"
#include "router/lanes/names.h"
#include "router/state.h"

struct queued {
    uint64_t id;
    uint64_t expires_utc_ms;
    struct job *jobs;     /* linked by `sibling` */
    struct body *body;    /* NULL: on disk only */
    uint32_t writes : 31; /* of its state, on their way to the disk */
    bool is_next : 1;     /* its turn has come: it does not go cold */
    uint32_t packed_len;
    char packed[]; /* the packed envelope */
};

/* Copies the packed envelope; takes over the reference to the body. */
struct queued *queued_new(const struct envelope *envelope, struct slice packed,
                          struct body *body) must_check;

/* Frees the jobs, too. */
void queued_free(struct queued **queued);

void queued_add(struct queued *queued, struct job *job);

/* job_divide(); the new job joins the message, and names the same lane. */
struct job *queued_divide(struct job *job, const bool *keep) must_check;

/* Takes the job out of its message and frees it. */
void queued_drop(struct queued *queued, struct job **job);

/* How many its jobs name. */
uint32_t queued_recipients(const struct queued *queued);

/* Was packed by us and read once already: anything but RC_OK is RC_LIMIT, when
 * the arena is too small. */
enum rc queued_envelope(const struct queued *queued, struct arena *arena,
                        struct envelope *envelope) must_check;

/* What the numbers in jobs and notes stand for. */
struct queued_names {
    const struct conf *conf;     /* of routes */
    const struct names *sources; /* of notes */
};

/* The recipients of all jobs as a state. `now_ms` and `utc_ms` are the same
 * moment on the two clocks. RC_LIMIT when the arena is full. */
enum rc queued_state(struct queued *queued, const struct queued_names *names,
                     uint64_t now_ms, uint64_t utc_ms, struct arena *arena,
                     struct state *state) must_check;

#endif
