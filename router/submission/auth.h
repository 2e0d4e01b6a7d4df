/*
 * auth.h - passwords are checked here, off the event loops.
 *
 * A check takes some 20 ms of one processor on purpose (yescrypt), so it is
 * done by a small pool of threads behind a bounded queue. Who was right within
 * the last minute is remembered by a keyed digest of client, name, hash and
 * password: a changed password or account never matches what was remembered,
 * and a stranger who guesses it meets the brake all the same. Names that
 * do not exist are checked against a hash that nothing matches and cost the
 * same time. brake.h bounds how fast one may guess.
 */
#ifndef ROUTER_SUBMISSION_AUTH_H
#define ROUTER_SUBMISSION_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/edge/loop.h"
#include "common/edge/passwd.h"
#include "router/submission/credentials.h"
#include "router/submission/net.h"
#include "router/submission/session.h"

#define AUTH_THREADS     2u
#define AUTH_QUEUE_MAX   256u /* checks that wait: 2.5 s of two threads */
#define AUTH_REMEMBER_MS SECONDS_MS(60)

struct auth;

/* One check. The owner fills the first part; the job is the auth's until it
 * comes back through the mailbox, which must have room for AUTH_QUEUE_MAX. */
struct auth_job {
    struct credentials credentials;
    struct net net;
    char hash[PASSWD_HASH_SIZE]; /* of the account; empty: there is none */
    struct mailbox *back_to;
    void *owner; /* for the owner's use */
    /* The result: */
    enum session_answer answer;
    uint64_t delay_ms; /* to wait with telling it */
    struct list link;  /* the auth's */
};

struct auth *auth_new(void) must_check;

/* All jobs must have come back. */
void auth_free(struct auth **auth);

/* From any thread. True: the answer is in the job already, which stays the
 * caller's. False: the job will come back. */
bool auth_ask(struct auth *auth, struct auth_job *job,
              uint64_t now_ms) must_check;

/* Makes a job for these credentials, and wipes and frees one. */
struct auth_job *auth_job_new(const struct credentials *credentials) must_check;
void auth_job_free(struct auth_job **job);

#endif
