/* credit.c - which worker may have the next job of a lane. */
#include "router/dispatch/credit.h"

#include "common/base/check.h"
#include "common/base/mem.h"

struct credits *credits_new(void)
{
    return NEW(struct credits);
}

void credits_free(struct credits **credits)
{
    struct credits *freed = steal(*credits);
    if (!freed)
        return;
    mem_free(freed->items);
    mem_free(freed->sources);
    mem_free(freed);
}

static uint32_t place_of(struct credits *credits, uint32_t source,
                         uint32_t weight)
{
    for (size_t i = 0; i < credits->source_count; i++)
        if (credits->sources[i].source == source) {
            credits->sources[i].weight = weight;
            return (uint32_t)i;
        }
    if (credits->source_count == credits->source_size) {
        credits->source_size =
            credits->source_size ? 2 * credits->source_size : 4;
        credits->sources = mem_resize(credits->sources, credits->source_size,
                                      sizeof *credits->sources);
    }
    credits->sources[credits->source_count] =
        (struct credit_source){ .source = source, .weight = weight };
    return (uint32_t)credits->source_count++;
}

static struct credit *credit_of(struct credits *credits,
                                const struct credit_ask *ask)
{
    for (size_t i = 0; i < credits->count; i++) {
        struct credit *credit = &credits->items[i];
        if (credit->worker == ask->worker && credit->source == ask->source)
            return credit;
    }
    if (credits->count == credits->size) {
        credits->size = credits->size ? 2 * credits->size : 4;
        credits->items =
            mem_resize(credits->items, credits->size, sizeof *credits->items);
    }
    struct credit *credit = &credits->items[credits->count++];
    *credit = (struct credit){ .source = ask->source, .worker = ask->worker };
    return credit;
}

void credits_pull(struct credits *credits, const struct credit_ask *ask)
{
    CHECK(ask->weight > 0);
    struct credit *credit = credit_of(credits, ask);
    credit->place = place_of(credits, ask->source, ask->weight);
    credit->asked = ask->total;
}

/* Does `a` come before `b`? */
static bool goes_first(const struct credits *credits, const struct credit *a,
                       const struct credit *b)
{
    const struct credit_source *of_a = &credits->sources[a->place];
    const struct credit_source *of_b = &credits->sources[b->place];
    const uint64_t share_a = (uint64_t)of_a->sent * of_b->weight;
    const uint64_t share_b = (uint64_t)of_b->sent * of_a->weight;
    if (share_a != share_b)
        return share_a < share_b;
    return a->turn < b->turn;
}

struct credit *credits_pick(const struct credits *credits, uint32_t source,
                            uint64_t now_ms)
{
    struct credit *best = NULL;
    for (size_t i = 0; i < credits->count; i++) {
        struct credit *credit = &credits->items[i];
        if (credit_left(credit) == 0 || credit->muted_ms > now_ms
            || (source != CREDIT_ANY && credit->source != source))
            continue;
        if (!best || goes_first(credits, credit, best))
            best = credit;
    }
    return best;
}

void credits_use(struct credits *credits, struct credit *credit)
{
    credit->sent++;
    credit->turn = ++credits->turn;
    if (++credits->sources[credit->place].sent < CREDIT_MEMORY)
        return;
    for (size_t i = 0; i < credits->source_count; i++)
        credits->sources[i].sent /= 2;
}

void credits_unuse(struct credits *credits, uint32_t source, uint32_t worker)
{
    for (size_t i = 0; i < credits->count; i++) {
        struct credit *credit = &credits->items[i];
        if (credit->source == source && credit->worker == worker
            && credit->sent > 0)
            credit->sent--;
    }
}

void credits_mute(struct credits *credits, uint32_t source, uint32_t worker,
                  uint64_t until_ms)
{
    for (size_t i = 0; i < credits->count; i++)
        if (credits->items[i].source == source
            && credits->items[i].worker == worker)
            credits->items[i].muted_ms = until_ms;
}

void credits_set_elsewhere(struct credits *credits, uint32_t source,
                           uint64_t until_ms)
{
    for (size_t i = 0; i < credits->count; i++)
        if (credits->items[i].source == source)
            credits->items[i].elsewhere_ms = until_ms;
}

bool credits_is_elsewhere(const struct credits *credits, uint32_t source,
                          uint64_t now_ms)
{
    for (size_t i = 0; i < credits->count; i++)
        if (credits->items[i].source == source
            && credits->items[i].elsewhere_ms > now_ms)
            return true;
    return false;
}

void credits_forget(struct credits *credits, uint32_t worker)
{
    size_t kept = 0;
    for (size_t i = 0; i < credits->count; i++)
        if (credits->items[i].worker != worker)
            credits->items[kept++] = credits->items[i];
    credits->count = kept;
}

uint64_t credits_total(const struct credits *credits)
{
    uint64_t total = 0;
    for (size_t i = 0; i < credits->count; i++)
        total += credit_left(&credits->items[i]);
    return total;
}
