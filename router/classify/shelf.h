/*
 * shelf.h - the folder of samples that the operator corrected.
 *
 *     FOLDER/transactional|bulk|personal/TEXT-TAGS.eml
 *
 * A sample is called by what it says (the hashes of its masked words and of its
 * tags): two instances of a template are one sample, and the last word on it
 * counts, whatever was said before. The messages are people's mail; nobody but
 * the owner can read them.
 */
#ifndef ROUTER_CLASSIFY_SHELF_H
#define ROUTER_CLASSIFY_SHELF_H

#include <stdbool.h>
#include <stdio.h>

#include "classifier/model.h"
#include "classifier/sketch/sketch.h"
#include "common/base/attr.h"
#include "common/base/slice.h"

/* Keeps the message, and takes it from the other classes. False with `err`
 * told. */
bool shelf_keep(const char *folder, enum model_class class,
                const struct sketch *sketch, struct slice message,
                FILE *err) must_check;

#endif
