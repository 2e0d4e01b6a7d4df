/*
 * pace.h - how far ahead of its connections an outlet asks for jobs.
 *
 * A job that waits here behind others is one that the router can no longer put
 * behind mail that needs to leave sooner. But a connection whose next job is
 * only asked for when it has become free stands idle for a round trip. So as
 * many are asked for ahead as connections become free while the router answers:
 *
 *     ahead = jobs a second x (2 x time from PULL to JOB + PACE_SLACK_MS)
 *
 * at least one, and by the caller at most one for each connection that works.
 * At 20 connections of 100 ms a message that is 2 jobs instead of 20; when a
 * message takes 1 ms it is 20. Both figures are smoothed.
 *
 * Pure; times are milliseconds of the loop's clock.
 */
#ifndef WORKERS_SITES_PACE_H
#define WORKERS_SITES_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SLACK_MS  5u
#define PACE_ANSWER_MS 250u /* more is no answer, but a lane without jobs */

struct pace {
    uint64_t window_ms; /* begin of the window */
    uint32_t count;     /* jobs that came in it */
    uint32_t per_s;     /* of the windows before */
    uint32_t answer_us; /* from PULL to JOB */
    uint64_t asked_ms;
    bool is_asking;
};

/* A PULL leaves; the router has jobs and no credit stood. */
void pace_ask(struct pace *pace, uint64_t now_ms);

/* A job came. */
void pace_hear(struct pace *pace, uint64_t now_ms);

/* At least 1. */
uint32_t pace_ahead(const struct pace *pace);

#endif
