/* server_clock.c - when it is by our clock what Redis' clock says. */
#include "workers/limits/server_clock.h"

#define DRIFT_PART 2000 /* 500 us a second, as fast as NTP turns a clock */

static void widen(struct server_clock *clock, uint64_t now_us)
{
    const int64_t drift_us = (int64_t)(now_us - clock->heard_us) / DRIFT_PART;
    clock->ahead_min_us -= drift_us;
    clock->ahead_max_us += drift_us;
}

void server_clock_hear(struct server_clock *clock,
                       const struct server_time *time)
{
    const int64_t min_us = (int64_t)(time->asked_us - time->said_us);
    const int64_t max_us = (int64_t)(time->heard_us - time->said_us);
    widen(clock, time->heard_us);
    if (clock->heard_us == 0 || min_us > clock->ahead_max_us
        || max_us < clock->ahead_min_us) {
        clock->ahead_min_us = min_us;
        clock->ahead_max_us = max_us;
    }
    if (clock->ahead_min_us < min_us)
        clock->ahead_min_us = min_us;
    if (clock->ahead_max_us > max_us)
        clock->ahead_max_us = max_us;
    clock->heard_us = time->heard_us;
}

struct moment server_clock_moment(const struct server_clock *clock,
                                  uint64_t server_us)
{
    return (struct moment){
        .earliest_us = server_us + (uint64_t)clock->ahead_min_us,
        .latest_us = server_us + (uint64_t)clock->ahead_max_us,
    };
}
