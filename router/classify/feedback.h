/*
 * feedback.h - `sendyard feedback`: complaints that came in by mail.
 *
 *     feedback [--config FILE] [--router NAME] [--json] FILE...|FOLDER|-
 *
 * Gives each report of abuse (bag.h says what is read) to the router, and says
 * what it was about and whether it was counted. An MTA pipes the mail of a
 * feedback loop's address into `sendyard feedback -`: what comes by a pipe is one
 * message, whatever it looks like, and nothing but a router that cannot be asked
 * is an error (EX_TEMPFAIL, so that the MTA tries again), since a bounce to the
 * receiver's loop would help nobody. Of files EX_DATAERR says that one was no
 * report, or not about mail of ours.
 */
#ifndef ROUTER_CLASSIFY_FEEDBACK_H
#define ROUTER_CLASSIFY_FEEDBACK_H

#include <stdio.h>

int command_feedback(int argc, char *const *argv, FILE *out, FILE *err);

#endif
