/*
 * reasons.h - what a model weighed, as reasons of a judgement.
 */
#ifndef CLASSIFIER_REASONS_H
#define CLASSIFIER_REASONS_H

#include "classifier/judge.h"

/* Appends what weighed most, heaviest first: marks, measures, single words, and
 * the words as a whole. What does not come to a hundredth is left out. */
void reasons_add_evidence(const struct model *model,
                          const struct evidence *evidence,
                          struct judgement *judgement);

#endif
