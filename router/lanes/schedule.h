/*
 * schedule.h - when a recipient that was deferred is tried again.
 *
 * Pure. A schedule lists the waits before attempt 2, 3, ...; its last one
 * repeats. A jitter is added, so that what failed together does not come back
 * together; it follows from the seed alone, and never makes a wait shorter than
 * the operator wrote.
 *
 * A receiver that greylists may name the wait itself ("try again in 300
 * seconds"): then that counts, within bounds, and for the first attempts alone,
 * so that one who says it for ever is asked less and less often.
 */
#ifndef ROUTER_LANES_SCHEDULE_H
#define ROUTER_LANES_SCHEDULE_H

#include <stdint.h>

#include "config/conf.h"

#define SCHEDULE_ASKED_ATTEMPTS       4u
#define SCHEDULE_ASKED_MIN_MS         1000u
#define SCHEDULE_ASKED_MAX_MS         3600000u /* or the schedule's last wait */
#define SCHEDULE_ASKED_JITTER_DIVISOR 16u

/* The wait after `attempts` attempts (at least 1). */
uint64_t schedule_wait_ms(const struct conf_schedule *schedule,
                          uint32_t attempts, uint64_t seed);

/* The same where the reply asks for `asked_ms`: not shorter than that, but for
 * the bounds above. */
uint64_t schedule_asked_ms(const struct conf_schedule *schedule,
                           uint32_t attempts, uint64_t asked_ms, uint64_t seed);

#endif
