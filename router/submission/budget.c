/* budget.c - memory for messages that are coming in. */
#include "router/submission/budget.h"

bool budget_resize(struct budget *budget, uint64_t from, uint64_t to,
                   uint64_t max)
{
    uint_fast64_t held =
        atomic_load_explicit(&budget->held, memory_order_relaxed);
    uint64_t next;
    do {
        next = held - from + to;
        if (to > from && next > max)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&budget->held, &held, next,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

bool budget_has_room(const struct budget *budget, uint64_t size, uint64_t max)
{
    uint64_t held = atomic_load_explicit(&budget->held, memory_order_relaxed);
    return held < max && size <= max - held;
}
