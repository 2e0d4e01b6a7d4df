/*
 * trial.h - what a model is worth on senders that it has not seen.
 *
 * The senders are dealt into folds; for each fold a model is fitted to all
 * others and scores the samples of this one. What comes out are the log-odds of
 * every sample by a model that knows nothing of its sender, with its header in
 * each disguise. The folds are independent: threads may share them out.
 */
#ifndef CLASSIFIER_TRAINING_TRIAL_H
#define CLASSIFIER_TRAINING_TRIAL_H

#include "classifier/training/disguise.h"
#include "classifier/training/fit.h"
#include "classifier/training/tally.h"

/* Log-odds of one sample in each disguise. */
struct trial_scores {
    float by[DISGUISE_COUNT][MODEL_CLASSES];
};

struct trial {
    const struct samples *samples; /* borrowed */
    uint32_t fold_count;           /* at most FIT_FOLDS_MAX */
    uint8_t *folds;                /* of each sender */
    struct trial_scores *scores;   /* of each sample */
};

/* Deals the senders so that the folds are about equally large. Where there are
 * fewer senders than folds each is one of its own. */
void trial_init(struct trial *trial, const struct samples *samples,
                uint32_t sender_count, uint32_t fold_count);
void trial_release(struct trial *trial);

/* Fits without this fold and scores it. */
void trial_fold(const struct trial *trial, const struct fit_options *options,
                uint8_t fold);

/* Scores all samples by weights that are there already: another model's. */
void trial_by(const struct trial *trial, const struct weights *weights,
              struct trial_scores *scores);

/* What makes log-odds right about how sure they are: first the bias is added,
 * then they are divided by the temperature. */
struct calibration {
    float bias[MODEL_CLASSES];
    float temperature;
};

/* That of least log-loss on the senders that were held out, with headers mixed
 * and stripped. Few samples say little: they move the temperature from `usual`,
 * and the bias from nothing, by their number. The bias stays nothing where there
 * are hardly any samples of a class. */
void trial_calibrate(const struct trial *trial, float usual,
                     struct calibration *calibration);

/* Counts the verdicts of one disguise, as judge() comes to them for an account
 * of verify trust; `floor` in per mille. */
void trial_count(const struct trial *trial, const struct trial_scores *scores,
                 const struct calibration *calibration, enum disguise disguise,
                 uint32_t floor, struct tally *tally);

#endif
