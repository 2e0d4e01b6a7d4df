/*
 * keys.h - `sendyard password` and `sendyard keygen`: secrets for the config.
 */
#ifndef ROUTER_CONTROL_KEYS_H
#define ROUTER_CONTROL_KEYS_H

#include <stdio.h>

/* Reads one line from the standard input, without echo on a terminal, and
 * prints its yescrypt hash on `out`. */
int command_password(int argc, char *const *argv, FILE *out, FILE *err);

/* keygen FILE: writes the secret key to FILE (0600, never over an old one) and
 * prints the public key on `out`. */
int command_keygen(int argc, char *const *argv, FILE *out, FILE *err);

#endif
