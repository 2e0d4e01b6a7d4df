/*
 * wordlist.h - which words the buckets of a model stand for.
 *
 * While messages are sketched, each bucket remembers the word that it is met
 * with most (by majority vote: right for every word that makes up more than
 * half), and whether more than one sender used it. From that and the weights
 * comes the dictionary of a model's file (dictionary.h).
 */
#ifndef CLASSIFIER_TRAINING_WORDLIST_H
#define CLASSIFIER_TRAINING_WORDLIST_H

#include "classifier/training/fit.h"
#include "common/base/buf.h"

#define WORDLIST_WORDS 2000u /* of the heaviest buckets */

struct wordlist;

struct wordlist *wordlist_new(void) must_check;
void wordlist_free(struct wordlist **list);

/* Whose message comes next. */
void wordlist_begin(struct wordlist *list, uint32_t sender);

/* A sketch_token_fn; `context` is the list. */
void wordlist_hear(void *context, uint16_t bucket, bool in_subject,
                   struct slice word, struct slice before);

/* Appends the dictionary: at most WORDLIST_WORDS lines, and none that `out` has
 * no room for. */
void wordlist_write(const struct wordlist *list, const struct weights *weights,
                    struct buf *out);

#endif
