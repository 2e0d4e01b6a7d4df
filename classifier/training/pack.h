/*
 * pack.h - weights made into a model's file (model.h), and back.
 */
#ifndef CLASSIFIER_TRAINING_PACK_H
#define CLASSIFIER_TRAINING_PACK_H

#include "classifier/training/fit.h"
#include "common/base/buf.h"

/* Appends the file to `out`. The words lose their fractions: the largest
 * becomes 127 of a byte, and what is beyond PACK_CLIP is clipped to it. False:
 * `out` has no room. */
bool pack_model(const struct weights *weights, struct slice dictionary,
                struct slice meta, struct buf *out);

/* The weights of a model as floats again. */
void unpack_model(const struct model *model, struct weights *weights);

#endif
