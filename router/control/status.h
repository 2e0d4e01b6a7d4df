/*
 * status.h - `sendyard status`, `queue`, `message`, `reload`: asking a running
 * router, and showing what it says.
 *
 * All take [--config FILE] [--router NAME] [--json]; with --json the router's
 * answer is printed as it came. They return 69 (EX_UNAVAILABLE) when no router
 * answers.
 */
#ifndef ROUTER_CONTROL_STATUS_H
#define ROUTER_CONTROL_STATUS_H

#include <stdio.h>

#include "common/base/slice.h"
#include "router/control/answer.h"

int command_status(int argc, char *const *argv, FILE *out, FILE *err);
int command_streams(int argc, char *const *argv, FILE *out, FILE *err);
int command_queue(int argc, char *const *argv, FILE *out, FILE *err);
int command_message(int argc, char *const *argv, FILE *out, FILE *err);
int command_reload(int argc, char *const *argv, FILE *out, FILE *err);

/* Shows the list of them that /v1/status and /v1/workers have. */
void status_show_workers(const struct value *workers, FILE *out);

/* Shows the answer of /v1/holders. */
void status_print_holders(struct slice json, FILE *out);

#endif
