/* share.c - a worker's part of a limit that nobody counts at the moment. */
#include "workers/limits/share.h"

struct share share_of(uint32_t rank, uint32_t workers)
{
    struct share share = { .rank = rank, .workers = workers };
    if (share.workers == 0)
        share.workers = 1;
    if (share.rank >= share.workers)
        share.rank = share.workers - 1;
    return share;
}

uint32_t share_count(const struct share *share, uint32_t limit)
{
    uint64_t upper = (uint64_t)limit * (share->rank + 1u) / share->workers;
    uint64_t lower = (uint64_t)limit * share->rank / share->workers;
    return (uint32_t)(upper - lower);
}

uint64_t share_interval_us(const struct share *share, uint64_t interval_us)
{
    return interval_us * share->workers;
}

uint64_t share_turn_us(const struct share *share, uint64_t interval_us)
{
    return interval_us * share->rank;
}
