/* claims.c - leases that a worker says it holds and that we do not know. */
#include "router/dispatch/claims.h"

#include <inttypes.h>

#include "common/base/check.h"
#include "common/edge/log.h"
#include "router/dispatch/fetch.h"
#include "router/dispatch/outcome.h"
#include "router/dispatch/place.h"
#include "router/dispatch/settle.h"

bool claims_remember(const struct wire_hello *hello, uint64_t boot)
{
    for (size_t i = 0; i < hello->former_boots.count; i++)
        if (hello->former_boots.items[i] == boot)
            return true;
    return false;
}

bool claims_names(const struct wire_hello *hello, uint64_t lease)
{
    for (size_t i = 0; i < hello->held_leases.count; i++)
        if (hello->held_leases.items[i] == lease)
            return true;
    return false;
}

static bool may_be_claimed(enum job_state state)
{
    return state == JOB_READY || state == JOB_WAITING || state == JOB_RESOLVING
           || state == JOB_HELD || state == JOB_PAUSED;
}

/* What is pending of the message may be with this worker. A cold message is asked
 * about when it is here. */
static void claim(struct dispatch *dispatch, const struct worker *worker,
                  uint64_t lease, uint64_t message)
{
    struct queued *queued = table_get(&dispatch->lanes.messages, message);
    const bool is_cold = !queued && fetch_is_cold(dispatch, message);
    if ((!queued && !is_cold)
        || !leases_claim(&dispatch->leases, lease, message, worker->number))
        return;
    if (is_cold) {
        fetch_now(dispatch, message);
        return;
    }
    for (struct job *job = queued->jobs; job; job = job->sibling) {
        if (!may_be_claimed(job->state))
            continue;
        lanes_leave(job);
        place_claimed(dispatch, job);
    }
}

/* With the last claim of a message its jobs go on; `lost` NULL: no worker was
 * lost with it. */
static void end(struct dispatch *dispatch, struct claim *claim,
                const char *lost)
{
    const uint64_t id = claim->message;
    struct queued *queued = table_get(&dispatch->lanes.messages, id);
    if (lost)
        leases_doubt(&dispatch->leases, claim->lease);
    leases_end_claim(&dispatch->leases, &claim);
    if (leases_claims_of(&dispatch->leases, id) > 0)
        return;
    if (!queued) {
        if (lost && fetch_is_cold(dispatch, id))
            fetch_doubt(dispatch, id, lost);
        return;
    }
    dispatch_begin(dispatch);
    struct job *next = NULL;
    for (struct job *job = queued->jobs; job; job = next) {
        next = job->sibling;
        if (job->state != JOB_CLAIMED)
            continue;
        lanes_leave(job);
        if (lost)
            place_in_doubt(dispatch, job, lost);
        else
            place_again(dispatch, job);
    }
    outcome_close(dispatch, queued, NULL);
}

/* The claims of the worker with this number. They are collected first: ending
 * one changes the table. */
static struct claim **claims_of(struct dispatch *dispatch, uint32_t number,
                                size_t *count)
{
    const struct table *claims = &dispatch->leases.claims;
    struct claim **found =
        arena_new(&dispatch->frames, claims->count + 1, sizeof(struct claim *));
    CHECK(found); /* 8 bytes each; a million of them fit */
    size_t at = 0;
    *count = 0;
    for (struct claim *claim; (claim = table_next(claims, &at));)
        if (claim->worker == number)
            found[(*count)++] = claim;
    return found;
}

/* Ends the worker's claims that `hello` does not name; NULL: all. */
static void end_all_but(struct dispatch *dispatch, const struct worker *worker,
                        const struct wire_hello *hello, const char *lost)
{
    size_t count;
    struct claim **found = claims_of(dispatch, worker->number, &count);
    for (size_t i = 0; i < count; i++)
        if (!(hello && claims_names(hello, found[i]->lease)))
            end(dispatch, found[i], lost);
}

/* What the book claims for the worker is his to claim from now on; what he does
 * not name was not begun, or we have his result. */
static void hand_over(struct dispatch *dispatch, const struct worker *worker,
                      const struct wire_hello *hello)
{
    size_t count;
    struct claim **found = claims_of(dispatch, 0, &count);
    for (size_t i = 0; i < count; i++) {
        struct claim *claim = found[i];
        if (claim->entry->boot != hello->boot
            && !claims_remember(hello, claim->entry->boot))
            continue;
        if (!claims_names(hello, claim->lease)) {
            end(dispatch, claim, NULL);
            continue;
        }
        claim->worker = worker->number;
        claim->entry = NULL;
    }
}

static void inherit(void *context, const struct leasebook_entry *entry)
{
    struct dispatch *dispatch = context;
    if (fetch_is_cold(dispatch, entry->message))
        leases_inherit(&dispatch->leases, entry);
    else
        leases_forget(&dispatch->leases, entry->lease);
}

void claims_inherit(struct dispatch *dispatch)
{
    struct leasebook *book = dispatch->leases.book;
    leasebook_each(book, inherit, dispatch);
    const size_t count = dispatch->leases.claims.count;
    if (count > 0 || leasebook_missing(book) > 0)
        log_line(LOG_INFO, "leases_read", "leases=%zu missing=%" PRIu64, count,
                 leasebook_missing(book));
}

void claims_give_up(struct dispatch *dispatch)
{
    size_t count;
    struct claim **found = claims_of(dispatch, 0, &count);
    for (size_t i = 0; i < count; i++) {
        const struct leasebook_entry entry = *found[i]->entry;
        end(dispatch, found[i], entry.worker);
    }
}

void claims_renew(struct dispatch *dispatch, const struct worker *worker,
                  const struct wire_hello *hello)
{
    hand_over(dispatch, worker, hello);
    end_all_but(dispatch, worker, hello, NULL);
    size_t count = hello->held_leases.count;
    if (count > hello->held_messages.count)
        count = hello->held_messages.count;
    for (size_t i = 0; i < count; i++) {
        const uint64_t id = hello->held_leases.items[i];
        if (!leases_get(&dispatch->leases, id)
            && !settle_has_result(dispatch, id))
            claim(dispatch, worker, id, hello->held_messages.items[i]);
    }
}

void claims_done(struct dispatch *dispatch, const struct worker *worker,
                 uint64_t lease)
{
    struct claim *claim = leases_claimed(&dispatch->leases, lease);
    if (claim && claim->worker == worker->number)
        end(dispatch, claim, NULL);
}

void claims_lose(struct dispatch *dispatch, const struct worker *worker,
                 bool is_remembered)
{
    end_all_but(dispatch, worker, NULL, is_remembered ? NULL : worker->name);
}
