/*
 * teach.h - `sendyard classify --teach KIND ID|FILE...`: what the operator says
 * of a message.
 *
 * Two things come of it. The template of a message that was accepted (its id,
 * or that of the template) is what he says from now on: the running router is
 * told. And the message is kept as a sample for the next `train`, where its text
 * is to be had: a file, or a message that is still queued. The weights of the
 * model that runs do not change: what learns by itself can be taught by others.
 */
#ifndef ROUTER_CLASSIFY_TEACH_H
#define ROUTER_CLASSIFY_TEACH_H

#include <stdio.h>

#include "router/classify/arguments.h"

int teach_run(const struct arguments *arguments, FILE *out, FILE *err);

#endif
