/*
 * server_clock.h - when it is by our clock what Redis' clock says.
 *
 * Each answer tells a time of Redis' clock that was between our question and
 * its end: two bounds for what is between the clocks. The narrowest that were
 * seen hold, with some room for clocks that drift apart; so one quick answer
 * tells what the slow ones after it mean. Bounds that contradict the last ones
 * are those of another server, or of a clock that was set.
 *
 * Pure; times are microseconds.
 */
#ifndef WORKERS_LIMITS_SERVER_CLOCK_H
#define WORKERS_LIMITS_SERVER_CLOCK_H

#include <stdint.h>

struct server_clock {
    int64_t ahead_min_us; /* ours is ahead of the server's by ... */
    int64_t ahead_max_us;
    uint64_t heard_us; /* the last answer; 0: none */
};

/* An answer: what was asked, and heard, by our clock. */
struct server_time {
    uint64_t asked_us;
    uint64_t said_us; /* by the server's */
    uint64_t heard_us;
};

void server_clock_hear(struct server_clock *clock,
                       const struct server_time *time);

/* A moment of the server's is by our clock between these two. */
struct moment {
    uint64_t earliest_us;
    uint64_t latest_us;
};

struct moment server_clock_moment(const struct server_clock *clock,
                                  uint64_t server_us);

#endif
