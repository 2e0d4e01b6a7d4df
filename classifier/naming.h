/*
 * naming.h - the words that a verdict was made of, found again in the message.
 *
 * A reason knows a word by its bucket. To name it the message is sketched once
 * more with each token told: what is shown is what this message says, whatever
 * else falls into the same bucket.
 */
#ifndef CLASSIFIER_NAMING_H
#define CLASSIFIER_NAMING_H

#include "classifier/judge.h"

#define NAMING_SIZE 96u

struct naming {
    struct name {
        uint16_t bucket;
        char text[NAMING_SIZE]; /* "last chance"; in the subject "subject: " is
                                   before it; cut between characters */
        size_t len;             /* 0: not found */
    } names[JUDGE_REASONS_MAX];
    size_t count;
};

/* Names the words among the judgement's reasons. `sketch` is a place to work
 * in; it holds the message's sketch afterwards. */
void naming_find(struct sketcher *sketcher,
                 const struct sketch_message *message,
                 const struct judgement *judgement, struct sketch *sketch,
                 struct naming *naming);

/* The name of a bucket; empty: it has none. */
struct slice naming_of(const struct naming *naming, uint32_t bucket);

#endif
