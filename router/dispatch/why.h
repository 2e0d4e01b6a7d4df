/*
 * why.h - what holds a recipient now, since when, and until when at least.
 *
 * Pure: facts in, words out. Times are UTC milliseconds; 0 says that it is not
 * known, or that nobody can know. `earliest` is a promise only as far as we
 * have it in our hands: it never comes before, and may come later.
 */
#ifndef ROUTER_DISPATCH_WHY_H
#define ROUTER_DISPATCH_WHY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"
#include "router/actions/action.h"
#include "router/lanes/job.h"
#include "router/lanes/lane.h"

#define WHY_TEXT_SIZE 640

struct why_facts {
    uint64_t utc_ms; /* now */
    uint64_t accepted_utc_ms;
    uint64_t expires_utc_ms;
    enum job_state state;
    uint32_t attempts;
    uint16_t code; /* of the last reply; 0: none */
    struct slice reply;

    const struct action *pause; /* that keeps it, or will; NULL: none */

    /* WAITING, FOUND */
    uint64_t next_utc_ms;
    uint64_t wait_ms;   /* by the schedule; 0: it was not that */
    bool is_asked_wait; /* the reply named it, and was obeyed */
    uint32_t step;      /* of the schedule, from 1 */
    uint32_t steps;
    struct slice schedule; /* whose: a place in the config, or its default */

    /* READY */
    struct slice pool;
    struct slice site;
    bool has_pool;  /* it is in the config */
    bool is_served; /* a live worker holds a source of it */
    bool is_asked;  /* a worker has ever asked for jobs of this lane */
    uint64_t credit;
    uint64_t per_minute; /* jobs of the lane that left in the last one */
    struct lane_place place;

    /* LEASED */
    struct slice worker;
    struct slice source;
    uint64_t leased_utc_ms;

    /* FOUND: when workers have had the time to say what they hold */
    uint64_t release_utc_ms;
};

struct why {
    const char *cause; /* one word, for programs: see why.c */
    uint64_t since_utc_ms;
    uint64_t earliest_utc_ms;
    char text[WHY_TEXT_SIZE];
};

void why_decide(const struct why_facts *facts, struct why *why);

#endif
