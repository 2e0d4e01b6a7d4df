/*
 * fit.h - weights that fit samples.
 *
 * Multinomial logistic regression by stochastic gradient descent; what comes out
 * is the mean of the weights of the last half of the rounds. Deterministic: the
 * same samples in the same order give the same weights.
 *
 * Each sample is shown with several headers: its own; none, or a random half of
 * it; and declared transactional, bulk as one who lies would send it. So the
 * model can judge what has no header and does not trust one that has.
 *
 * Each time that a sample is seen a part of its words and measures is left out,
 * and the right class has to win by a margin: so the weight spreads over all that
 * tells, and not over the few things that tell most surely of the senders at hand.
 *
 * An operator's samples are few beside those of the model that ships. They move
 * its weights: the fit starts from them, and what shrinks is the distance.
 */
#ifndef CLASSIFIER_TRAINING_FIT_H
#define CLASSIFIER_TRAINING_FIT_H

#include <stdbool.h>

#include "classifier/training/samples.h"
#include "common/base/attr.h"

/* Logs-odds as floats, before they are packed into a model. */
struct weights {
    float words[MODEL_BUCKETS][MODEL_CLASSES];
    float steps[MEASURE_COUNT][MEASURE_STEPS][MODEL_CLASSES];
    float marks[MARK_COUNT][MODEL_CLASSES];
    float bias[MODEL_CLASSES];
    float temperature;
};

#define FIT_FOLDS_MAX 32u

struct fit_options {
    uint32_t rounds;     /* at most; many samples need fewer */
    float step;          /* of the first round */
    float decay;         /* of words, each round */
    float measure_step;  /* of measures, as a share of a word's */
    float mark_step;     /* of marks and the bias */
    float measure_decay; /* of measures and marks, each round */
    float spread;        /* what a neighbouring step learns */
    float solo;          /* what words of one sender learn */
    float lie;           /* weight of a sample that is shown declared */
    float word_drop;     /* share of the words that are left out each time a
                            sample is seen: 0 to 0.9 */
    float measure_drop;  /* share of the measures: 0 to 0.9 */
    float margin;        /* log-odds by which the right class has to win */
    /* NULL: from nothing. Else the weights to start from and stay near. */
    const struct weights *base;
    /* Samples with fold[sender] == held are left out. */
    const uint8_t *folds; /* NULL: nothing is */
    uint8_t held;
};

extern const struct fit_options fit_usual;

/* For a base: fewer rounds, words of one sender count, and nothing is left out:
 * the few samples are meant to be known by what is theirs. */
extern const struct fit_options fit_on_base;

struct weights *weights_new(void) must_check;
void weights_free(struct weights **weights);

void fit(const struct samples *samples, const struct fit_options *options,
         struct weights *weights);

/* The log-odds of one sample; `marks` replaces the sample's own. */
void fit_score(const struct samples *samples, const struct sample *sample,
               uint64_t marks, const struct weights *weights,
               float score[MODEL_CLASSES]);

/* Turns log-odds into probabilities, in place. */
void fit_softmax(float score[MODEL_CLASSES], float temperature);

#endif
