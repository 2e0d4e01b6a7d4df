/*
 * train.h - `sendyard classify train`: a model of one's own mail.
 *
 * Fits a model, and beforehand, fold by fold, models without some senders, to
 * see what it is worth on mail that it has not seen: those scores are printed
 * and stand in the model's file. One that lets more bulk into protected streams
 * than its base does is not written without --force.
 *
 * With --base the samples move the weights of that model. What an operator adds
 * to it is kept as his samples: the same command with a newer base makes the
 * same addition to that.
 */
#ifndef ROUTER_CLASSIFY_TRAIN_H
#define ROUTER_CLASSIFY_TRAIN_H

#include <stdio.h>

#include "router/classify/arguments.h"

int train_run(const struct arguments *arguments, FILE *out, FILE *err);

#endif
