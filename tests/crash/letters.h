/*
 * letters.h - messages whose every byte follows from a few numbers, so that
 * what comes back can be judged without remembering it.
 */
#ifndef TESTS_CRASH_LETTERS_H
#define TESTS_CRASH_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/slice.h"

#define LETTER_BODY_MAX (200u << 10)
#define LETTER_TEXT_MAX 2048u

/* A generator of numbers: the same seed gives the same row. */
struct dice {
    uint64_t state;
};
uint64_t dice_roll(struct dice *dice, uint64_t below);

struct letter_text {
    char bytes[LETTER_TEXT_MAX];
    size_t len;
};

struct slice letter_body(uint64_t id, uint64_t len);
void letter_envelope(uint64_t id, uint64_t len, struct letter_text *text);
void letter_state(uint64_t id, uint64_t number, struct letter_text *text);

/* False unless every byte is what the functions above make. */
bool letter_read_envelope(struct slice bytes, uint64_t id, uint64_t *len);
bool letter_read_state(struct slice bytes, uint64_t id, uint64_t *number);

#endif
