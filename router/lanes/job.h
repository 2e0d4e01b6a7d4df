/*
 * job.h - one message x the recipients that leave together.
 *
 * The recipients of a job share route, domain, number of attempts, and time and
 * source of the next one. A job belongs to its message (queued.h) and dies with
 * its last recipient.
 *
 *                       ,------------ WAITING <-----------.
 *                       v                                 | deferred
 *     new ---------> RESOLVING ---> READY ---> LEASED ----+
 *      FOUND ---------^   ^         |^ ^          |       | failed, expired
 *        `-> CLAIMED -----'         || `----------'       `-----> BOUNCING
 *                            pause  v|  HANDBACK, lost       delivered: gone
 *                                  PAUSED
 *
 * FOUND      recovered from the spool; workers may still have it
 * CLAIMED    a worker said that it holds the message since an earlier boot
 * RESOLVING  the MX hosts of its domain are asked for
 * READY      in its lane, may leave now; or is aside: only one source may have
 *            it, and that one has no credit (aside.h)
 * LEASED     a worker has it
 * WAITING    for the time of its next attempt
 * PAUSED     as READY, but an operator's pause keeps it until it ends; a job of a
 *            share that is closed as a whole (lane.h) stays READY
 * HELD       in doubt, and its stream says hold: until a late result or expiry
 * BOUNCING   its report to the sender is being written
 *
 * In READY, LEASED, PAUSED and HELD it has a lane; in WAITING it may have one.
 */
#ifndef ROUTER_LANES_JOB_H
#define ROUTER_LANES_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/slice.h"
#include "router/lanes/destination.h"
#include "router/lanes/wheel.h"

enum job_state {
    JOB_FOUND,
    JOB_CLAIMED,
    JOB_RESOLVING,
    JOB_READY,
    JOB_LEASED,
    JOB_WAITING,
    JOB_HELD,
    JOB_BOUNCING,
    JOB_PAUSED,
};
#define JOB_STATE_COUNT 9

/* What is known of a recipient beyond its job: what the last attempt was
 * answered, for the report at the end, and what the next one has to heed. Mail
 * that was not tried has none. */
struct job_note {
    uint32_t source : 31; /* that the next attempt is to leave by: its number in
                             workers.sources, and 1; 0: any */
    uint32_t told : 1;    /* its sender knows of the delay */
    uint16_t code;        /* 0: no reply was heard */
    uint16_t len;
    char text[];
};

struct job_recipient {
    uint32_t index;        /* in the message's envelope */
    struct job_note *note; /* owned; NULL: none yet */
};

struct lane;
struct queued;

struct job {
    struct list link;   /* in the list that the state says */
    struct alarm alarm; /* retry time or expiry, whichever comes first */
    struct queued *queued;
    struct job *sibling; /* next job of the same message */
    struct lane *lane;
    struct destination *destination; /* NULL: not resolved yet */
    union {
        struct job_recipient one;
        struct job_recipient *many;
    } recipients; /* see job_recipients() */
    uint32_t recipient_count;
    uint32_t tenant;   /* number of its name, lanes.h */
    uint16_t attempts; /* job_add_attempts() */
    uint16_t stream;   /* position in the config */
    uint16_t route;    /* likewise */
    enum job_state state : 8;
    bool held : 1;     /* HELD; or FOUND or CLAIMED, and HELD before */
    bool aside : 1;    /* READY, and set aside (aside.h) */
    bool rerouted : 1; /* `route` is an operator's, not the envelope's */
};

/* A million jobs wait at times: one cache line and a half, and no more. */
_Static_assert(sizeof(struct job) == 104, "a waiting job stays small");

/* By rising index. Takes over the notes. The job is in no list and belongs to
 * no message yet (queued_add). */
struct job *job_new(const struct job_recipient *recipients,
                    size_t count) must_check;

/* Stops at UINT16_MAX. */
void job_add_attempts(struct job *job, uint32_t attempts);

/* Frees the notes and the reference to the destination; takes the job out of
 * its list and clears its alarm. */
void job_free(struct job **job);

static inline struct job_recipient *job_recipients(struct job *job)
{
    return job->recipient_count == 1 ? &job->recipients.one
                                     : job->recipients.many;
}

/* A new job of the recipients from position `from` on, with the same
 * attempts, names and destination; those recipients leave this job. Not all of
 * them may leave. */
struct job *job_split(struct job *job, size_t from) must_check;

/* Keeps the recipients for which keep[i] is true and gives the others to a new
 * job, returned; NULL, and nothing changes, when all stay or none. */
struct job *job_divide(struct job *job, const bool *keep) must_check;

/* Replaces the reply of a note; text is cut to STATE_TEXT_MAX. */
void job_set_note(struct job_recipient *recipient, uint16_t code,
                  struct slice text);

/* The source of the next attempt of all its recipients, as in their notes. */
void job_set_source(struct job *job, uint32_t source);
uint32_t job_source(struct job *job);

/* Their sender was told of the delay. */
void job_set_told(struct job_recipient *recipient);

static inline struct slice job_note_text(const struct job_note *note)
{
    return note ? slice_of(note->text, note->len) : slice_of("", 0);
}

/* "ready", "leased" ... */
const char *job_state_name(enum job_state state);

#endif
