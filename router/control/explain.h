/*
 * explain.h - `sendyard explain`: what would happen to a message, and why.
 *
 *     explain [--config FILE] [--account NAME] [--from ADDRESS] FILE.eml
 *             --to ADDRESS
 *
 * Runs the code that live mail runs: acceptance with classifier and routing, MX
 * cache and site, limits of the config with the lines that set them. How the
 * template stands (asker.h) and who could send now is asked of the running
 * router; without one it says so. Nothing is queued, and nothing counted.
 */
#ifndef ROUTER_CONTROL_EXPLAIN_H
#define ROUTER_CONTROL_EXPLAIN_H

#include <stdio.h>

int command_explain(int argc, char *const *argv, FILE *out, FILE *err);

#endif
