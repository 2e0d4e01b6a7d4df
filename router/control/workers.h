/*
 * workers.h - `sendyard worker list | drain NAME | resume NAME`.
 *
 * A drained worker finishes what it is sending, hands the rest back and takes
 * nothing more, of any router, until it is told to go on or starts again. The
 * router asked (--router, else the first) must know it.
 */
#ifndef ROUTER_CONTROL_WORKERS_H
#define ROUTER_CONTROL_WORKERS_H

#include <stdio.h>

/* Exit codes of sysexits.h: EX_DATAERR when there is no such worker,
 * EX_TEMPFAIL when it does not answer in time. */
int command_worker(int argc, char *const *argv, FILE *out, FILE *err);

#endif
