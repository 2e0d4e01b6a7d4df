/*
 * command.h - `sendyard check` and `sendyard config`, without the process.
 *
 * argv holds what follows the word (argv[0] is the first argument). All of
 * them return a code of sysexits.h: 0, 64 (usage), 78 (config).
 */
#ifndef CONFIG_COMMAND_H
#define CONFIG_COMMAND_H

#include <stdio.h>

/* check [--no-files | --worker] FILE: "FILE: ok" and a summary on `out`, or
 * every error on `err`. --no-files does not look at certificates and other
 * files that the config names, --worker only at those of a worker host. */
int command_check(int argc, char *const *argv, FILE *out, FILE *err);

/* config reference | config dump [--no-files | --worker] FILE. */
int command_config(int argc, char *const *argv, FILE *out, FILE *err);

#endif
