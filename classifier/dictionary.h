/*
 * dictionary.h - what the heaviest buckets of a model are called.
 *
 * A model knows words by their buckets alone. So that a verdict can name what
 * it was made of without the message at hand, the model's file holds one line
 * for each of its heaviest buckets, in order of the bucket:
 *
 *     03fa unsubscribe
 *     04c1 subject: last chance
 *
 * Words that one sender alone used are not in it: they may be names.
 */
#ifndef CLASSIFIER_DICTIONARY_H
#define CLASSIFIER_DICTIONARY_H

#include <stdint.h>

#include "common/base/slice.h"

#define DICTIONARY_BYTES_MAX (48u << 10)
#define DICTIONARY_KEY_BYTES 5u /* four hexadecimal digits and a blank */

/* What the bucket is called; empty: it is not in the dictionary. Total over
 * any bytes. */
struct slice dictionary_find(struct slice dictionary, uint16_t bucket);

#endif
