/*
 * sketch.h - all that the classifier knows of a message, taken in one pass.
 *
 *     header, body -> parts -> decoded -> visible text -> masked words
 *                                     '-> shape             '-> tokens,
 *                                                               min-hashes
 *
 * A sketch is plain data of a few kilobytes without pointers: the model scores it (model.h), the guard counts by it (guard.h).
 * What a message can cost is bounded: SKETCH_HEADER_BYTES of its header are
 * read, SKETCH_MARKUP_BYTES of its parts decoded and SKETCH_WORDS words of them
 * read; a message that is cut by the first two or nested too deep is_truncated
 * and can not be judged protected.
 *
 * A sketcher holds the buffers for the passes and belongs to one thread.
 * Nothing of a message stays in it that matters.
 */
#ifndef CLASSIFIER_SKETCH_SKETCH_H
#define CLASSIFIER_SKETCH_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/sketch/marks.h"
#include "classifier/sketch/measures.h"
#include "common/base/attr.h"
#include "common/base/slice.h"

#define SKETCH_MARKUP_BYTES  (256u << 10)
#define SKETCH_ENCODED_BYTES (768u << 10) /* "=41": three for one */
#define SKETCH_HEADER_BYTES  (64u << 10)
#define SKETCH_TEXT_BYTES    (4u << 10) /* of the text parts */
#define SKETCH_SHOWN_BYTES   (3u << 9)  /* of what HTML shows */
#define SKETCH_WORDS         240u /* of the body; more add cost, no sense */
#define SKETCH_SUBJECT_WORDS 32u
/* Each word gives itself and the pair with the one before. */
#define SKETCH_TOKENS_MAX (2 * (SKETCH_WORDS + 2 * SKETCH_SUBJECT_WORDS))
#define SKETCH_BUCKET_LOG 16u
#define SKETCH_HASHES     8u

struct sketch_message {
    struct slice header; /* the block with its line ends */
    struct slice body;
    const struct slice *recipients; /* addresses; their names are masked */
    size_t recipient_count;
};

struct sketch {
    /* Buckets of words and pairs of words, each once. */
    uint16_t tokens[SKETCH_TOKENS_MAX];
    uint32_t token_count;
    uint32_t measures[MEASURE_COUNT];
    uint64_t marks;
    /* The template: what instances of it have in common. */
    uint32_t min_hashes[SKETCH_HASHES]; /* of runs of three words */
    uint64_t skeleton;                  /* of the tags; 0: no HTML */
    uint64_t text_hash;                 /* of all masked words */
    uint32_t word_count;
    /* Of its codes, ids and opaque links, as they stand: what differs from one
     * recipient to the next where each has one of his own. 0: it has none. */
    uint64_t own_hash;
    bool is_truncated;
    bool is_report; /* multipart/report */
    /* The header was read to its end, and has no X-Sendyard-Stream. */
    bool lacks_stream_field;
};

struct sketcher;

struct sketcher *sketcher_new(void) must_check;
void sketcher_free(struct sketcher **sketcher);

void sketch_take(struct sketcher *sketcher,
                 const struct sketch_message *message, struct sketch *sketch);

/* A word or pair of a message and its bucket, for those who explain. */
typedef void sketch_token_fn(void *context, uint16_t bucket, bool in_subject,
                             struct slice word, struct slice before);

/* The same pass again with each token told as it is found. `word` and
 * `before` (empty: a word alone) live until the call returns; a mask is told
 * by its name. */
void sketch_tell(struct sketcher *sketcher,
                 const struct sketch_message *message, sketch_token_fn *tell,
                 void *context, struct sketch *sketch);

#endif
