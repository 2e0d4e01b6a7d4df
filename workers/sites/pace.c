/* pace.c - how far ahead of its connections an outlet asks for jobs. */
#include "workers/sites/pace.h"

#define WINDOW_MS 100u
#define PER_S_MAX 1000000u
#define SMOOTHING 8u /* a new answer counts for 1/8 */
#define US_PER_MS 1000u
#define US_PER_S  1000000u

void pace_ask(struct pace *pace, uint64_t now_ms)
{
    if (pace->is_asking)
        return;
    pace->is_asking = true;
    pace->asked_ms = now_ms;
}

static void note_answer(struct pace *pace, uint64_t now_ms)
{
    pace->is_asking = false;
    const uint64_t wait_ms = now_ms - pace->asked_ms;
    if (wait_ms > PACE_ANSWER_MS)
        return;
    const uint32_t sum =
        pace->answer_us * (SMOOTHING - 1) + (uint32_t)wait_ms * US_PER_MS;
    pace->answer_us = sum / SMOOTHING;
}

/* What a window of a long silence had says little: it counts as half. */
static void close_window(struct pace *pace, uint64_t now_ms)
{
    const uint64_t length_ms = now_ms - pace->window_ms;
    const uint64_t per_s = (uint64_t)pace->count * 1000u / length_ms;
    const uint64_t mean = (pace->per_s + per_s + 1) / 2;
    pace->per_s = mean < PER_S_MAX ? (uint32_t)mean : PER_S_MAX;
    pace->window_ms = now_ms;
    pace->count = 0;
}

void pace_hear(struct pace *pace, uint64_t now_ms)
{
    if (pace->is_asking)
        note_answer(pace, now_ms);
    pace->count++;
    if (now_ms >= pace->window_ms + WINDOW_MS)
        close_window(pace, now_ms);
}

uint32_t pace_ahead(const struct pace *pace)
{
    const uint64_t span_us =
        2u * (uint64_t)pace->answer_us + (uint64_t)PACE_SLACK_MS * US_PER_MS;
    const uint64_t ahead = (pace->per_s * span_us + US_PER_S - 1) / US_PER_S;
    if (ahead == 0)
        return 1;
    return ahead < UINT32_MAX ? (uint32_t)ahead : UINT32_MAX;
}
