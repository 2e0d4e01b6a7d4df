/*
 * stretch.h - sixty-four bytes of text, and where words of it begin and end.
 *
 * One bit for each byte, found of all at once: how long a word is, is as good as
 * chance, and a processor that has to guess it guesses wrong.
 */
#ifndef CLASSIFIER_SKETCH_STRETCH_H
#define CLASSIFIER_SKETCH_STRETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/chunk.h"
#include "common/base/slice.h"

#define STRETCH_BYTES ((size_t)4 * CHUNK_BYTES)

struct stretch {
    const char *at;  /* the first of them, borrowed; NULL: of nothing */
    uint64_t starts; /* of runs of ASCII letters */
    uint64_t ends;   /* the bytes behind them */
    /* What is neither a letter nor a blank, nor ",", "." or ":" between a word
     * and a blank. */
    uint64_t others;
    uint64_t line_starts; /* of starts and others: a line end is before them */
};

/* Of the front of a text; what is behind its end counts as blanks.
 * STRETCH_BYTES can be read of it, whatever is there. */
void stretch_read(struct stretch *stretch, struct slice text);

/* Is `at`, a place in the text, in it, and from there on the end of a word or one
 * of the others? */
bool stretch_has(const struct stretch *stretch, const char *at);

/* The lowest bit of a set, 0 of an empty one. */
static inline uint64_t stretch_first(uint64_t set)
{
    return set & (0 - set);
}

#endif
