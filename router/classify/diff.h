/*
 * diff.h - `sendyard classify diff`: what a change of the model would move.
 *
 * Every message of a corpus is judged by both models; those that would leave by
 * another stream are listed by source and template.
 */
#ifndef ROUTER_CLASSIFY_DIFF_H
#define ROUTER_CLASSIFY_DIFF_H

#include <stdio.h>

#include "router/classify/arguments.h"

int diff_run(const struct arguments *arguments, FILE *out, FILE *err);

#endif
