/*
 * fleet.h - the generator's connections and the loop that drives them.
 *
 * One thread, one epoll. A message is given to a connection only when that
 * connection is ready for it, so a dead server costs no messages: the fleet
 * connects again every 100 ms until a connection is ready or patience ends.
 * Messages are never sent twice: one whose connection broke behind its dot
 * is in doubt and goes to the ledger as such.
 *
 * With a rate, message k is due k / rate seconds after the start, whether or
 * not a connection is free, and its latency counts from then.
 *
 * Ledger, tabs between: RUN-SEQUENCE, time of the 250 in UTC µs, the reply.
 * A message in doubt has a ? in front of the id and no reply.
 */
#ifndef TESTS_TOOLS_LOAD_FLEET_H
#define TESTS_TOOLS_LOAD_FLEET_H

#include "channel.h"
#include "dialog.h"
#include "ledger.h"
#include "measure.h"

enum {
    REPLY_CODES = 600,       /* table size: any SMTP code is an index */
    CONNECTIONS_MAX = 60000, /* the ports of one address */
};

struct fleet_plan {
    struct dialog_plan dialog;
    struct endpoint to;
    struct endpoint source;
    bool has_source;
    uint64_t connection_count;
    uint64_t per_connection; /* messages, 0: no end */
    uint64_t message_count;
    uint64_t rate_per_s; /* 0: as fast as possible */
    uint64_t seconds;    /* start no message later than this, 0: no end */
    uint64_t patience_s; /* without a connection that became ready */
};

struct fleet_result {
    uint64_t accepted;
    uint64_t refused[REPLY_CODES];
    uint64_t in_doubt;   /* dot sent, connection lost */
    uint64_t broken_off; /* connection lost before the dot */
    uint64_t connections;
    uint64_t connections_failed; /* without a word before any message */
    uint64_t connections_refused[REPLY_CODES]; /* outside of messages */
    uint64_t started_utc_us;     /* first MAIL; 0: none was sent */
    uint64_t finished_utc_us;    /* last message, by reply or loss */
    struct histogram dot_us;     /* content sent to its reply */
    struct histogram message_us; /* message begun, or due, to that reply */
};

enum fleet_end {
    FLEET_DONE,
    FLEET_STOPPED,   /* by signal */
    FLEET_IMPATIENT, /* no connection became ready any more */
    FLEET_BROKEN,    /* errno: the machine or the ledger failed us */
};

/* Sends everything. `stop_fd` is a signalfd: readable means stop. */
enum fleet_end fleet_run(const struct fleet_plan *plan, int stop_fd,
                         struct ledger *ledger, struct fleet_result *result);

#endif
