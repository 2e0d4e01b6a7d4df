/*
 * reasons.h - of all that the model weighed, what counted most.
 */
#ifndef CLASSIFIER_REASONS_H
#define CLASSIFIER_REASONS_H

#include "classifier/judge.h"

/* Appends the JUDGE_EVIDENCE_MAX heaviest pieces of evidence, heaviest first:
 * marks, measures, single words, and the words as a whole. */
void reasons_add_evidence(const struct model *model,
                          const struct sketch *sketch,
                          const struct model_score *score,
                          struct judgement *judgement);

#endif
