/*
 * lexicon.h - words of many languages that mean one thing.
 *
 * A model that has read a thousand English messages knows what "unsubscribe"
 * is worth and nothing of "abbestellen". The lexicon maps words of the
 * languages that mail is sent in to a few themes; how often a theme is touched
 * is a measure of its own, and its weight is learnt in any language for all.
 * The words are data, below; no theme decides anything by itself.
 */
#ifndef CLASSIFIER_SKETCH_LEXICON_H
#define CLASSIFIER_SKETCH_LEXICON_H

#include <stdint.h>

#include "common/base/attr.h"

enum theme {
    THEME_LEAVING,  /* unsubscribe, preferences */
    THEME_SECRET,   /* password, code, verify, sign in */
    THEME_ORDER,    /* order, invoice, payment, refund */
    THEME_DELIVERY, /* shipped, parcel, tracking */
    THEME_VISIT,    /* booking, appointment, flight */
    THEME_ACCOUNT,  /* account, profile, settings, plan */
    THEME_ALERT,    /* failed, warning, detected, unusual */
    THEME_OFFER,    /* sale, discount, free, coupon */
    THEME_NEWS,     /* newsletter, issue, article, webinar */
    THEME_CAUSE,    /* donate, petition, vote */
    THEME_IGNORE,   /* "if you did not request this, ignore" */
    THEME_EXPIRY,   /* expires, valid until */
    THEME_WARMTH,   /* thanks, regards, love: how people part */
    THEME_LEGAL,    /* copyright, rights reserved, registered office */
    THEME_YOU,
    THEME_ME,
    THEME_WE,
};
#define THEME_COUNT 17
#define THEME_NONE  THEME_COUNT

struct lexicon;

struct lexicon *lexicon_new(void) must_check;
void lexicon_free(struct lexicon **lexicon);

/* The theme of the word with this hash (words.h), or THEME_NONE. */
unsigned lexicon_theme(const struct lexicon *lexicon, uint64_t hash);

/* Adds how many of these words each theme has. */
void lexicon_count(const struct lexicon *lexicon, const uint64_t *hashes,
                   uint32_t count, uint32_t counts[THEME_COUNT]);

const char *theme_name(unsigned theme);

/* "subject-offer". */
const char *theme_subject_name(unsigned theme);

#endif
