/*
 * recipients.h - which recipients a template has had, and how many at once.
 *
 * `recipients` is an exact set of 32-bit hashes, at most RECIPIENTS_MAX; it
 * starts small and grows, and what would not fit begins it anew: then
 * some are counted twice, never too few.
 *
 * `burst` tells how many different ones came within one window of time, and
 * whether all got the same text. It is an estimate of constant size (linear
 * counting, Whang 1990; within 5 % at the threshold), made for templates
 * that suddenly go to many.
 */
#ifndef CLASSIFIER_GUARD_RECIPIENTS_H
#define CLASSIFIER_GUARD_RECIPIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECIPIENTS_MAX 224u

struct recipients {
    uint32_t *slots; /* 0: free */
    uint16_t size;   /* 0 or a power of two */
    uint16_t count;
};

void recipients_release(struct recipients *recipients);
struct recipients recipients_copy(const struct recipients *recipients);

bool recipients_has(const struct recipients *recipients, uint32_t hash);
void recipients_add(struct recipients *recipients, uint32_t hash);

/* Bytes beside the struct. */
size_t recipients_bytes(const struct recipients *recipients);

#define BURST_BITS 1024u

struct burst_member {
    uint64_t text_hash;
    uint64_t own_hash; /* of its codes and opaque links; 0: it has none */
};

struct burst {
    uint32_t window; /* number; another begins it anew */
    uint32_t members;
    uint32_t codes;    /* members with one that the first did not have */
    uint64_t own_hash; /* the first's */
    uint32_t same;     /* members with the text that most had, so it seems */
    uint32_t lead;     /* by how much that text leads over the others */
    uint64_t text_hash;
    uint64_t bits[BURST_BITS / 64];
};

/* A burst may be larger than its bits: of the hashes only one in 2^shift is
 * looked at. The smallest shift that can tell `threshold` well. */
unsigned burst_shift(uint32_t threshold);

void burst_begin(struct burst *burst, uint32_t window);
void burst_add(struct burst *burst, const struct burst_member *member);
void burst_add_recipient(struct burst *burst, uint32_t hash, unsigned shift);

/* Different recipients, about. */
uint32_t burst_size(const struct burst *burst, unsigned shift);

/* Nearly all had one text, and hardly one a code of its own. */
bool burst_is_uniform(const struct burst *burst);

#endif
