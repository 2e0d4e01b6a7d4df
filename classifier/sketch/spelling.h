/*
 * spelling.h - the letters of a word, and a hash of them.
 *
 * The hash is taken of sixteen bytes at a time, zeros behind the last letter,
 * so that of a word of few letters it is one step: spelling_hash_chunk(). Both
 * ways give the same for the same letters, on every machine.
 */
#ifndef CLASSIFIER_SKETCH_SPELLING_H
#define CLASSIFIER_SKETCH_SPELLING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/chunk.h"

#define SPELLING_BYTES 160u /* whole chunks; what is more is not kept */

struct spelling {
    size_t len;                 /* 0 at first */
    char bytes[SPELLING_BYTES]; /* UTF-8; nothing is behind `len` */
};

/* Adds a character, which the caller has made small; none where there is no room. */
void spelling_add(struct spelling *spelling, uint32_t character);

/* The same for the same letters, in every process and for ever: a model's words
 * are known by it. */
uint64_t spelling_hash(const struct spelling *spelling);

/* Of what is no word: two numbers. */
uint64_t spelling_hash_numbers(uint32_t a, uint32_t b);

#define SPELLING_START 0x243F6A8885A308D3u

/* What spelling_hash() is made of: the next sixteen letters, ... */
static inline uint64_t spelling_step(uint64_t hash, chunk letters)
{
    uint64_t halves[2];
    memcpy(halves, &letters, sizeof halves);
    return ((hash ^ le64toh(halves[0])) * 0x9E3779B97F4A7C15u)
           ^ ((hash + le64toh(halves[1])) * 0xD6E8FEB86659FD93u);
}

/* ... and the end. */
static inline uint64_t spelling_end(uint64_t hash)
{
    hash ^= hash >> 29;
    hash *= 0xBF58476D1CE4E5B9u;
    return hash ^ hash >> 32;
}

/* Of a word of at most CHUNK_BYTES letters. */
static inline uint64_t spelling_hash_chunk(chunk letters)
{
    return spelling_end(spelling_step(SPELLING_START, letters));
}

#endif
