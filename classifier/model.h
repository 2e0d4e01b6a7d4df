/*
 * model.h - the weights, their file, and what they make of a sketch.
 *
 * One linear model for three classes; mail of systems is known by rule. The
 * weights of the words are one byte each and are used where they lie: in the
 * program, or in the memory that an operator's file was read into:
 *
 *     offset  what
 *     0       "SYC1", format, feature set, counts, scale: struct model_head
 *     ...     steps[MEASURE_COUNT][MEASURE_STEPS][3]  int16, 1/256
 *     ...     marks[MARK_COUNT][3]                    int16, 1/256
 *     ...     words[65536][3]                         int8, times word_scale
 *     ...     dictionary: "bucket word" lines of the heaviest buckets
 *     ...     meta: JSON text (date, sources, scores)
 *     end-16  xxh3-128 of all before, big-endian
 *
 * All numbers are little-endian. The feature set names the tokenizer, the
 * measures and the marks that the weights were learnt with; a model of another
 * is refused, since its weights would mean something else.
 *
 * What is summed is whole numbers, so the sums are the same on every machine and
 * in every process; chances are made of them by the C library's exp().
 */
#ifndef CLASSIFIER_MODEL_H
#define CLASSIFIER_MODEL_H

#include <stdint.h>

#include "classifier/evidence.h"
#include "classifier/sketch/sketch.h"
#include "common/base/attr.h"
#include "common/base/rc.h"
#include "common/base/slice.h"

enum model_class { MODEL_TRANSACTIONAL, MODEL_BULK, MODEL_PERSONAL };
#define MODEL_CLASSES 3

#define MODEL_BUCKETS     (1u << SKETCH_BUCKET_LOG)
#define MODEL_FEATURE_SET 4u  /* raise with every change of what is measured */
#define MODEL_POINT       256 /* one, in log-odds as whole numbers */
#define MODEL_MARKS_CAP   (3 * MODEL_POINT) /* what a header can add at most */
#define MODEL_META_MAX    (64u << 10)
#define MODEL_FILE_MAX    (4u << 20) /* bytes; the one that ships has 244 KB */
#define MODEL_LENGTH_MIN  32u        /* tokens that a text counts as at least */
#define MODEL_WORDS_SHOWN 3u         /* single words among the evidence */

/* The weights as they are used; the arrays point into the file's bytes. */
struct model {
    const int16_t *steps; /* [MEASURE_COUNT][MEASURE_STEPS][MODEL_CLASSES] */
    const int16_t *marks; /* [MARK_COUNT][MODEL_CLASSES] */
    const int8_t *words;  /* [MODEL_BUCKETS][MODEL_CLASSES] */
    int32_t bias[MODEL_CLASSES]; /* 1/MODEL_POINT */
    uint32_t word_scale;         /* a word's byte, in 1/65536 points */
    uint32_t temperature;        /* 1/256: what log-odds are divided by */
    uint8_t digest[16];          /* the file's checksum: which model it is */
    struct slice dictionary;
    struct slice meta;
};

/* The weights of a measure, a mark, a word: MODEL_CLASSES of them. */
static inline const int16_t *model_step(const struct model *model,
                                        enum measure measure, uint32_t value)
{
    return model->steps
           + ((size_t)measure * MEASURE_STEPS + measure_step(value))
                 * MODEL_CLASSES;
}

static inline const int16_t *model_mark(const struct model *model,
                                        uint32_t mark)
{
    return model->marks + (size_t)mark * MODEL_CLASSES;
}

static inline const int8_t *model_word(const struct model *model,
                                       uint16_t bucket)
{
    return model->words + (size_t)bucket * MODEL_CLASSES;
}

/* What the parts of a sketch say for each class, in 1/MODEL_POINT. */
struct model_score {
    int32_t words[MODEL_CLASSES];
    int32_t steps[MODEL_CLASSES];
    int32_t marks[MODEL_CLASSES]; /* after the cap */
    int32_t total[MODEL_CLASSES]; /* with the bias, over the temperature */
    struct evidence evidence;     /* what weighed most, before the cap; of
                                     single words at most MODEL_WORDS_SHOWN */
};

/* Finds the weights in `file`, which must be aligned to 8 bytes and outlive
 * the model. RC_OK; RC_SYNTAX: no model, or damaged; RC_NONE: a sound one of
 * another format or feature set. */
enum rc model_open(struct slice file, struct model *model) must_check;

void model_score(const struct model *model, const struct sketch *sketch,
                 struct model_score *score);

/* Per mille of each class for these log-odds; they add up to 1000. */
void model_probabilities(const int32_t total[MODEL_CLASSES],
                         uint32_t per_mille[MODEL_CLASSES]);

const char *model_class_name(enum model_class class);

#endif
