/*
 * model_file.h - where things are in a model's file; for those who read it and
 * those who write it.
 */
#ifndef CLASSIFIER_MODEL_FILE_H
#define CLASSIFIER_MODEL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "classifier/model.h"

#define MODEL_MAGIC  "SYC1"
#define MODEL_FORMAT 1u

#define MODEL_STEPS_BYTES                                                      \
    ((size_t)MEASURE_COUNT * MEASURE_STEPS * MODEL_CLASSES * sizeof(int16_t))
#define MODEL_MARKS_BYTES ((size_t)MARK_COUNT * MODEL_CLASSES * sizeof(int16_t))
#define MODEL_WORDS_BYTES ((size_t)MODEL_BUCKETS * MODEL_CLASSES)
#define MODEL_FIXED_BYTES                                                      \
    (MODEL_STEPS_BYTES + MODEL_MARKS_BYTES + MODEL_WORDS_BYTES)
#define MODEL_DIGEST_BYTES   16u
#define MODEL_DICTIONARY_MAX (64u << 10)

struct model_head {
    char magic[4];
    uint32_t format;
    uint32_t feature_set;
    uint32_t measures;
    uint32_t marks;
    uint32_t word_scale;
    uint32_t temperature;
    int32_t bias[MODEL_CLASSES];
    uint32_t dictionary_bytes;
    uint32_t meta_bytes;
};

/* Does the file end with the checksum of all before? */
bool model_digest_is_right(struct slice file);

/* Writes the checksum of all but the last MODEL_DIGEST_BYTES behind it. */
void model_digest_write(char *file, size_t len);

#endif
