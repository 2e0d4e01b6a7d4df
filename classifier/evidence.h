/*
 * evidence.h - of all that a model weighs, the few pieces that weigh most.
 *
 * They are offered one by one, as they are weighed: a message has hundreds, and
 * most are turned down by one comparison.
 */
#ifndef CLASSIFIER_EVIDENCE_H
#define CLASSIFIER_EVIDENCE_H

#include <stdint.h>

#define EVIDENCE_MAX 8u /* kept of one message */

enum evidence_kind {
    EVIDENCE_TEXT,    /* all words together */
    EVIDENCE_MARK,    /* index: enum mark */
    EVIDENCE_MEASURE, /* index: enum measure; value: what was measured */
    EVIDENCE_WORD,    /* index: bucket of a word or pair */
};

/* What something weighs for each of the model's classes, in their order. */
struct evidence_weights {
    int32_t transactional;
    int32_t bulk;
    int32_t personal;
};

/* Its spread is three times what its heaviest weight has over the mean of the
 * three, in the unit of the weights: a whole number, and no division. */
struct evidence_piece {
    enum evidence_kind kind;
    uint32_t index;
    uint32_t value;
    int32_t spread;
    unsigned toward; /* whose weight is the heaviest: enum model_class */
};

/* The heaviest so far, heaviest first; of two alike the one that came first. */
struct evidence {
    struct evidence_piece pieces[EVIDENCE_MAX];
    uint32_t count;
    uint32_t max;  /* 1 to EVIDENCE_MAX */
    int32_t least; /* what does not weigh more is not kept */
};

void evidence_init(struct evidence *evidence, uint32_t max);

/* Keeps a piece that weighs more than evidence->least. */
void evidence_keep(struct evidence *evidence,
                   const struct evidence_piece *piece);

/* Keeps a piece with these weights, if they weigh enough. */
static inline void evidence_offer(struct evidence *evidence,
                                  enum evidence_kind kind, uint32_t index,
                                  uint32_t value,
                                  struct evidence_weights weights)
{
    int32_t most = weights.transactional > weights.bulk ? weights.transactional
                                                        : weights.bulk;
    most = most > weights.personal ? most : weights.personal;
    const int32_t spread =
        3 * most - weights.transactional - weights.bulk - weights.personal;
    if (spread <= evidence->least)
        return;
    const struct evidence_piece piece = {
        .kind = kind,
        .index = index,
        .value = value,
        .spread = spread,
        .toward = most == weights.transactional ? 0
                  : most == weights.bulk        ? 1
                                                : 2,
    };
    evidence_keep(evidence, &piece);
}

#endif
