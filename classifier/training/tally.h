/*
 * tally.h - how often a model was right, and where its errors went.
 *
 * What is counted are verdicts on messages whose kind is known: for each kind
 * what it was taken for, whether it reached a protected stream, whether it went
 * to bulk, and how sure the model was when it was right and when it was not.
 * The same counts serve the samples that `train` holds out and the messages
 * that `eval` judges.
 */
#ifndef CLASSIFIER_TRAINING_TALLY_H
#define CLASSIFIER_TRAINING_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "classifier/judge.h"

#define TALLY_BINS 10u /* of how sure it was: 0 to 10 %, ... */

struct tally {
    uint32_t found[JUDGE_KIND_COUNT][JUDGE_KIND_COUNT]; /* [is][taken for] */
    uint32_t is_protected[JUDGE_KIND_COUNT];
    uint32_t to_bulk[JUDGE_KIND_COUNT];
    uint32_t bins[TALLY_BINS];
    uint32_t bins_right[TALLY_BINS];
    uint64_t bins_sure[TALLY_BINS]; /* sum of per milles */
};

struct tally_verdict {
    enum judge_kind is;
    enum judge_kind found;
    uint32_t per_mille; /* how sure of that; system mail is known by rule and
                           does not count for calibration */
    bool is_protected;
    bool to_bulk;
};

void tally_add(struct tally *tally, const struct tally_verdict *verdict);

/* Messages that are of this kind. */
uint32_t tally_of(const struct tally *tally, enum judge_kind kind);
uint32_t tally_all(const struct tally *tally);

/* Shares from 0 to 1; 0 where there is nothing to divide by. */
double tally_precision(const struct tally *tally, enum judge_kind kind);
double tally_recall(const struct tally *tally, enum judge_kind kind);
double tally_f1(const struct tally *tally, enum judge_kind kind);

/* The mean F1 of the model's classes that there were messages of. */
double tally_macro_f1(const struct tally *tally);

/* Of the messages of this kind: the share in a protected stream, in bulk. */
double tally_protected(const struct tally *tally, enum judge_kind kind);
double tally_to_bulk(const struct tally *tally, enum judge_kind kind);

/* Expected calibration error: by how much the share that was right differs
 * from how sure the model was, the mean over the bins. */
double tally_calibration_error(const struct tally *tally);

#endif
