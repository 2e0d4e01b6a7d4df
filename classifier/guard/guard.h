/*
 * guard.h - what a template may do, by what it has done.
 *
 * The model names the kind of one message; a campaign that fools it fools it
 * thousands of times. So a message's template (what instances of it have in
 * common) has a standing of its own, and until it is proven only so many
 * recipients see it by way of a protected stream:
 *
 *               members enough     age, days, recipients, few complaints
 *        NEW --------------> PROBATION ------------------> TRUSTED
 *         |                   |   ^ ^                        |  |
 *         |                   |   | '--------- bounces ------'  |
 *         |                   |   '-- a day later --.           |
 *         '-------------------+----> TRIPPED ------'<-----------'
 *             a burst, complaints, another text, the operator's word
 *
 *     NEW        fewer than GUARD_MEMBERS were seen
 *     PROBATION  as NEW, and the mean of the first members' log-odds is known
 *     TRUSTED    no budget
 *     TRIPPED    not protected; bulk, where it was by complaints, and for as
 *                long as their rate stays above the limit
 *
 * Budgets (allowance.h) are of distinct recipients: `recipients` in `per` for
 * a template, four times that in its first day; from the second day on, if it
 * was not idle, four times as many and twenty times in a day. All unproven
 * templates of a tenant together have `tenant` in `per`, whatever they are, so
 * that words that vary buy nothing. Who had a template before costs nothing
 * again.
 *
 * A burst trips: so many recipients in a short time, ten times what this
 * template ever had, all with one text and no code of their own. So do
 * complaints, when the rate is above the limit with a certainty of 9 in 10
 * (Beta(1, 300) before, its tail by Poisson's), and replies that speak of
 * spam count like them. What the operator said is not undone by any of this.
 *
 * Pure: no I/O, no clock. Memory comes and goes with guard_take() and
 * guard_release(). Times are UTC.
 */
#ifndef CLASSIFIER_GUARD_GUARD_H
#define CLASSIFIER_GUARD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/guard/allowance.h"
#include "classifier/guard/recipients.h"
#include "classifier/judge.h"
#include "classifier/sketch/sketch.h"
#include "common/base/attr.h"

#define GUARD_BANDS   4u
#define GUARD_MEMBERS 16u

struct guard_rules {
    uint32_t recipients;
    uint64_t per_ms;
    uint32_t tenant;
    uint64_t trust_after_ms;
    uint32_t trip_recipients;
    uint64_t trip_within_ms;
    uint32_t complaints; /* per million */
    uint32_t hard_bounces;
    uint32_t routers; /* that share the budgets */
    bool is_alone;    /* the others cannot be reached, or there are none */
};

/* By what a template is found. Bands are of min-hashes, two in each. */
struct guard_key {
    uint64_t id; /* not 0; the same on all routers for the same text */
    uint32_t bands[GUARD_BANDS];
    uint16_t skeleton;
};

/* What only an unproven or suddenly busy template needs. */
struct guard_watch {
    struct allowance allowance;
    struct recipients recipients;
    struct burst *burst;
    int32_t points;  /* sum of the first members' log-odds */
    uint8_t members; /* at most GUARD_MEMBERS */
    /* For whoever asks for shares: whether others know the id, and when it was
     * asked last. */
    bool is_shared;
    uint32_t asked_utc_s;
};

/* 64 bytes: there are many. Plain data but for the watch. */
struct guard_template {
    uint64_t id;
    struct guard_watch *watch; /* NULL: none */
    uint32_t bands[GUARD_BANDS];
    uint32_t first_utc_s;
    uint32_t last_utc_s;
    uint32_t since_utc_s; /* in this state; a trial began */
    uint32_t recipients;  /* protected ones of this trial */
    uint16_t skeleton;
    uint16_t tenant; /* the user's */
    uint16_t delivered;
    uint16_t bounced;
    uint16_t recent; /* recipients in the window of last_utc_s */
    uint8_t complained;
    uint8_t peak; /* of `recent`, see guard.c */
    int8_t mean;  /* log-odds of being transactional, in quarters */
    int8_t drift; /* where its middle is now */
    uint8_t flags;
    uint8_t days; /* on which it was seen, at most GUARD_DAYS */
};

_Static_assert(sizeof(struct guard_template) == 64, "there are many");

/* One message. */
struct guard_member {
    const uint32_t *recipients; /* hashes */
    uint32_t hash_count;        /* the others count as never seen */
    uint32_t recipient_count;
    struct burst_member text;
    int32_t points;    /* log-odds of being transactional, in hundredths */
    bool is_candidate; /* but for the guard it might be protected */
    bool needs_budget; /* it will be, if there is budget */
    bool as_trusted;   /* it is, since the template was trusted at the look */
};

/* What became of a template, and why. */
enum guard_change {
    GUARD_UNCHANGED,
    GUARD_SETTLED,  /* NEW to PROBATION */
    GUARD_EARNED,   /* it is trusted */
    GUARD_BURST,    /* tripped */
    GUARD_BLAMED,   /* tripped by complaints */
    GUARD_DRIFTED,  /* tripped: the text is another */
    GUARD_BOUNCING, /* on probation again; so for the next */
    GUARD_RELEASED, /* its time as TRIPPED is over */
};
#define GUARD_CHANGES 8

enum guard_outcome {
    GUARD_DELIVERED,
    GUARD_HARD_BOUNCE,
    GUARD_SPAM_REPLY, /* refused in words that speak of spam */
    GUARD_COMPLAINT,
};

/* `tenant` is a hash of the tenant's name. */
void guard_key_of(const struct sketch *sketch, uint64_t tenant,
                  struct guard_key *key);

/* How much a template that has a band in common is one with the key; 0: it is
 * another. A trusted one is not joined lightly. */
unsigned guard_likeness(const struct guard_template *template,
                        const struct guard_key *key);

void guard_begin(struct guard_template *template, const struct guard_key *key,
                 uint64_t now_ms);
void guard_release(struct guard_template *template);

/* All of it, to be released; the tenant is the same. */
struct guard_template guard_copy(const struct guard_template *template)
    must_check;

/* Bytes beside the struct. */
size_t guard_bytes(const struct guard_template *template);

enum judge_state guard_state(const struct guard_template *template);

/* The same as of now: what is due has happened. */
enum judge_state guard_state_at(const struct guard_template *template,
                                const struct guard_rules *rules,
                                uint64_t now_ms);

/* How a message of these recipients would stand. Changes nothing. `pot` is of
 * the tenant. The recipients' others count as in struct guard_member. */
void guard_look(const struct guard_template *template,
                const struct allowance *pot, const struct guard_rules *rules,
                const struct guard_member *member, uint64_t now_ms,
                struct judge_standing *standing);

/* Counts a message, and takes its recipients from the budgets if it needs
 * them. False: not to be protected, spent or tripped; `standing` says how it
 * is now. */
bool guard_take(struct guard_template *template, struct allowance *pot,
                const struct guard_rules *rules,
                const struct guard_member *member, uint64_t now_ms,
                struct judge_standing *standing, enum guard_change *change);

enum guard_change guard_hear(struct guard_template *template,
                             const struct guard_rules *rules,
                             enum guard_outcome outcome, uint32_t count,
                             uint64_t now_ms);

/* The operator's word: TEMPLATE_TRUSTED, TEMPLATE_TRIPPED, or NEW, which takes
 * it back. */
void guard_set(struct guard_template *template, enum judge_state state,
               uint64_t now_ms);
void guard_teach(struct guard_template *template, enum judge_kind kind,
                 uint64_t now_ms);

bool guard_is_set(const struct guard_template *template); /* by the operator */
bool guard_is_taught(const struct guard_template *template,
                     enum judge_kind *kind);

bool guard_is_blamed(const struct guard_template *template);

/* Is a burst counted? */
bool guard_is_watched(const struct guard_template *template);

/* Of a copy that came from elsewhere. `taught` below 0: not. */
struct guard_word {
    enum judge_state state;
    bool is_set;
    bool is_blamed;
    int taught;
};
void guard_restore(struct guard_template *template,
                   const struct guard_word *word);
struct guard_word guard_word_of(const struct guard_template *template);

/* What it has taken of its budget; and the same of a copy that was kept, which
 * counts only where a budget is kept to. */
const struct allowance *guard_taken(const struct guard_template *template);
void guard_recall(struct guard_template *template,
                  const struct allowance *taken, uint64_t now_ms);

/* `other` is the same template, met apart: its history and what it has taken are
 * added. Its state is not heard. */
void guard_unite(struct guard_template *template,
                 const struct guard_template *other, uint64_t now_ms);

/* What a template of this age may pass. For allowance.h. */
struct allowance_rule guard_rule(const struct guard_template *template,
                                 const struct guard_rules *rules,
                                 uint64_t now_ms);
struct allowance_rule guard_pot_rule(const struct guard_rules *rules,
                                     uint64_t now_ms);

/* "trusted" ... */
const char *guard_state_name(enum judge_state state);
/* The finalizer of SplitMix64: all bits of the word in all of the result. */
static inline uint64_t guard_mix(uint64_t word)
{
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

/* "burst" ...: a constant word. */
const char *guard_change_name(enum guard_change change);

#endif
