/*
 * suggest.h - which known word did the writer mean?
 *
 * Nearness is the edit distance (insert, drop, change, swap of neighbours),
 * with case ignored and '-' read as '_': names from other mail servers come
 * with hyphens.
 */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include <stddef.h>

#include "common/base/slice.h"

#define SUGGEST_WORD_MAX 64 /* longer words are near to nothing */
#define SUGGEST_FAR      ((size_t)-1)

/* Edits from a to b; SUGGEST_FAR when either is longer than the maximum. */
size_t suggest_distance(struct slice a, struct slice b);

/* True when b is near enough to a to be what was meant: at most a third of the
 * longer word differs. `*nearest` is the best distance so far (start with
 * SUGGEST_FAR); only a better one is accepted, and stored. */
bool suggest_is_nearer(struct slice a, struct slice b, size_t *nearest);

#endif
