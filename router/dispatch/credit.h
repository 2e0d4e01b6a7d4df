/*
 * credit.h - which worker may have the next job of a lane, from which source.
 *
 * Workers ask by running totals (common/proto/wire.h): for each source of the
 * lane's pool and each worker, the jobs ever asked for and those ever sent; what
 * may go now is the difference. Of the sources with credit the one goes first
 * that has had least for its weight, over what was really sent; of the workers
 * that hold it, the one whose last turn is longest ago. What was sent long ago
 * fades (CREDIT_MEMORY), so that a source that was away does not have to make
 * up for a day. Pure.
 */
#ifndef ROUTER_DISPATCH_CREDIT_H
#define ROUTER_DISPATCH_CREDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

#define CREDIT_MEMORY 4096u /* jobs of one source before all are halved */

/* How much a source of the lane had. */
struct credit_source {
    uint32_t source;
    uint32_t weight;
    uint32_t sent;
};

struct credit {
    uint32_t source;
    uint32_t worker; /* its number */
    uint32_t place;  /* of its source in credits->sources */
    uint64_t asked;
    uint64_t sent;
    uint64_t turn;         /* when it was used last */
    uint64_t muted_ms;     /* not to be used before: its link is full */
    uint64_t elsewhere_ms; /* until then nobody waits for this source */
};

struct credits {
    struct credit *items;
    size_t count;
    size_t size;
    struct credit_source *sources;
    size_t source_count;
    size_t source_size;
    uint64_t turn;
};

struct credits *credits_new(void) must_check;
void credits_free(struct credits **credits); /* accepts NULL inside */

struct credit_ask {
    uint32_t source;
    uint32_t worker;
    uint32_t weight; /* of the source in the lane's pool, at least 1 */
    uint64_t total;
};

/* A worker's PULL. A total below what was sent leaves no credit. */
void credits_pull(struct credits *credits, const struct credit_ask *ask);

#define CREDIT_ANY UINT32_MAX

/* Who is next, of this source or of CREDIT_ANY; NULL: nobody has credit. Lives
 * until the next change. */
struct credit *credits_pick(const struct credits *credits, uint32_t source,
                            uint64_t now_ms);

/* One job was sent. */
void credits_use(struct credits *credits, struct credit *credit);

/* A job of this source and worker that was counted as sent did not leave. */
void credits_unuse(struct credits *credits, uint32_t source, uint32_t worker);

/* Its link is full or gone: the credit rests until then. */
void credits_mute(struct credits *credits, uint32_t source, uint32_t worker,
                  uint64_t until_ms);

/* The receiver has no address of the source's family: until then no job insists
 * on the source. */
void credits_set_elsewhere(struct credits *credits, uint32_t source,
                           uint64_t until_ms);
bool credits_is_elsewhere(const struct credits *credits, uint32_t source,
                          uint64_t now_ms);

/* The worker is gone, or counts from 0 again. */
void credits_forget(struct credits *credits, uint32_t worker);

/* Credit of everybody together; muted or not. */
uint64_t credits_total(const struct credits *credits);

static inline uint64_t credit_left(const struct credit *credit)
{
    return credit->asked > credit->sent ? credit->asked - credit->sent : 0;
}

#endif
