/*
 * eval.h - `sendyard classify eval`: what a model is worth on labelled mail.
 *
 * Each message of a corpus is judged by the code of live routing, once for each
 * way that its header could have been written (disguise.h).
 */
#ifndef ROUTER_CLASSIFY_EVAL_H
#define ROUTER_CLASSIFY_EVAL_H

#include <stdio.h>

#include "router/classify/arguments.h"

int eval_run(const struct arguments *arguments, FILE *out, FILE *err);

#endif
