/*
 * wire.h - the job protocol between a router and its workers, as bytes.
 *
 *     worker                         router
 *       HELLO  ------------------------>      who I am, sources bound here
 *             <------------------------  WELCOME   beat, lease, my place
 *             <------------------------  OFFER     lane opened, grew, ended
 *       PULL   ------------------------>      credit: jobs I can send now
 *             <------------------------  JOB       + body as its own frame
 *       HANDBACK ---------------------->      not started: no attempt charged
 *       RESULT ------------------------>      what the receiver said
 *             <------------------------  ACK       result is on disk: forget it
 *       BEAT  <----------------------->  BEAT      alive; leases renewed
 *       DRAIN <----------------------->  DRAIN     finish, hand back, rest
 *             <------------------------  TRACE     show the talk with receivers
 *       LINES  ------------------------>      what was said and heard
 *
 * A frame is one version byte, one kind byte, and a msgpack map with small
 * integers as keys. Unknown keys are skipped and missing ones take their zero,
 * so neighbouring versions understand each other; a missing key without which
 * the frame means nothing is RC_SYNTAX. Decoding is total and bounded: any
 * bytes give a frame or RC_SYNTAX / RC_LIMIT, and no decoded text holds CR, LF
 * or NUL. Decoded slices point into the bytes given; arrays live in the arena
 * given.
 *
 * Credit is a running total. For each (lane, source) the worker counts the jobs
 * it ever asked for, the router those it ever sent; what may be sent now is the
 * difference. So a PULL that is lost, repeated or crossed by a JOB does no harm,
 * and a total that falls withdraws. Both counts start at 0 with a WELCOME.
 */
#ifndef COMMON_PROTO_WIRE_H
#define COMMON_PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "common/proto/verdict.h"

#define WIRE_VERSION        1
#define WIRE_SOURCES_MAX    4096 /* sources of one worker */
#define WIRE_HOSTS_MAX      16 /* MX hosts of one destination that are tried */
#define WIRE_RECIPIENTS_MAX 10000 /* of one job */
#define WIRE_LEASES_MAX     4096  /* in one ACK, HANDBACK or BEAT */
#define WIRE_LINES_MAX      256   /* in one LINES */

enum wire_kind {
    WIRE_HELLO = 1,
    WIRE_WELCOME,
    WIRE_OFFER,
    WIRE_PULL,
    WIRE_JOB,
    WIRE_HANDBACK,
    WIRE_RESULT,
    WIRE_ACK,
    WIRE_BEAT,
    WIRE_DRAIN,
    WIRE_TRACE,
    WIRE_LINES,
};

/* How much a job needs to leave, by its stream; a higher one goes first
 * wherever jobs wait. */
enum wire_rank {
    WIRE_RANK_NORMAL,
    WIRE_RANK_BEHIND, /* its stream falls behind its latency objective */
    WIRE_RANK_URGENT,
};
#define WIRE_RANKS 3

struct wire_texts {
    const struct slice *items;
    size_t count;
};

struct wire_ids {
    const uint64_t *items;
    size_t count;
};

struct wire_hello {
    struct slice worker; /* name, unique in the cluster */
    uint64_t boot;       /* random, new at each start */
    struct slice host;   /* host name, for people */
    uint64_t pid;
    uint64_t config_digest;
    struct wire_texts sources; /* names of those bound here */
    /* What the worker still holds of this router, perhaps of an earlier boot of
     * it: jobs under way and results without an ACK. Same order, same count. */
    struct wire_ids held_leases;
    struct wire_ids held_messages;
    /* Boots of this worker's former lives whose journal it has read: all that
     * they sent, or may have sent, is among what is held. */
    struct wire_ids former_boots;
};

struct wire_welcome {
    struct slice router;
    uint64_t boot;
    uint64_t config_digest;
    uint64_t beat_ms;
    uint64_t lease_ms;
    uint32_t rank;    /* this worker's place among the live ones, from 0 */
    uint32_t workers; /* how many those are */
};

/* One lane; depth 0: there is nothing (more) in it. */
struct wire_offer {
    uint32_t lane; /* number, of this router since its boot */
    struct slice pool;
    struct slice site;
    struct slice domain;   /* a recipient domain of it, for limits by domain */
    struct slice provider; /* name, or empty */
    uint64_t depth;        /* jobs ready now */
    uint64_t urgent;       /* of those, of rank URGENT */
    bool is_behind;        /* the next one that is not, is of rank BEHIND */
};

struct wire_pull {
    uint32_t lane;
    struct slice source;
    uint64_t total; /* see above */
};

struct wire_host {
    uint16_t preference;
    struct slice name; /* host name, or an IP literal in brackets */
};

struct wire_recipient {
    uint32_t index; /* in the message's envelope */
    struct slice address;
    struct slice orcpt; /* as the client gave it, or empty */
    uint8_t notify;     /* NOTIFY_* of command.h; 0: not given */
};

struct wire_job {
    uint64_t lease;
    uint64_t message; /* message id */
    uint32_t lane;
    struct slice source;
    struct slice domain; /* of the recipients */
    struct slice tenant;
    struct slice stream;
    struct slice mail_from; /* without <>; empty: null sender */
    struct slice envid;     /* xtext as given, or empty */
    uint8_t ret;            /* RET_* of command.h; 0: not given */
    bool body_8bit;         /* the body has bytes over 127 */
    bool smtputf8;          /* envelope or header need SMTPUTF8 */
    uint64_t size;          /* of the body */
    uint32_t attempt;       /* 1: the first */
    uint64_t accepted_utc_ms;
    const struct wire_host *hosts; /* by preference */
    size_t host_count;
    const struct wire_recipient *recipients;
    size_t recipient_count;
    enum wire_rank rank;
};

struct wire_handback {
    struct wire_ids leases;
    struct slice reason; /* a word: "limit", "drain", "connect", "stalled";
                          * "family": the receiver has no address of the
                          * source's */
};

struct wire_outcome {
    uint32_t index; /* recipient, in the message's envelope */
    struct verdict verdict;
};

struct wire_result {
    uint64_t lease;
    uint64_t message;
    uint32_t lane;
    struct slice source; /* name */
    struct slice source_ip;
    struct slice host; /* MX host, or empty when none was reached */
    struct slice host_ip;
    struct slice tls;        /* "TLSv1.3", or empty */
    uint64_t started_utc_ms; /* attempt began: MAIL was said, or connect */
    uint64_t ended_utc_ms;
    bool in_doubt;   /* the last byte was sent and the reply did not come */
    bool ends_dsn;   /* the receiver does not know DSN: nothing of RFC 3461 was
                      passed on, and no report will come from there */
    bool posthumous; /* with in_doubt: the worker died before the reply came,
                        and its next life found this in the journal */
    bool converted;  /* the text was made 7-bit for this receiver */
    const struct wire_outcome *outcomes;
    size_t outcome_count;
};

struct wire_ack {
    struct wire_ids leases;
};

struct wire_beat {
    /* The sender's; a worker that sees a new one says HELLO. 0, which is no
     * router's: I do not know you. */
    uint64_t boot;
    uint32_t rank; /* router to worker, as in WELCOME */
    uint32_t workers;
};

/* From a worker: it takes nothing more. From a router: an operator wants that
 * of it, towards all routers, until a DRAIN that is over or its end. */
struct wire_drain {
    bool is_over; /* only from a router: go on again */
};

/* An operator listens to the connections that match all of it. Said again while
 * he does: a worker that hears no more of it forgets it after for_ms. */
struct wire_trace {
    uint64_t trace;      /* number, of this router since its boot */
    struct slice site;   /* empty: any */
    struct slice domain; /* of the recipients; empty: any */
    uint64_t message;    /* id; 0: any */
    uint64_t for_ms;
};

struct wire_line {
    uint64_t connection; /* number, of this worker since its boot */
    uint64_t since_ms;   /* the connection began */
    uint8_t kind;        /* 0: a note of ours, 1: said by us, 2: heard */
    struct slice site;
    struct slice source; /* name */
    struct slice host;
    struct slice host_ip;
    struct slice text; /* without CR, LF */
};

struct wire_lines {
    uint64_t trace;
    uint64_t left_out; /* lines, before these, that were too many */
    const struct wire_line *lines;
    size_t line_count;
};

struct wire_frame {
    enum wire_kind kind;
    union {
        struct wire_hello hello;
        struct wire_welcome welcome;
        struct wire_offer offer;
        struct wire_pull pull;
        struct wire_job job;
        struct wire_handback handback;
        struct wire_result result;
        struct wire_ack ack;
        struct wire_beat beat;
        struct wire_drain drain;
        struct wire_trace trace;
        struct wire_lines lines;
    } as;
};

/* Replaces the content of `out` by the frame. RC_LIMIT when `out` is too small
 * for it. */
enum rc wire_encode(const struct wire_frame *frame, struct buf *out) must_check;

/* RC_OK, RC_SYNTAX (also: a version that we do not speak, an unknown kind),
 * RC_LIMIT (more items than allowed, or the arena is full). */
enum rc wire_decode(struct slice bytes, struct arena *arena,
                    struct wire_frame *frame) must_check;

/* "hello", "job" ...: for logs. */
const char *wire_kind_name(enum wire_kind kind);

#endif
