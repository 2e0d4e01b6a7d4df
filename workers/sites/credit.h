/*
 * credit.h - how many jobs an outlet asks its router for.
 *
 * Credit is a running total, not a number of jobs still to come: "send until I
 * have got that many", counted from 0 since the WELCOME. So a PULL that is
 * repeated, or that crosses a JOB on its way, does no harm. A total is told
 * when it is news; when it may be void (credit_void) even if it is none.
 *
 * Jobs are asked for only when they can be begun now: credit_able().
 *
 * Pure; times are milliseconds of the loop's clock.
 */
#ifndef WORKERS_SITES_CREDIT_H
#define WORKERS_SITES_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "workers/sites/pace.h"

/* Jobs asked for ahead, whatever else permits. */
#define CREDIT_MAX 256u

struct credit {
    uint64_t total;    /* told last; see common/proto/wire.h */
    uint64_t received; /* jobs that came on it */
    uint64_t asked_ms; /* when a total was told, or a job came */
    bool is_unsure;    /* the router may know a total that is void */
    struct pace pace;
};

/* What there is to send jobs with. */
struct credit_means {
    uint32_t slots;      /* of the gate; GATE_UNLIMITED: no limit */
    uint32_t slots_used; /* of those, by all lanes */
    uint32_t allowed;    /* slots that this lane may use */
    uint32_t lines;      /* of those, in use */
    uint32_t busy;       /* of the lines, that carry a job */
    uint32_t leaving;    /* of the lines, that take no job any more */
    uint32_t loans;      /* lines of other lanes that may be had: loans.h */
    uint32_t kept;       /* of the slots, for urgent mail: reserve.h */
    uint32_t ahead;      /* jobs for busy lines to become free: pace.h */
    uint32_t tokens;     /* of the rate, on hand; GATE_UNLIMITED: no limit */
    uint32_t queued;     /* jobs that are here and wait */
    uint32_t needed;     /* jobs that go before all that may wait here, for the
                          * next line of whatever lane */
    bool is_trial;       /* one job shall see whether the site is back */
};

/* Jobs that could be begun at once, those queued already counted off. */
uint64_t credit_able(const struct credit_means *means);

/* Jobs that the router may still send on what it was told. */
uint64_t credit_standing(const struct credit *credit);

/* Whether the router should hear that `able` jobs can be begun: when that has
 * fallen, or has risen enough to be worth a frame, or when it may not know.
 * `has_more`: it has jobs, so that those not sent were not offered in vain. */
bool credit_is_news(const struct credit *credit, uint64_t able, bool has_more,
                    uint64_t now_ms);

/* Credit for `able` jobs from now on: the total to be told. `has_more` as
 * above. */
uint64_t credit_ask(struct credit *credit, uint64_t able, bool has_more,
                    uint64_t now_ms);

/* A job came. */
void credit_use(struct credit *credit, uint64_t now_ms);

/* The router greeted us anew: both sides count from 0. */
void credit_void(struct credit *credit);

#endif
