/*
 * trace.h - `sendyard trace`: what is said to receivers and heard of them, now.
 */
#ifndef ROUTER_CONTROL_TRACE_H
#define ROUTER_CONTROL_TRACE_H

#include <stdio.h>

/* Prints lines as they come until --for is over or the process is ended;
 * returns a code of sysexits.h. */
int command_trace(int argc, char *const *argv, FILE *out, FILE *err);

#endif
