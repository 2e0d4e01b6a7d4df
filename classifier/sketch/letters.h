/*
 * letters.h - one character of text, and what it is for the words.
 */
#ifndef CLASSIFIER_SKETCH_LETTERS_H
#define CLASSIFIER_SKETCH_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/chars.h"
#include "common/base/slice.h"

/* The bit that parts a small ASCII letter from a large one. */
#define LETTER_SMALL ((uint8_t)('a' ^ 'A'))

enum letter_class {
    LETTER_MARK, /* parts words, and all that is not below */
    LETTER_WORD,
    LETTER_DIGIT,
    LETTER_PAIRED, /* of a script without blanks between words */
    LETTER_APOSTROPHE,
    LETTER_CURRENCY,
    LETTER_SYMBOL,
    LETTER_WIDTHLESS,
};

struct letter {
    uint32_t character; /* as it shows: full-width forms are made narrow */
    uint32_t lower;
    enum letter_class class;
    uint32_t len; /* bytes */
};

/* Of the ASCII characters. */
extern const uint8_t letters_ascii[128];

/* The same for a character that does not begin with an ASCII byte. */
void letter_read_wide(const struct cursor *cursor, struct letter *letter);

/* Reads the next character without taking it; false at the end. A byte that is
 * no UTF-8 is a mark. */
static inline bool letter_read(const struct cursor *cursor,
                               struct letter *letter)
{
    if (cursor_done(cursor))
        return false;
    unsigned char first = (unsigned char)*cursor->at;
    if (first >= 0x80) {
        letter_read_wide(cursor, letter);
        return true;
    }
    letter->character = first;
    letter->lower = (unsigned char)char_lower((char)first);
    letter->class = (enum letter_class)letters_ascii[first];
    letter->len = 1;
    return true;
}

#endif
