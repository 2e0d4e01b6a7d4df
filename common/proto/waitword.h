/*
 * waitword.h - the wait that a temporary refusal names itself.
 *
 * Greylisting servers say when to come back, in prose. What is read here, of
 * words without regard to case:
 *
 *     reply   = *word anchor *filler delay [word]
 *     anchor  = again *what ( "in" / "after" ) / listed "for" / "wait"
 *     again   = "again" / "back" / "retry" / "reconnect" / "resend"
 *     what    = "later" / "delivery" / "sending" / "your" / "the" / "this"
 *             / "message" / "mail" / "it"
 *     listed  = "greylisted" / "greylisting" / "deferred" / "delayed"
 *                               "graylisted", "grey-listed" are known, too
 *     filler  = "for" / "about" / "approximately" / "approx" / "another"
 *             / "at" / "least" / "the" / "next" / "further"
 *     delay   = clock / amount *( [ "and" ] amount )
 *     clock   = 1*2DIGIT ":" 2DIGIT ":" 2DIGIT         hours, minutes, seconds
 *     amount  = number unit                            "5 minutes", "4m58s"
 *     unit    = "s" / "sec" / "second" / "m" / "min" / "minute" / "h" / "hr"
 *             / "hour" / "d" / "day", with "s" for more than one
 *
 * The parts follow one another: any other word, or the end of a sentence, breaks
 * the chain, so that "try again later. Limit: 5 messages in 60 seconds" names no
 * wait. "ago", "between", "per" or "exceeded" behind the delay undo it: such an
 * amount is the text of a limit; so do "am", "pm", "utc" and "gmt": a time of
 * day. A number without a unit is no delay.
 *
 * Total over any bytes, linear, no memory. Policy (how much of it to believe) is
 * for others.
 */
#ifndef COMMON_PROTO_WAITWORD_H
#define COMMON_PROTO_WAITWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"

#define WAITWORD_MAX_MS UINT64_C(604800000) /* a week; more is no wait */

/* The first wait named in the text of a reply, above 0. False: none, and
 * *wait_ms is untouched. */
bool waitword_find(struct slice text, uint64_t *wait_ms);

/* Does the text speak of greylisting, with or without a wait? */
bool waitword_is_greylisting(struct slice text);

#endif
