/*
 * desk.h - one thread of submission: a loop, its doors, its connections.
 *
 * Everything here belongs to the desk's thread, but desk_post(), which the
 * controlling thread calls, and the counters, which any thread reads. Doors and
 * connections live on the desk; what they share with other desks (auth, budget,
 * crowds, setups, the intake) takes care of itself.
 */
#ifndef ROUTER_SUBMISSION_DESK_H
#define ROUTER_SUBMISSION_DESK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/list.h"
#include "common/edge/loop.h"
#include "router/submission/auth.h"
#include "router/submission/budget.h"
#include "router/submission/crowd.h"
#include "router/submission/setup.h"
#include "router/submission/submission.h"

struct desk_counters {
    atomic_uint_fast64_t connections;
    atomic_uint_fast64_t connections_total;
    atomic_uint_fast64_t turned_away;
    atomic_uint_fast64_t accepted;
    atomic_uint_fast64_t accepted_recipients;
    atomic_uint_fast64_t logins;
    atomic_uint_fast64_t logins_failed;
    atomic_uint_fast64_t refused[SUBMISSION_CODES];
};

struct desk {
    const struct submission_options *options;
    struct auth *auth;
    struct budget *budget;
    struct loop *loop;
    struct mailbox *orders;
    struct mailbox *tickets;   /* of the intake */
    struct mailbox *checks;    /* of the auth */
    struct sketcher *sketcher; /* for the classifier */
    struct setup *setup;       /* of new connections; NULL before the first */
    struct list doors;
    struct list connections; /* also those that only wait for a ticket */
    bool is_draining;
    struct timer *cut; /* set while draining, where there is an end to it */
    struct desk_counters counters;
    pthread_t thread;
};

/* A listening socket to be taken over with a new setup. */
struct desk_door {
    char *address; /* as in the config; the receiver's */
    int fd;
    struct crowd *crowd; /* one reference */
};

enum desk_order_kind {
    DESK_SETUP, /* take the setup; open the doors, close those not in it */
    DESK_DRAIN, /* close all doors, let sessions end, then end the thread */
};

struct desk_order {
    enum desk_order_kind kind;
    struct setup *setup; /* one reference */
    struct desk_door *doors;
    size_t door_count;
    /* DESK_DRAIN: when sessions that have not ended are ended; only what is
     * being stored is awaited then. UINT64_MAX: never. */
    uint64_t cut_ms;
};

/* What is given must outlive the desk. */
struct desk *desk_new(const struct submission_options *options,
                      struct auth *auth, struct budget *budget) must_check;

/* The thread must have ended, or never have been started. */
void desk_free(struct desk **desk);

enum rc desk_start(struct desk *desk, struct fault *fault) must_check;

/* Hands an order over; the desk frees it. */
void desk_post(struct desk *desk, struct desk_order *order);

/* An order that was not handed over; closes its sockets. */
void desk_order_free(struct desk_order **order);

/* Ends the thread when it is draining and nothing is left; for connection.c. */
void desk_check_end(struct desk *desk);

static inline void desk_count(atomic_uint_fast64_t *counter, uint64_t by)
{
    (void)atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

#endif
