/*
 * schedule.h - when a recipient that was deferred is tried again.
 *
 * Pure. A schedule lists the waits before attempt 2, 3, ...; its last one
 * repeats. A jitter of up to an eighth is added, so that what failed together
 * does not come back together; it follows from the seed alone, and never makes
 * a wait shorter than the operator wrote.
 */
#ifndef ROUTER_LANES_SCHEDULE_H
#define ROUTER_LANES_SCHEDULE_H

#include <stdint.h>

#include "config/conf.h"

#define SCHEDULE_JITTER_DIVISOR 8u

/* The wait after `attempts` attempts (at least 1). */
uint64_t schedule_wait_ms(const struct conf_schedule *schedule,
                          uint32_t attempts, uint64_t seed);

#endif
