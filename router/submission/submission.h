/*
 * submission.h - the front door: SMTP listeners, their threads and sessions.
 *
 *     start --> SERVING --drain--> DRAINING --stop--> gone
 *                 ^ reconf
 *
 * A few threads, each with its own loop, its own listening sockets (the kernel
 * shares connections out, SO_REUSEPORT) and its own sessions; they share
 * nothing that changes but the password checks, the counts of connections per
 * client, and counters. What was accepted goes through the intake given; its
 * ticket is the moment of the 250.
 *
 * All functions are for one controlling thread, but submission_stats(), which
 * any thread may call.
 */
#ifndef ROUTER_SUBMISSION_SUBMISSION_H
#define ROUTER_SUBMISSION_SUBMISSION_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/rc.h"
#include "config/conf.h"
#include "router/intake.h"

struct submission;
struct templates;

/* All must outlive the submission. */
struct submission_options {
    struct intake *intake;
    struct templates *templates;        /* NULL: none are known */
    uint64_t (*next_id)(void *context); /* a message id; from any thread */
    void *id_context;
    /* As of struct session_host; from any thread. */
    enum rc (*hear_report)(void *context, const struct conf *conf,
                           struct slice report);
    void *report_context;
};

/* Opens the listeners of the conf and serves. NULL with *fault when one cannot
 * be opened or the certificate cannot be used. Holds a reference to the conf.
 * Binds before it returns: privileges for low ports may be dropped then. */
struct submission *submission_start(struct conf *conf,
                                    const struct submission_options *options,
                                    struct fault *fault) must_check;

/* Takes another conf: opens new listeners, closes those that are gone (their
 * sessions go on to their end), uses the certificate for new connections.
 * Running sessions go on under the new conf from their next transaction on; an
 * account that is gone is no longer logged in. The number of threads stays.
 * On failure *fault says why and everything is as it was. */
enum rc submission_reconf(struct submission *submission, struct conf *conf,
                          struct fault *fault) must_check;

/* Takes no more connections; tells idle sessions 421 4.3.2, the others when
 * their transaction is over. Returns at once. */
void submission_drain(struct submission *submission);

/* Drains, waits at most `wait_ms` for the sessions to end, cuts off those that
 * have not, and frees. The intake must still be at work: messages that are on
 * their way to disk are waited for. Accepts NULL inside. */
void submission_stop(struct submission **submission, uint64_t wait_ms);

#define SUBMISSION_CODES 600

struct submission_stats {
    uint64_t connections;       /* open now */
    uint64_t connections_total; /* taken since the start */
    uint64_t turned_away;       /* connections refused by a limit */
    uint64_t accepted;          /* messages that got a 250 */
    uint64_t accepted_recipients;
    uint64_t logins;
    uint64_t logins_failed;
    uint64_t refused_4yz; /* replies since the start */
    uint64_t refused_5yz;
    uint64_t refused[SUBMISSION_CODES]; /* the same by reply code */
};
void submission_stats(const struct submission *submission,
                      struct submission_stats *stats);

#endif
