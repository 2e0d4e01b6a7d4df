/* time.c - reading the clocks, writing dates. */
#include "common/base/time.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t time_now_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000u;
}

uint64_t time_now_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t time_worked_ns(void)
{
    struct timespec worked;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &worked);
    return (uint64_t)worked.tv_sec * 1000000000u + (uint64_t)worked.tv_nsec;
}

uint64_t time_utc_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000u;
}

void time_rfc3339(uint64_t utc_ms, char text[TIME_RFC3339_SIZE])
{
    time_t seconds = (time_t)(utc_ms / 1000u);
    struct tm date;
    (void)gmtime_r(&seconds, &date);
    (void)snprintf(
        text, TIME_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
        (unsigned)(date.tm_year + 1900) % 10000u,
        (unsigned)(date.tm_mon + 1) % 100u, (unsigned)date.tm_mday % 100u,
        (unsigned)date.tm_hour % 100u, (unsigned)date.tm_min % 100u,
        (unsigned)date.tm_sec % 100u, (unsigned)(utc_ms % 1000u));
}

void time_rfc5322(uint64_t utc_ms, char text[TIME_RFC5322_SIZE])
{
    static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed",
                                     "Thu", "Fri", "Sat" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr",
                                        "May", "Jun", "Jul", "Aug",
                                        "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)(utc_ms / 1000u);
    struct tm date;
    (void)gmtime_r(&seconds, &date);
    (void)snprintf(
        text, TIME_RFC5322_SIZE, "%s, %02u %s %04u %02u:%02u:%02u +0000",
        days[date.tm_wday], (unsigned)date.tm_mday % 100u, months[date.tm_mon],
        (unsigned)(date.tm_year + 1900) % 10000u, (unsigned)date.tm_hour % 100u,
        (unsigned)date.tm_min % 100u, (unsigned)date.tm_sec % 100u);
}
