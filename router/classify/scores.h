/*
 * scores.h - counts of right and wrong verdicts, as people and programs read
 * them; the same for `train` and `eval`.
 */
#ifndef ROUTER_CLASSIFY_SCORES_H
#define ROUTER_CLASSIFY_SCORES_H

#include <stdio.h>

#include "classifier/training/tally.h"
#include "common/proto/json.h"

/* The line above those that scores_print() writes. */
void scores_print_head(FILE *out);

/* One line: name, macro-F1, P/R/F1 of each class, bulk in protected streams,
 * transactional kept out of them and sent to bulk, calibration error. */
void scores_print(const char *name, const struct tally *tally, FILE *out);

/* Members of the object that is open. */
void scores_add(const struct tally *tally, struct json *json);

#endif
