/*
 * answer.h - what a provider answers, and in which way.
 *
 * An answer starts with the provider's usual manner (delay, drip); a rule of
 * its script may then take over. Scripts are written in whole reply lines;
 * usual replies lose their enhanced code where that was not offered.
 */
#ifndef RECEIVER_ANSWER_H
#define RECEIVER_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "provider.h"
#include "text.h"

/* What the connection is to do next. */
struct answer {
    struct text reply; /* as it goes on the wire; empty: nothing is said */
    uint32_t delay_ms; /* before the first byte */
    uint32_t drip_ms;  /* between bytes; 0: all at once */
    bool silent;       /* never answer again */
    bool hang_up;      /* once the reply is out */
    bool start_tls;    /* once the reply is out */
};

/* What a script made of a step. */
enum course {
    COURSE_USUAL,       /* nothing: say the usual */
    COURSE_OTHER_WORDS, /* the step succeeds, the reply is already set */
    COURSE_REFUSED,     /* the step fails, the reply is already set */
};

/* Of whom and about what a reply speaks; all borrowed. */
struct topic {
    const char *ip;
    const char *rcpt;     /* "" if it is about none */
    const char *id;       /* of the message, or "" */
    const char *argument; /* what rules are matched with */
};

/* Begins the answer at `step` and applies the first rule that speaks up. */
enum course answer_begin(struct answer *answer, struct provider *provider,
                         enum step step, const struct topic *topic);

/* Sets the reply. Each line of `lines` (parted by \n, codes included) becomes
 * one line on the wire; {ip}, {rcpt} and {id} are filled in. A 421 hangs up. */
void answer_say(struct answer *answer, const char *lines,
                const struct topic *topic);

/* Sets a reply of one line; `enhanced`, such as "2.1.0", may be left out. */
void answer_say_usual(struct answer *answer, const struct provider *provider,
                      unsigned code, const char *enhanced, const char *words);

#endif
