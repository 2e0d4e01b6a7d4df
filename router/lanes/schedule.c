/* schedule.c - when a recipient that was deferred is tried again. */
#include "router/lanes/schedule.h"

#include "common/base/check.h"

/* splitmix64: neighbouring seeds give unrelated numbers. */
static uint64_t scatter(uint64_t seed)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ (seed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ (seed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return seed ^ (seed >> 31);
}

uint64_t schedule_wait_ms(const struct conf_schedule *schedule,
                          uint32_t attempts, uint64_t seed)
{
    CHECK(schedule->count > 0 && attempts > 0);
    const size_t last = schedule->count - 1;
    const size_t at = attempts - 1 < last ? attempts - 1 : last;
    const uint64_t wait_ms = schedule->waits_ms[at];
    const uint64_t room_ms = wait_ms * schedule->jitter_permille / 1000;
    return wait_ms + scatter(seed ^ attempts) % (room_ms + 1);
}

uint64_t schedule_asked_ms(const struct conf_schedule *schedule,
                           uint32_t attempts, uint64_t asked_ms, uint64_t seed)
{
    CHECK(schedule->count > 0 && attempts > 0);
    if (attempts > SCHEDULE_ASKED_ATTEMPTS)
        return schedule_wait_ms(schedule, attempts, seed);
    const uint64_t last_ms = schedule->waits_ms[schedule->count - 1];
    const uint64_t max_ms =
        last_ms > SCHEDULE_ASKED_MAX_MS ? last_ms : SCHEDULE_ASKED_MAX_MS;
    uint64_t wait_ms = asked_ms < max_ms ? asked_ms : max_ms;
    if (wait_ms < SCHEDULE_ASKED_MIN_MS)
        wait_ms = SCHEDULE_ASKED_MIN_MS;
    const uint64_t room_ms = wait_ms / SCHEDULE_ASKED_JITTER_DIVISOR;
    return wait_ms + scatter(seed ^ attempts) % (room_ms + 1);
}
