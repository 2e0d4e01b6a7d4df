/*
 * link.h - where a link leads, as far as it tells what kind of mail this is.
 */
#ifndef CLASSIFIER_READING_LINK_H
#define CLASSIFIER_READING_LINK_H

#include "classifier/reading/html.h"

/* Adds a link to the counts; a target that is no page or address adds none. */
void link_count(struct slice target, struct html_shape *shape);

#endif
