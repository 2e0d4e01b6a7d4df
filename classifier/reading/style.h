/*
 * style.h - the declarations of a style attribute, where CSS sees them.
 *
 * Most styles are declarations parted by ";", and are read as they stand. Some
 * have more: comments, escapes, references of HTML; strings and brackets, in
 * which a ";" parts nothing. These are written out plainly first, so that
 * nothing passes for hidden that a browser shows, or for shown that it hides.
 */
#ifndef CLASSIFIER_READING_STYLE_H
#define CLASSIFIER_READING_STYLE_H

#include <stddef.h>

#include "common/base/slice.h"

enum style_form {
    STYLE_PLAIN,
    STYLE_NESTED, /* strings or brackets may change what is in them */
    STYLE_CODED,  /* the words themselves may be others */
};

enum style_form style_form(struct slice style);

/* Writes the style plainly: as many bytes as it has, at most. Returns them. */
struct slice style_plain(struct slice style, char *room);

#endif
