/*
 * words.h - text as words, what varies from message to message masked.
 *
 *     Hi Anna, your code 481516 for https://example.com/r/9f... expires
 *     hi <rcpt> your <code> for <url> expires
 *
 * Two messages made of one template thereby give nearly the same words,
 * and a model learns "code" and not one number. A word is a run of letters of
 * any script, in lower case; scripts that put no blanks between words (Han,
 * kana, Thai) give pairs of characters instead. Characters of no width are
 * passed over inside words, full-width letters are read as what they show.
 *
 * Text is UTF-8; bytes that are not part words. Work is linear, and ends with
 * what the caller takes.
 */
#ifndef CLASSIFIER_SKETCH_WORDS_H
#define CLASSIFIER_SKETCH_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/sketch/stretch.h"
#include "common/base/slice.h"

#define WORDS_KNOWN_MAX 8u
#define WORDS_LEN_MAX   40u /* letters; a longer run is a mask of its own */

enum word_kind {
    WORD_PLAIN,
    WORD_RECIPIENT, /* a word of the recipient's name or address */
    WORD_NUMBER,
    WORD_CODE, /* 4 to 8 digits that stand alone */
    WORD_MONEY,
    WORD_PERCENT,
    WORD_DATE,  /* 2025-11-26, 26.11.2025, 12:30 */
    WORD_ID,    /* letters and digits mixed */
    WORD_TOKEN, /* a long one of those */
    WORD_URL,
    WORD_HOST,
    WORD_ADDRESS,
    WORD_LONG,
};
#define WORD_KIND_COUNT 13

struct word {
    enum word_kind kind;
    uint64_t hash; /* the same for the same word or mask */
    struct slice text;
};

/* Counted as the words are taken. */
struct text_shape {
    uint32_t words;
    uint32_t kinds[WORD_KIND_COUNT];
    uint32_t capitals; /* words of three letters and more, all of them large */
    uint32_t exclaims;
    uint32_t questions;
    uint32_t lines;   /* with something in them */
    uint32_t quotes;  /* lines that begin with ">" */
    uint32_t rules;   /* runs of four and more of = - _ * # ~ */
    uint32_t symbols; /* emoji, arrows, bullets */
    uint32_t widthless;
    uint32_t foreign; /* words that mix Latin with Greek or Cyrillic */
};

/* Words to be masked as the recipient's. */
struct words_known {
    uint64_t hashes[WORDS_KNOWN_MAX];
    size_t count;
    uint64_t mask; /* a bit for each hash: most words are none, at one look */
};

struct words {
    struct cursor cursor;
    const struct words_known *known; /* borrowed; NULL: none */
    struct text_shape shape;
    struct stretch stretch; /* that words_take_plain() is in */
    bool at_line_start;
    bool after_currency;
    uint32_t last_character; /* of a script without blanks; 0: none before */
};

void words_init(struct words *words, struct slice text,
                const struct words_known *known);

/* False when the text is over. */
bool words_next(struct words *words, struct word *word);

/* Takes plain words and the marks between them as long as nothing else is next,
 * `max` words at most, and writes their hashes; says how many. What comes then,
 * and now and then a plain word, too, is for words_next(). Nearly all words of
 * mail are taken so. STRETCH_BYTES can be read behind the text, whatever is
 * there. */
uint32_t words_take_plain(struct words *words, uint64_t *hashes, uint32_t max);

/* Adds the words of a name or a local part, those of one letter left out. */
void words_know(struct words_known *known, struct slice text);

/* Adds one word by its hash, if there is room. */
void words_know_hash(struct words_known *known, uint64_t hash);

/* What a mask is called: "<code>"; NULL for a plain word. */
const char *word_kind_name(enum word_kind kind);

#endif
