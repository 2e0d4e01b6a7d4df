/*
 * trouble.h - what the system refused, said to the one who typed the command.
 */
#ifndef ROUTER_CLASSIFY_TROUBLE_H
#define ROUTER_CLASSIFY_TROUBLE_H

#include <stdio.h>

/* Prints "PATH: why", of errno. */
void trouble_tell(const char *path, FILE *err);

#endif
