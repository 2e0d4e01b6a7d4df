/*
 * measures.h - a message in numbers: what is counted of how it is built.
 *
 * Each measure is a count or a rate in whole numbers; for the model it falls
 * into one of MEASURE_STEPS steps that double: 0, 1, 2-3, 4-7, ... Their order
 * is part of a model's format: append, never reorder.
 */
#ifndef CLASSIFIER_SKETCH_MEASURES_H
#define CLASSIFIER_SKETCH_MEASURES_H

#include <stdbool.h>
#include <stdint.h>

#include "classifier/reading/html.h"
#include "classifier/sketch/lexicon.h"
#include "classifier/sketch/words.h"

#define MEASURE_STEPS 12u

enum measure {
    MEASURE_WORDS,
    MEASURE_LINES,
    MEASURE_LINE_WORDS, /* words in a line, on the mean */
    MEASURE_MARKUP,     /* bytes of markup for a byte of text */
    MEASURE_TAGS,
    MEASURE_LINKS,
    MEASURE_LINK_RATE, /* for 100 words; so on */
    MEASURE_HOSTS,
    MEASURE_MAIL_LINKS,
    MEASURE_IMAGES,
    MEASURE_IMAGE_RATE,
    MEASURE_PIXELS,
    MEASURE_TABLES,
    MEASURE_CELLS,
    MEASURE_ITEMS,
    MEASURE_HEADINGS,
    MEASURE_PARAGRAPHS,
    MEASURE_HTML_RULES,
    MEASURE_HTML_QUOTES,
    MEASURE_HTML_CODES,
    MEASURE_STYLES,
    MEASURE_CLASSES,
    MEASURE_FORMS,
    MEASURE_CAMPAIGN_LINKS,
    MEASURE_LEAVING_LINKS,
    MEASURE_SOCIAL_LINKS,
    MEASURE_STORE_LINKS,
    MEASURE_TOKEN_LINKS,
    MEASURE_HIDDEN_WORDS,
    MEASURE_DEPTH,
    MEASURE_RECIPIENT,
    MEASURE_NUMBERS,
    MEASURE_CODES,
    MEASURE_MONEY,
    MEASURE_PERCENT,
    MEASURE_DATES,
    MEASURE_IDS,
    MEASURE_TOKENS,
    MEASURE_URLS,
    MEASURE_TEXT_HOSTS,
    MEASURE_ADDRESSES,
    MEASURE_CAPITALS,
    MEASURE_EXCLAIMS,
    MEASURE_QUESTIONS,
    MEASURE_QUOTES,
    MEASURE_RULES,
    MEASURE_SYMBOLS,
    MEASURE_WIDTHLESS,
    MEASURE_FOREIGN,
    MEASURE_SUBJECT_WORDS,
    MEASURE_SUBJECT_CAPITALS,
    MEASURE_SUBJECT_EXCLAIMS,
    MEASURE_SUBJECT_QUESTIONS,
    MEASURE_SUBJECT_NUMBERS, /* numbers, codes and ids */
    MEASURE_SUBJECT_MONEY,   /* and per cent */
    MEASURE_SUBJECT_SYMBOLS,
    MEASURE_SUBJECT_RECIPIENT,
    MEASURE_PARTS,
    MEASURE_ATTACHED,
    MEASURE_ATTACHED_IMAGES,
    MEASURE_CALENDAR,
    MEASURE_HAS_TEXT,
    MEASURE_HAS_HTML,
    MEASURE_CONTRADICTION, /* of the text's words, tenths not in the HTML */
    MEASURE_GREETING,      /* the recipient is among the first words */
    MEASURE_REPEATED,      /* of 100 words, how many were there before */
    MEASURE_THEMES,        /* THEME_COUNT of them: for 200 words */
    MEASURE_SUBJECT_THEMES = MEASURE_THEMES + THEME_COUNT,
    MEASURE_COUNT = MEASURE_SUBJECT_THEMES + THEME_COUNT,
};

/* What the numbers are taken from. */
struct measured {
    struct html_shape html;
    struct text_shape text;
    struct text_shape subject;
    uint32_t themes[THEME_COUNT];
    uint32_t subject_themes[THEME_COUNT];
    uint32_t encoded_bytes; /* taken from the parts; decoded: */
    uint32_t markup_bytes;
    uint32_t text_bytes;
    uint32_t unread_bytes; /* of text parts, as they stand */
    uint32_t parts;
    uint32_t attached;
    uint32_t attached_images;
    uint32_t calendars;
    uint32_t contradiction;
    uint32_t repeated;
    uint32_t greeting;
    uint32_t has_text;
    uint32_t has_html;
    bool shows_html; /* enough of it to be what is read, not the text parts */
};

void measures_take(const struct measured *measured,
                   uint32_t measures[MEASURE_COUNT]);

/* 0 for 0, else 1 + the position of the highest bit, at most the last. */
static inline uint32_t measure_step(uint32_t value)
{
    uint32_t step = value == 0 ? 0 : 32u - (uint32_t)__builtin_clz(value);
    return step < MEASURE_STEPS ? step : MEASURE_STEPS - 1;
}

/* "links"; a theme's is "offer", or "subject-offer". */
const char *measure_name(enum measure measure);

#endif
