/*
 * serve.h - `sendyard serve`: the whole platform on one machine.
 *
 * Starts a private Redis (unless the config names another), the routers and
 * the workers, and keeps them running. Ctrl-C or SIGTERM ends all of them, a
 * second one at once; SIGHUP is passed on: reload.
 */
#ifndef ROUTER_CONTROL_SERVE_H
#define ROUTER_CONTROL_SERVE_H

#include <stdio.h>

/* serve --config FILE. Returns when the platform has ended, with a code of
 * sysexits.h. */
int command_serve(int argc, char *const *argv, FILE *out, FILE *err);

#endif
