/*
 * run.h - letters and digits in a row, of any script.
 *
 * Apostrophes between letters are left out ("don't" is "dont"), and so are
 * characters of no width.
 */
#ifndef CLASSIFIER_SKETCH_RUN_H
#define CLASSIFIER_SKETCH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"

struct run {
    uint32_t letters;
    uint32_t digits;
    uint32_t widthless;
    bool has_small; /* a letter that is not in upper case */
    bool has_latin;
    bool has_other; /* Greek, Cyrillic */
    uint64_t hash;  /* of all in lower case: spelling.h */
};

/* Takes the run that begins at the cursor; what is no letter and no digit is an
 * empty one. */
void run_take(struct cursor *cursor, struct run *run);

#endif
