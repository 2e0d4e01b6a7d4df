/*
 * command.h - `sendyard spool`: looking into a spool without a router.
 *
 *     spool verify [--json] [--beside] SPOOL
 *     spool show [--json] [--beside] SPOOL ID
 *     spool export [--beside] SPOOL ID|--all DIR
 *
 * SPOOL is the folder, or --config FILE: the one that this config names.
 * verify reads everything, bodies too. show prints one message's envelope and
 * state. export writes ID.eml and ID.json into the folder DIR, which it makes
 * when missing; files that are there already are left alone and fail it.
 * --beside looks into a spool that a router has open.
 */
#ifndef ROUTER_SPOOL_COMMAND_H
#define ROUTER_SPOOL_COMMAND_H

#include <stdio.h>

/* argv holds what follows the word. Returns the exit code, of sysexits.h: EX_OK; EX_USAGE;
 * EX_DATAERR: damage was found; EX_NOINPUT: no such spool or message;
 * EX_CANTCREAT; EX_IOERR; EX_TEMPFAIL: a router has the spool; EX_CONFIG. */
int command_spool(int argc, char *const *argv, FILE *out, FILE *err);

#endif
