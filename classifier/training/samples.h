/*
 * samples.h - messages with a known class, as a model is taught by them.
 *
 * Of each message its sketch is kept, in a few hundred bytes. A message has a
 * sender, by which samples are held out together: what a model is worth shows
 * on senders that it has not seen.
 */
#ifndef CLASSIFIER_TRAINING_SAMPLES_H
#define CLASSIFIER_TRAINING_SAMPLES_H

#include <stdint.h>

#include "classifier/model.h"
#include "classifier/sketch/sketch.h"

struct sample {
    uint32_t token_at; /* in the pool */
    uint32_t token_count;
    uint8_t steps[MEASURE_COUNT];
    uint64_t marks;
    uint64_t template; /* hash by which instances of one are known */
    enum model_class class;
    uint32_t sender; /* number of the sender */
    float weight;
};

struct samples {
    struct sample *items;
    size_t count;
    uint16_t *tokens;
    size_t token_count;
    size_t size; /* room, of both */
    size_t token_size;
};

void samples_init(struct samples *samples);
void samples_release(struct samples *samples);

/* Copies what matters of a sketch. */
void samples_add(struct samples *samples, const struct sketch *sketch,
                 enum model_class class, uint32_t sender);

/* Gives each sample its weight: many instances of one template count by the root
 * of their number, many messages of one sender somewhat less than all of them;
 * the classes count alike in the end. */
void samples_weigh(struct samples *samples);

#endif
