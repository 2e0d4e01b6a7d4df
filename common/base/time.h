/*
 * time.h - the two clocks, read at the edges only.
 *
 * Decisions get `now_ms` (monotonic) passed in. Wall-clock time is for what
 * leaves the process or survives it: headers, logs, the spool.
 */
#ifndef COMMON_BASE_TIME_H
#define COMMON_BASE_TIME_H

#include <stdint.h>

#define SECONDS_MS(n) ((uint64_t)(n)*1000u)
#define MINUTES_MS(n) ((uint64_t)(n)*60u * 1000u)
#define HOURS_MS(n)   ((uint64_t)(n)*3600u * 1000u)

/* Monotonic milliseconds; never steps. */
uint64_t time_now_ms(void);

/* Monotonic microseconds, for measuring. */
uint64_t time_now_us(void);

/* Nanoseconds that this thread has worked; what a piece of work costs on a
 * machine that has other things to do. */
uint64_t time_worked_ns(void);

/* Milliseconds since 1970 UTC; may step. */
uint64_t time_utc_ms(void);

#define TIME_RFC3339_SIZE 25 /* 2026-01-31T23:59:59.999Z and a NUL */

/* RFC 3339 in UTC with milliseconds. */
void time_rfc3339(uint64_t utc_ms, char text[TIME_RFC3339_SIZE]);

#define TIME_RFC5322_SIZE 32 /* Sat, 31 Jan 2026 23:59:59 +0000 and a NUL */

/* date-time of RFC 5322 section 3.3, in UTC. */
void time_rfc5322(uint64_t utc_ms, char text[TIME_RFC5322_SIZE]);

#endif
