/*
 * siphash.h - SipHash-2-4: a hash that strangers cannot steer.
 *
 * Aumasson and Bernstein, 2012. With a key made at the start, who chooses the
 * input can neither aim at a slot of a table nor make two inputs collide.
 */
#ifndef COMMON_BASE_SIPHASH_H
#define COMMON_BASE_SIPHASH_H

#include <stdint.h>

#include "common/base/slice.h"

struct siphash_key {
    uint64_t words[2];
};

/* From the system's random numbers. */
void siphash_key_make(struct siphash_key *key);

uint64_t siphash(const struct siphash_key *key, struct slice bytes);

#endif
