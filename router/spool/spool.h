/*
 * spool.h - the disk's word for every message: append-only segments, group
 * commit, recovery.
 *
 * One committer thread owns the files. Others hand it writes; it puts all that
 * wait into one writev, calls fdatasync once, and then tells each writer by its
 * `done`. When nothing is being synced a write goes at once; under load writes
 * gather while the last sync runs, and large ones a little longer (pace.h). PUTs
 * of urgent mail go first and wait for nobody.
 *
 * A reader thread fetches messages back for those who must not wait for a disk.
 *
 * What is on disk, what each combination of records means after a crash, and
 * what recovery does with it is written down in README.md beside this file.
 *
 * A message lives from its PUT to its DROP; in between, the newest STATE says
 * which recipients are still to be served, and when. A write that failed is
 * told as RC_IO or RC_LIMIT and left no trace that recovery could take for a
 * message; the segment it was meant for is never written again.
 *
 * Space: below the soft mark (config spool.min_free, min_free_inodes)
 * spool_accepts() is false and new mail gets 452; below the hard mark
 * (hard_free, hard_free_inodes) no PUT is taken at all. STATE and DROP go on to
 * the end: room for them is allocated ahead, in proportion to what is queued.
 */
#ifndef ROUTER_SPOOL_SPOOL_H
#define ROUTER_SPOOL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "router/body.h"
#include "router/spool/notice.h"
#include "router/spool/volume.h"

struct spool;
struct spool_read;
struct spool_write;

enum spool_kind {
    SPOOL_PUT,   /* a new message: envelope and body */
    SPOOL_STATE, /* replaces the message's state */
    SPOOL_DROP,  /* the message is finished */
};

/* In the committer's thread, once the write is on disk (RC_OK) or cannot be
 * (RC_LIMIT: no space; RC_IO). The write is the owner's again. */
typedef void spool_done_fn(struct spool_write *write, enum rc rc);

/* Embedded in the owner's struct; it and all it points to must stay until
 * `done`. */
struct spool_write {
    struct list link; /* the spool's while it has it */
    enum spool_kind kind;
    bool urgent; /* PUT: spool_live will say so after a start */
    uint64_t id;
    struct slice payload; /* packed envelope, or packed state */
    struct body *body;    /* PUT only; the write borrows it */
    spool_done_fn *done;
};

/* One message that recovery found alive. `state` is empty when none was
 * written. All of it lives until the function returns. */
typedef void spool_found_fn(void *context, uint64_t id, struct slice envelope,
                            struct slice state);

/* The same without reading the message: its envelope may turn out damaged when
 * it is read. */
struct spool_live {
    uint64_t id;
    bool urgent;
    bool has_state;
};
typedef void spool_live_fn(void *context, const struct spool_live *live);

struct spool_options {
    const char *path;
    uint64_t segment_size;
    struct volume_room soft; /* free room below which spool_accepts says no */
    struct volume_room hard; /* and below which no PUT is taken */
    size_t queue_max;        /* PUTs that may wait; STATE and DROP always may */
    const char *router;      /* name, noted in the segments; may be NULL */
    struct spool_listener listener;
    spool_live_fn *live; /* told instead of `found`; may be NULL */
};

/* Creates the folder when missing (0700), takes its lock (RC_LIMIT when
 * another router has it), replays the segments and tells each live message in
 * the order of their PUTs, then starts both threads. */
enum rc spool_open(const struct spool_options *options, spool_found_fn *found,
                   void *context, struct spool **spool,
                   struct fault *fault) must_check;

/* Answers the reads that wait with RC_CLOSED, writes out what waits, syncs, stops
 * both threads, frees. Nobody may read or write any more. */
void spool_close(struct spool **spool);

/* A message of more bytes than this is large: worth telling ahead. */
#define SPOOL_LARGE (64u << 10)

/* A large message is on its way (its text is being received), or is no more: it
 * was stored, refused or given up. Lets large ones share a sync. From any
 * thread. */
void spool_expect(struct spool *spool);
void spool_expect_no_more(struct spool *spool);

/* From any thread. False when too many PUTs wait, or the file system is below the
 * hard mark: nothing was taken. STATE and DROP are always taken. */
bool spool_post(struct spool *spool, struct spool_write *write) must_check;

/* Whether a new message of `size` bytes would be welcome now; cheap, from any
 * thread. */
bool spool_accepts(struct spool *spool, uint64_t size);

/* Reads the body back; from any thread; blocks for a read of the page cache or
 * the disk. RC_OK and one reference in *body; RC_NONE when the message is
 * unknown; RC_SYNTAX when the checksum is wrong; RC_IO. */
enum rc spool_read_body(struct spool *spool, uint64_t id, struct body **body,
                        struct fault *fault) must_check;

/* Parts of a message, in the order in which they are read. */
enum spool_part {
    SPOOL_ENVELOPE,
    SPOOL_STATUS, /* the newest STATE */
    SPOOL_BODY,
};

/* In the reader's thread, once the read is answered. The read is the owner's
 * again. */
typedef void spool_read_fn(struct spool_read *read);

/* Embedded in the owner's struct; it must stay until `done`. The owner sets the
 * first part, all else zero, and calls spool_read_release in the end. */
struct spool_read {
    struct list link; /* the spool's while it has it */
    uint64_t id;
    bool with_body;
    bool urgent; /* goes before those that are not */
    spool_read_fn *done;

    /* The answer. What was read before the part that could not be is there. */
    enum rc rc;
    enum spool_part failed; /* with RC_SYNTAX and RC_IO: which part */
    struct slice envelope;
    struct slice state; /* empty: none was written */
    struct body *body;  /* one reference, when it was asked for */
    struct fault fault;
    char *bytes; /* of envelope and state */
};

/* Asks for a message; from any thread, never blocks on the disk, and is always
 * taken. Reads are answered in order, urgent ones first, with RC_OK; RC_NONE:
 * no such message (any more); RC_SYNTAX: the part is damaged; RC_IO; RC_CLOSED:
 * the spool was closed before. */
void spool_read(struct spool *spool, struct spool_read *read);

/* Frees what the answer holds; harmless before and when called again. A body
 * that is to stay is taken out before: steal(read->body). */
void spool_read_release(struct spool_read *read);

/* The highest message id that recovery saw, 0 when none: where ids go on. */
uint64_t spool_last_id(const struct spool *spool);

struct spool_stats {
    uint64_t messages;   /* live */
    uint64_t segments;   /* files in use */
    uint64_t bytes_live; /* of live messages, headers of records included */
    uint64_t writes;     /* records since the start */
    uint64_t syncs;
    uint64_t sync_us_max; /* longest since the start */
    uint64_t failures;    /* segments given up */
    uint64_t damaged;     /* records that could not be read, since the start */
    bool accepts;
    const char *refuses; /* why not: a constant word; NULL when it does */
    struct volume_room free;
    struct volume_room soft;
    struct volume_room hard;
};
void spool_stats(const struct spool *spool, struct spool_stats *stats);

#endif
