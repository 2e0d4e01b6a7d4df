/*
 * slots.h - the connection slots of one gate: what is wanted, asked, granted.
 *
 * Pure: gates.c carries the words to Redis (script_renew_slots) and back.
 *
 * A lease that Redis let expire because we could not renew it stays in use: who
 * cannot reach Redis is most often not alone in that, and the script gives
 * nothing new out for a while when everybody comes back.
 */
#ifndef WORKERS_LIMITS_SLOTS_H
#define WORKERS_LIMITS_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "workers/limits/share.h"

#define SLOTS_REQUEST_SIZE 56 /* five numbers of 10 digits, and a NUL */

struct slots {
    uint32_t limit; /* GATE_UNLIMITED: none of the rest counts but open */
    uint32_t wanted;
    uint32_t open;
    uint32_t granted; /* never more than asked */
    uint32_t asked;
    uint32_t sure;      /* our part, when others want slots, too */
    uint32_t counted;   /* ours, as Redis counts */
    uint32_t shown;     /* the same when the answer under way has come */
    uint32_t under_way; /* answers */
    bool is_answered;   /* we wanted some, and Redis said how many */
    bool is_refused;    /* Redis could not be asked: the share counts where it
                       * had not answered */
};

bool slots_are_limited(const struct slots *slots);

/* Connections that may be open now. */
uint32_t slots_allowed(const struct slots *slots, const struct share *share);

/* Whether Redis should be asked before the next beat: for more, or because less
 * is in use than it counts, which others wait for. */
bool slots_have_news(const struct slots *slots);

/* Whether we have less than our part of what we asked for. Others give it back
 * soon: this is to be looked after, and withdrawn if it is wanted no more. */
bool slots_are_owed(const struct slots *slots);

/* Writes the request; from now on no more than asked for is used: what is given
 * back may be somebody else's by the time we hear of it. */
void slots_ask(struct slots *slots, const struct share *share,
               char text[SLOTS_REQUEST_SIZE]);

/* An answer that is not the last one under way says nothing any more. */
void slots_hear(struct slots *slots, uint32_t granted, uint32_t sure);

/* The answer does not come; nobody can be asked. */
void slots_lose(struct slots *slots);
void slots_miss(struct slots *slots);

#endif
