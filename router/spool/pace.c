/* pace.c - how long the committer lets writes gather. */
#include "router/spool/pace.h"

/* Each look counts a quarter of what is known. */
#define OLD_WEIGHT 3u

void pace_note_batch(struct pace *pace, size_t count, uint64_t now_us)
{
    pace->batch_us = now_us;
    pace->batch_count = count;
}

uint64_t pace_rest_us(const struct pace *pace, uint64_t now_us)
{
    const uint64_t since_us = now_us - pace->batch_us;
    if (pace->batch_count < PACE_MANY || since_us >= PACE_GAP_US)
        return 0;
    return PACE_GAP_US - since_us;
}

void pace_note(struct pace *pace, size_t count, uint64_t now_us)
{
    if (count == 0)
        return;
    uint64_t gap_us = (now_us - pace->looked_us) / count;
    if (gap_us > PACE_WAIT_MAX_US) /* a long rest is soon forgotten */
        gap_us = PACE_WAIT_MAX_US;
    pace->gap_us = pace->gap_us == 0 ? gap_us
                                     : (OLD_WEIGHT * pace->gap_us + gap_us)
                                           / (OLD_WEIGHT + 1);
    pace->looked_us = now_us;
}

uint64_t pace_wait_us(const struct pace *pace, size_t here, size_t coming)
{
    if (here >= PACE_SHARE || coming < PACE_COMING_MIN || pace->gap_us == 0)
        return 0;
    const uint64_t expected_us = pace->gap_us * (PACE_SHARE - here);
    if (expected_us > PACE_WAIT_MAX_US)
        return 0;
    return expected_us > PACE_WAIT_MAX_US / 2 ? PACE_WAIT_MAX_US
                                              : 2 * expected_us;
}
