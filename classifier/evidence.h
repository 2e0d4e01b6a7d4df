/*
 * evidence.h - of all that a model weighs, the few pieces that weigh most.
 *
 * They are offered one by one, as they are weighed: a message has hundreds, and
 * most are turned down by one comparison.
 */
#ifndef CLASSIFIER_EVIDENCE_H
#define CLASSIFIER_EVIDENCE_H

#include <stddef.h>
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
 * three: a whole number, and no division. */
struct evidence_piece {
    enum evidence_kind kind;
    uint32_t index;
    uint32_t value;
    int32_t spread;
    struct evidence_weights weights;
};

/* The heaviest so far, heaviest first; of two alike the one that came first. */
struct evidence {
    struct evidence_piece pieces[EVIDENCE_MAX];
    uint32_t count;
    uint32_t max;  /* at most EVIDENCE_MAX */
    int32_t least; /* what does not weigh more is not kept */
};

void evidence_init(struct evidence *evidence, uint32_t max);

/* Keeps a piece that weighs more than evidence->least. */
void evidence_keep(struct evidence *evidence,
                   const struct evidence_piece *piece);

static inline int32_t evidence_spread(struct evidence_weights of)
{
    int32_t most = of.transactional > of.bulk ? of.transactional : of.bulk;
    most = most > of.personal ? most : of.personal;
    return 3 * most - of.transactional - of.bulk - of.personal;
}

static inline void evidence_offer(struct evidence *evidence,
                                  enum evidence_kind kind, uint32_t index,
                                  uint32_t value, struct evidence_weights of)
{
    const int32_t spread = evidence_spread(of);
    if (spread <= evidence->least)
        return;
    const struct evidence_piece piece = { kind, index, value, spread, of };
    evidence_keep(evidence, &piece);
}

#endif
