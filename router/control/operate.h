/*
 * operate.h - `sendyard queue VERB`, `sendyard actions`, `sendyard why`: looking
 * at queued mail, and doing something with it.
 *
 * What fails mail or loses it says first how much is meant, and asks on a
 * terminal; elsewhere it wants --yes. Codes are those of sysexits.h: 64 usage,
 * 65 refused or unknown, 69 no router, 75 not now, 78 config.
 */
#ifndef ROUTER_CONTROL_OPERATE_H
#define ROUTER_CONTROL_OPERATE_H

#include <stdio.h>

/* Without a verb the overview of status.h. */
int command_queue_verbs(int argc, char *const *argv, FILE *out, FILE *err);

/* actions [ID] | cancel ID */
int command_actions(int argc, char *const *argv, FILE *out, FILE *err);

/* why ID */
int command_why(int argc, char *const *argv, FILE *out, FILE *err);

#endif
